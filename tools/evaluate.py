"""Scores the alerts of the real product on real clips against those that a person wrote down.

    python tools/evaluate.py [--clips hall square ...] [--mirror DIR] [--rtsp] [--model NAME] [--json]

Each clip of `tests/expected/` goes through the daemon in a process of its own and a real broker; what a
subscriber hears is compared with the expected alerts. The last line on standard output is one JSON object
with the figures; the lines before it are for people, and `--json` leaves them out.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from _cases import FOLDER, Case, load_cases
from _scoring import Score, match, total
from _trial import REPOSITORY, Options, Outcome, run

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", REPOSITORY.parent / "shared"))


def main() -> int:
    args = _parser().parse_args()
    options = Options(args.mirror, args.rtsp, args.model)
    scores: dict[str, Score] = {}
    models: set[str] = set()
    try:
        for case in load_cases(args.clips):
            outcome = run(case, options)
            scores[case.name] = match(case.expected, outcome.raised)
            models.update(outcome.models)
            if not args.json:
                print("\n".join(table(case, outcome, scores[case.name])), flush=True)
    except (RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    overall = total(scores.values()).figures()
    clips = {name: score.figures() for name, score in scores.items()}
    print(json.dumps({"clips": clips, **overall, "models": sorted(models), "rtsp": args.rtsp}))
    return 0


def table(case: Case, outcome: Outcome, score: Score) -> Iterator[str]:
    """What was expected and what came, in order of time."""
    lines = [
        *(
            (one.at_s, f"found {other.at_s - one.at_s:+5.1f}", one.rule, one.note)
            for one, other in score.pairs
        ),
        *((one.at_s, "MISSED", one.rule, one.note) for one in score.missed),
        *((one.at_s, "EXTRA", one.rule, "") for one in score.extra),
    ]
    models = ", ".join(outcome.models) or "no alert"
    yield f"{case.name} ({case.clip}), {models}, {outcome.frames_replaced} frames replaced"
    for at_s, verdict, rule, note in sorted(lines):
        yield f"  {at_s:6.1f} s  {verdict:<12} {rule:<16} {note}".rstrip()
    figures = score.figures()
    yield "  " + ", ".join(f"{name} {value}" for name, value in figures.items()) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.yaml")))
    parser.add_argument("--clips", nargs="+", metavar="NAME", help=f"only these of {known}")
    parser.add_argument(
        "--mirror", type=Path, default=MIRROR, help="folder with clips and models (%(default)s)"
    )
    parser.add_argument("--rtsp", action="store_true", help="in real time, from an RTSP server on loopback")
    parser.add_argument("--model", metavar="NAME", help="detector of the catalog, or motion")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    return parser


if __name__ == "__main__":
    sys.exit(main())
