"""`edgeguard doctor`: checks of this box, with what is missing, why, and how to have it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from edgeguard import __version__, gst
from edgeguard.cli._output import Json, fail
from edgeguard.clock import SystemClock
from edgeguard.config.environment import stand_in_for_systemd
from edgeguard.errors import DependencyError
from edgeguard.runtime.assembly.doctoring import admit, checks
from edgeguard.runtime.doctor import Check, Finding, Verdict, examine, healthy
from edgeguard.runtime.doctor.zero_copy import on_gpu, zero_copy
from edgeguard.wording import counted

_INSTALLED = Path("/etc/edgeguard/edgeguard.yaml")
_COLOURS = {
    Verdict.OK: "green",
    Verdict.WARNING: "yellow",
    Verdict.FAULT: "red",
    Verdict.SKIPPED: "bright_black",
}


def doctor(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[CONFIG]",
            help="The configuration, by default the installed one; with --zero-copy a camera's URL.",
        ),
    ] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what is safe: rights of secrets, the missing state folder.")
    ] = False,
    snapshots: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep a picture of each camera there, masked.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="CHECK", help="Only this check; may be repeated.")
    ] = None,
    only_zero_copy: Annotated[
        bool, typer.Option("--zero-copy", help="Check that pictures stay on the GPU from decoder to model.")
    ] = False,
    frames: Annotated[int, typer.Option(min=1, max=100_000, help="Frames to read with --zero-copy.")] = 300,
    as_json: Json = False,
) -> None:
    """Check this box and what CONFIG asks of it; ends with 1 if something needed does not work.

    Cameras and microphones are opened, the broker is asked what it lets this device do. The guard may run
    meanwhile: what it holds is not taken from it.
    """
    if only_zero_copy:
        _zero_copy(target, frames, as_json)
        return
    with suppress(DependencyError):  # the checks that need it say so
        gst.start()  # on this thread, before any check
    asked = _asked(target, snapshots, only or [])
    found = _shown(examine(asked, SystemClock(), fix=fix), as_json, healthy)
    if not healthy(found):
        faults = sum(finding.verdict is Verdict.FAULT for finding in found)
        fail(f"{counted(faults, 'faults')}: see above")


def _asked(target: str | None, snapshots: Path | None, only: list[str]) -> list[Check]:
    config_file = Path(target) if target else _INSTALLED if _INSTALLED.exists() else None
    if config_file is not None and config_file.absolute().parent == _INSTALLED.parent:
        stand_in_for_systemd(config_file)
    patient = admit(config_file, SystemClock(), snapshots)
    every = checks(patient)
    known = dict.fromkeys(name for check in every for name in (check.name, *check.also))
    unknown = set(only) - set(known)
    if unknown:
        where = "while the configuration is refused" if patient.refusal else "here"
        fail(f"there is no check {', '.join(sorted(unknown))} {where}, only {', '.join(known)}", 2)
    return [check for check in every if not only or {check.name, *check.also} & set(only)]


def _zero_copy(url: str | None, frames: int, as_json: bool) -> None:
    found = _shown(zero_copy(url, SystemClock(), frames), as_json, on_gpu)
    if not on_gpu(found):
        fail("pictures do not stay on the GPU here: they are decoded through the CPU's memory")


def _shown(
    findings: Iterable[Finding], as_json: bool, judge: Callable[[list[Finding]], bool]
) -> list[Finding]:
    """Each as it comes, or all in one JSON document."""
    if not as_json:
        found = list(_told(findings))
        counts = Counter(finding.verdict for finding in found)
        print(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]))
        return found
    found = list(findings)
    good = judge(found)
    report = {
        "schema": "edgeguard.doctor.v1",
        "version": __version__,
        "ok": good,
        "checks": [finding.as_json() for finding in found],
    }
    print(json.dumps(report, indent=2, ensure_ascii=False))
    return found


def _told(findings: Iterable[Finding]) -> Iterator[Finding]:
    for finding in findings:
        _show(finding)
        yield finding


def _show(finding: Finding) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    about = f" {_plain(finding.about)}:" if finding.about else ""
    console.print(f"{finding.verdict.value:<8}", style=_COLOURS[finding.verdict], end="")
    console.print(f" {finding.check:<14}{about} {_plain(finding.said)}")
    for name, text in (("mended", finding.mended), ("cause", finding.cause), ("fix", finding.fix)):
        if text:
            console.print(f"{'':<9}{name}: {_plain(text)}")
    for name, figure in finding.figures.items():
        console.print(f"{'':<9}{name}: {_plain(str(figure))}", style="bright_black")


def _plain(text: str) -> str:
    """What a camera or a broker said commands no terminal."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
