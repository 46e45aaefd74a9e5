"""Heat and memory, as the health of the running service reads them."""

from __future__ import annotations

from pathlib import Path

from edgeguard.files import text_of
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning
from edgeguard.runtime.machine import NEAR_TRIP_C, SCARCE_MEMORY, look
from edgeguard.wording import counted


def thermal(root: Path = Path("/")) -> Finding:
    """The hottest zone against where the kernel acts, and whether the clocks were cut since the start."""
    reading = look(root, root)
    hottest = reading.hottest
    if hottest is None:
        return skipped("thermal", "the kernel tells no temperature here")
    said = f"{hottest.name} is the hottest, at {hottest.temperature_c:.0f} C"
    figures = {"temperature_c": hottest.temperature_c, "throttle_events": reading.throttled}
    for zone in reading.zones:
        if zone.trip_c is not None and zone.temperature_c >= zone.trip_c - NEAR_TRIP_C:
            return warning(
                "thermal",
                f"{zone.name} is at {zone.temperature_c:.0f} C, and the kernel acts at {zone.trip_c:.0f} C",
                "the box gets rid of too little heat: a fan that stands, dust, sun, a closed cabinet",
                "clean and check the fan, let air in, or choose a lower power mode",
                figures=figures,
            )
    if reading.throttled:
        return warning(
            "thermal",
            f"the clocks were cut {counted(reading.throttled, 'times')} since this box started",
            "too much heat, or a power supply that sags",
            "check the fan, and use the power supply that the module asks for",
            figures=figures,
        )
    return fine("thermal", said, figures=figures)


def memory(root: Path = Path("/")) -> Finding:
    """How much of it programs may still have."""
    share = look(root, root).memory_available
    if share is None:
        return skipped("memory", "the kernel does not tell how much memory there is")
    total = text_of(root / "proc/meminfo").partition("MemTotal:")[2].split()
    figures = {"available_share": share, "total_bytes": int(total[0]) * 1024 if total else None}
    said = f"{share:.0%} of the memory is available"
    if share >= SCARCE_MEMORY:
        return fine("memory", said, figures=figures)
    return fault(
        "memory",
        f"only {said}",
        "other programs hold it, or too many cameras and models are configured for this box",
        "look at `systemd-cgtop -m`; stop what is not needed (a desktop, for one), or use smaller models",
        figures=figures,
    )
