"""What a quiet camera costs with the gate, and what the gate costs in alerts and delay.

    python tools/bench.py gate [--seed 1] [--clip FILE ...] [--gop-s 2] [--quiet-s 24] [--action-s 24]

Clips are made from real ones as quiet cameras give them: a still picture with a sensor's noise, another on
each picture, encoded as a camera does; then the real action. All run through the daemon's own stages,
capture, detector, tracker and rules.

The cost is that of a second of the quiet part: CPU time of a long quiet clip less that of a short one, played
as fast as it can be analysed, each run in a process of its own. For the alerts two cameras play one clip,
with `gate: off` and `gate: auto`; one of the first is missed if the second raises none of its rule within
a second and a half. First as fast as it can be analysed, where no picture is dropped and the outcome does not
depend on the machine; then in real time, for the delay. No gate is used with rules on lines: they are left
out.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _cases import load_cases
from _gate_clips import Recipe, Script, quiet_clip
from _scoring import Expected, Raised, Score, match
from _stages import Watched, watch

from edgeguard.types import Observation, Phase

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
WHOLE = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
Alert = tuple[str, float, float]
"""Rule, time in the clip, and milliseconds from when its picture is due to the rule's word."""
WARM_S = 16.0
"""Quiet seconds after which a gate has learnt what is usual and has closed."""
LEAD_S = 24.0
"""Quiet seconds before the action."""
SAME_S = 1.5
TRIALS = {
    "hall": Recipe("h264", 2.0),
    "carpark": Recipe("h265", 4.0),
    "square": Recipe("h264", 1.0),
    "shop": Recipe("h264", 2.0, 4000),
}
"""How the camera of each annotated clip encodes."""
STARTS_S = {"square": 15.0}
QUIET = (("hall", Recipe("h264", 1.0)), ("shop", Recipe("h265", 2.0)), ("shop", Recipe("h264", 4.0)))
"""Whose first pictures are kept still, at 1080 rows."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One camera to try the gate on."""

    name: str
    source: Path
    recipe: Recipe
    settings: dict[str, Any]
    rules: list[dict[str, Any]]
    start_s: float = 0.0
    in_real_time: bool = True
    """Whether two such cameras leave the machine time enough to measure delays."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="of the sensor's noise (%(default)s)")
    parser.add_argument("--clip", type=Path, nargs="+", help="these instead of the annotated ones")
    parser.add_argument("--cases", nargs="+", help="only these of the annotated ones")
    parser.add_argument("--gop-s", type=float, help="seconds between keyframes, instead of 1 to 4")
    parser.add_argument(
        "--quiet-s", type=float, default=24.0, help="of which the cost is taken (%(default)s)"
    )
    parser.add_argument("--action-s", type=float, default=24.0, help="of the real clip (%(default)s)")
    parser.add_argument(
        "--noise", type=float, default=2.5, help="deviation of the noise in luma (%(default)s)"
    )
    parser.add_argument("--mirror", type=Path, default=MIRROR, help="clips and models (%(default)s)")
    parser.add_argument("--only", help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> dict[str, object]:
    """quiet_over_full, alerts_missed, added_delay_p99_ms, and what they are made of."""
    if args.only:
        return _play(args.only, args.clip[0], args.mirror)
    trials = list(_trials(args))
    costs = {f"{trial.name}-{trial.recipe}": _cost(trial, args) for trial in _quiet(trials, args)}
    alerts = {f"{trial.name}-{trial.recipe}": _side_by_side(trial, args) for trial in trials}
    delays = [delay for one in alerts.values() for delay in one.pop("delays_ms")]
    total = {name: sum(cost[name] for cost in costs.values()) for name in ("gated", "full")}
    return {
        "quiet_over_full": round(total["gated"] / total["full"], 3),
        "quiet_over_full_worst": max(cost["ratio"] for cost in costs.values()),
        "alerts": sum(one["full"] for one in alerts.values()),
        "alerts_missed": sum(one["missed"] for one in alerts.values()),
        "alerts_extra": sum(one["extra"] for one in alerts.values()),
        "added_delay_p99_ms": round(float(np.percentile(delays, 99))) if delays else None,
        "added_delay_p50_ms": round(float(np.percentile(delays, 50))) if delays else None,
        "quiet_cpu_s_per_s": costs,
        "clips": alerts,
    }


def _trials(args: argparse.Namespace) -> Iterator[Trial]:
    """Raises ValueError for a clip that is not there."""
    if args.clip:
        recipes = [Recipe("h264", args.gop_s or 2.0), Recipe("h265", args.gop_s or 2.0)]
        for number, clip in enumerate(args.clip):
            rules = [{"kind": "zone_entered", "name": "entered", "camera": "-", "zone": "all"}]
            settings = {"analyse_fps": 10, "zones": {"all": {"polygon": WHOLE}}}
            yield Trial(clip.stem, clip.resolve(), recipes[number % 2], settings, rules)
        return
    for case in load_cases(args.cases or list(TRIALS)):
        recipe = TRIALS.get(case.name, Recipe())
        recipe = Recipe(recipe.codec, args.gop_s or recipe.gop_s, recipe.kbps)
        rules = [rule for rule in case.rules if rule["kind"] != "line_crossed"]
        start_s = STARTS_S.get(case.name, 0.0)
        yield Trial(
            case.name, case.find(args.mirror), recipe, case.settings, rules, start_s, case.name != "shop"
        )


def _quiet(trials: list[Trial], args: argparse.Namespace) -> list[Trial]:
    """Whose quiet cost is taken."""
    if args.clip or args.cases:
        return trials
    known = {trial.name: trial for trial in trials}
    return [
        Trial(name, known[name].source, Recipe(recipe.codec, args.gop_s or recipe.gop_s), {}, [])
        for name, recipe in QUIET
    ]


def _cost(trial: Trial, args: argparse.Namespace) -> dict[str, float]:
    """CPU-seconds per second of quiet video."""
    seconds = {"short": WARM_S, "long": WARM_S + args.quiet_s}
    clips = {
        name: quiet_clip(
            trial.source,
            Script(quiet_s, start_s=trial.start_s, height=1080, noise=args.noise, seed=args.seed),
            trial.recipe,
        )
        for name, quiet_s in seconds.items()
    }
    cost = {}
    for name, gate in (("gated", "auto"), ("full", "off")):
        cpu_s = {length: _in_its_own_process(gate, clip, args.mirror) for length, clip in clips.items()}
        cost[name] = round((cpu_s["long"] - cpu_s["short"]) / args.quiet_s, 4)
    return {**cost, "ratio": round(cost["gated"] / cost["full"], 3)}


def _in_its_own_process(gate: str, clip: Path, mirror: Path) -> float:
    command = [sys.executable, str(Path(__file__).with_name("bench.py")), "gate", "--json", "--only", gate]
    options = ["--clip", str(clip), "--mirror", str(mirror)]
    done = subprocess.run([*command, *options], check=True, stdout=subprocess.PIPE, text=True)
    return float(json.loads(done.stdout.splitlines()[-1])["cpu_s"])


def _play(gate: str, clip: Path, mirror: Path) -> dict[str, object]:
    """One quiet camera at the product's default rate, as fast as it can be analysed."""
    camera = {"url": clip.as_uri(), "gate": gate, "pace": "fast", "zones": {"all": {"polygon": WHOLE}}}
    rules = [{"kind": "zone_entered", "name": "r", "camera": "c", "zone": "all", "classes": ["person"]}]
    watched = watch({"c": camera}, rules, mirror)
    return {"cpu_s": watched.cpu_s, "pictures": watched.pictures, "health": watched.health["camera/c"]}


def _side_by_side(trial: Trial, args: argparse.Namespace) -> dict[str, Any]:
    """The same clip with and without the gate: what both raise, and in real time how late."""
    script = Script(LEAD_S, args.action_s, trial.start_s, noise=args.noise, seed=args.seed)
    clip = quiet_clip(trial.source, script, trial.recipe)
    full, gated, health = _both(trial, clip, args.mirror, {"pace": "fast"})
    score = _compare(full, gated)
    delays_ms = _delays_ms(trial, clip, args.mirror) if trial.in_real_time else []
    return {
        "full": len(full),
        "missed": len(score.missed),
        "extra": len(score.extra),
        "missed_alerts": [f"{one.rule} at {one.at_s:.1f} s" for one in score.missed],
        "decoded_share": health["gate_decoded"],
        "wakes": {"moved": health["gate_wakes_moved"], "seen": health["gate_wakes_seen"]},
        "delays_ms": delays_ms,
    }


def _delays_ms(trial: Trial, clip: Path, mirror: Path) -> list[float]:
    """How much later each alert comes with the gate, in real time."""
    full, gated, _ = _both(trial, clip, mirror, {})
    due, late = ({alert[:2]: alert[2] for alert in alerts} for alerts in (full, gated))
    return [late[two.rule, two.at_s] - due[one.rule, one.at_s] for one, two in _compare(full, gated).pairs]


def _both(
    trial: Trial, clip: Path, mirror: Path, pace: dict[str, str]
) -> tuple[list[Alert], list[Alert], dict[str, Any]]:
    """Alerts without and with the gate, and the gated camera's health."""
    gates = {"full": "off", "gated": "auto"}
    cameras = {
        name: {**trial.settings, "url": clip.as_uri(), "gate": gate, **pace} for name, gate in gates.items()
    }
    rules = [
        {**rule, "camera": name, "name": f"{name}-{rule['name']}"} for name in cameras for rule in trial.rules
    ]
    watched = watch(cameras, rules, mirror)
    return _alerts(watched, "full"), _alerts(watched, "gated"), watched.health["camera/gated"]


def _compare(full: list[Alert], gated: list[Alert]) -> Score:
    return match(
        [Expected(rule, at_s, SAME_S) for rule, at_s, _ in full],
        [Raised(rule, at_s) for rule, at_s, _ in gated],
    )


def _alerts(watched: Watched, camera: str) -> list[Alert]:
    return [
        (
            str(seen.rule).removeprefix(f"{camera}-"),
            (seen.media_ns or 0) / 1e9,
            (_ruled_ns(seen) - seen.pts_ns - watched.late_ns.get(camera, 0.0)) / 1e6,
        )
        for seen in watched.observations
        if seen.source == camera and seen.phase in (Phase.BEGAN, Phase.INSTANT)
    ]


def _ruled_ns(seen: Observation) -> int:
    assert seen.stages.ruled_ns is not None
    return seen.stages.ruled_ns
