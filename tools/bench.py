"""Measures the product's parts against truth.

    python tools/bench.py detector|tracker|capture|gate|speech|engine|outbox|idle ... [--json]

The last line on standard output is one JSON object with the figures; the lines before it are for people,
and `--json` leaves them out.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys

PARTS = {
    "detector": "accuracy and speed of a detector on annotated pictures",
    "tracker": "accuracy and speed of the tracker on a MOT sequence",
    "outbox": "durable alerts from commit to receipt, beside raw paho",
    "capture": "the whole way from cameras to observations, beside what others write",
    "gate": "cost of a quiet camera, and what the gate costs in alerts and delay",
    "speech": "speed of hearing beside sherpa-onnx alone, keywords, false alarms, latency, sound tags",
    "idle": "what four quiet cameras and a microphone cost while nothing happens",
    "engine": "time of INT8 beside FP32, and of our engine beside a bare session",
}


def main() -> int:
    """Each part is a module `bench_PART` with `add_arguments(parser)` and `run(args)`, imported on demand."""
    parser = argparse.ArgumentParser(description="Measures the product's parts against truth.")
    commands = parser.add_subparsers(dest="part", required=True, metavar="PART")
    for part, summary in PARTS.items():
        command = commands.add_parser(part, help=summary, description=summary)
        command.add_argument("--json", action="store_true", help="print nothing but the JSON object")
        if part in sys.argv[1:2]:
            importlib.import_module(f"bench_{part}").add_arguments(command)
    args = parser.parse_args()
    figures = importlib.import_module(f"bench_{args.part}").run(args)
    if not args.json:
        for line in readable(figures):
            print(line)
    print(json.dumps(figures))
    return 0


def readable(figures: dict[str, object], indent: str = "") -> list[str]:
    """One line per figure, nested objects indented."""
    lines = []
    for name, value in figures.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}", *readable(value, indent + "  ")]
        else:
            lines.append(f"{indent}{name}: {value}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
