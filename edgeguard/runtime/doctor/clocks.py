"""Whether the times in alerts will be right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from edgeguard.clock import Clock, is_synchronised
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning

CHECK = "clock"
_PLAUSIBLE = datetime(2025, 1, 1, tzinfo=timezone.utc)


def clocks(
    clock: Clock, root: Path = Path("/"), synchronised: Callable[[], bool | None] = is_synchronised
) -> Iterator[Finding]:
    """UTC itself, whether somebody keeps it right, and whether it survives a power cut."""
    now = datetime.fromtimestamp(clock.utc_ns() / 1e9, timezone.utc)
    if now < _PLAUSIBLE:
        yield fault(
            CHECK,
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, which is long past",
            "it was never set since the power came: no time server was reached, and no battery keeps it",
            "let the box reach a time server (chrony or systemd-timesyncd), or set it with `date -s`",
        )
        return
    yield _kept(synchronised(), now)
    if not any((root / "sys/class/rtc").glob("rtc*")):
        yield warning(
            "rtc",
            "no clock of this box goes on without power",
            "it has none, or its driver is not loaded",
            "fit a battery if the board has a place for one; else times are wrong after a power cut until a "
            "time server answers",
        )


def _kept(synchronised: bool | None, now: datetime) -> Finding:
    if synchronised is None:
        return skipped(CHECK, "the kernel does not tell whether the clock is synchronised")
    if synchronised:
        return fine(CHECK, f"synchronised, {now:%Y-%m-%d %H:%M} UTC")
    return warning(
        CHECK,
        "the clock is not synchronised: alerts say so of their times",
        "no time server was reached yet, or none is configured",
        "sudo timedatectl set-ntp true, or point chrony to a server that this box may reach",
    )
