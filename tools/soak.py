"""Lets parts of the product run for long, with faults, and says what it cost.

    python tools/soak.py reconnect ... [--json]
    python tools/soak.py day ... [--json]
    python tools/soak.py chaos ... [--json]

The last line on standard output is one JSON object with the figures; the lines before it are for people,
and `--json` leaves them out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from bench import readable

PARTS = {
    "reconnect": "a camera that fails in every way, again and again, and comes back",
    "chaos": "a guard that is plagued at random: exceptions, hangs, kill -9, broker, cameras, clock, disk",
    "day": "a day of two cameras and two microphones, worked through in minutes",
}


def main() -> int:
    """Each part is a module `_soak_PART` with `add_arguments(parser)` and `run(args)`, imported on demand.

    What `run` gives has `failed`, which is the exit code and is not shown.
    """
    parser = argparse.ArgumentParser(description="Lets parts of the product run for long, with faults.")
    commands = parser.add_subparsers(dest="part", required=True, metavar="PART")
    for part, summary in PARTS.items():
        command = commands.add_parser(part, help=summary, description=summary)
        command.add_argument("--json", action="store_true", help="print nothing but the JSON object")
        if part in sys.argv[1:2]:
            importlib.import_module(f"_soak_{part}").add_arguments(command)
    args = parser.parse_args()
    figures = importlib.import_module(f"_soak_{args.part}").run(args)
    failed = figures.pop("failed")
    if not args.json:
        print("\n".join(readable(figures)))
    print(json.dumps(figures))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
