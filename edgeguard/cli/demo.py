"""`edgeguard demo`: watch a box see, hear, decide and tell."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from edgeguard.cli._output import fail
from edgeguard.cli._progress import progress
from edgeguard.cli.demo_rows import Summary
from edgeguard.cli.demo_run import Play, Tally, fresh_folder
from edgeguard.cli.demo_site import DemoSite, choose_site
from edgeguard.cli.demo_view import open_view
from edgeguard.config.environment import mirror_folder
from edgeguard.wording import counted

Seconds = Annotated[float, typer.Option(min=5, max=100, help="How long to watch.")]
Output = Annotated[Path, typer.Option("--output", metavar="DIR", help="Where pictures and messages go.")]
Scene = Annotated[bool, typer.Option("--scene", help="Drawn scenes, even where real clips are.")]


def demo(seconds: Seconds = 50.0, output: Output = Path("demo-output"), scene: Scene = False) -> None:
    """Run the real daemon on two cameras and a microphone against a real broker, and show what it tells.

    Real clips come from the folder in EDGEGUARD_MIRROR, or ../shared; without them two drawn scenes play.
    The last line is a JSON summary. Ends with 0 only if every alert that was committed was received.
    """
    folder = fresh_folder(output)
    with progress() as show:
        site = choose_site(mirror_folder(), folder, say, show, drawn=scene)
    say(f"Guarding {site.title} for {seconds:.0f} s. The daemon's log is {output / 'daemon.log'}.")
    with open_view(sys.stdout.isatty()) as view:
        tally = Play(site.config, folder, view).run(seconds)
    figures = summary(site, tally)
    view.show_summary(_shown(figures, tally, output))
    view.render_svg(output / "screen.svg")
    for name, part in tally.parts.items():
        if part["reason"]:
            say(f"{name} is {part['state']}: {part['reason']}")
    print(json.dumps(figures))
    if tally.lost or not tally.seqs:
        fail(f"lost {counted(tally.lost, 'alerts')}" if tally.lost else "no alert came")


def say(text: str) -> None:
    print(text, flush=True)


def summary(site: DemoSite, tally: Tally) -> dict[str, Any]:
    """The figures of one showing; latencies of opened alerts, from the frame's arrival to the subscriber."""
    return {
        "alerts_committed": tally.committed,
        "alerts_received": len(tally.seqs),
        "lost": tally.lost,
        "kinds": sorted(tally.kinds),
        "latency_p50_ms": _percentile(tally.latencies_ms, 50),
        "latency_p99_ms": _percentile(tally.latencies_ms, 99),
        "beyond_inference_p50_ms": _percentile(tally.beyond_inference_ms, 50),
        "beyond_inference_p99_ms": _percentile(tally.beyond_inference_ms, 99),
        "detector": tally.detector,
        "sources": len(site.config["cameras"]) + len(site.config["microphones"]),
    }


def _shown(figures: dict[str, Any], tally: Tally, output: Path) -> Summary:
    return Summary(
        alerts_by_kind=tally.kinds,
        latency_p50_ms=figures["latency_p50_ms"],
        latency_p99_ms=figures["latency_p99_ms"],
        committed=tally.committed,
        received=len(tally.seqs),
        folder=str(output),
    )


def _percentile(values: list[float], percent: float) -> float | None:
    return round(float(np.percentile(values, percent)), 1) if values else None
