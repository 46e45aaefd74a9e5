"""How the box itself does, read from /sys and /proc: heat, throttling, power, memory, disk.

The places are those of Linux and of NVIDIA's kernels for Jetson; what a box has not is left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgeguard.files import places, text_of
from edgeguard.runtime.health import Part, State

NEAR_TRIP_C = 5.0
"""So close to where the kernel slows the box down, or stops it, is news."""
SCARCE_MEMORY = 0.05
"""A smaller share is too little, for health and for the doctor alike."""
_CUT_IS_NEWS_NS = 60_000_000_000
_GPU_LOADS = ("sys/devices/platform/gpu.0/load", "sys/class/devfreq/*gpu*/device/load")
_ALL_POWER = "VDD_IN"
"""The rail through which everything on the board gets its power."""
_MODE = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+?)\s*>")
_LIVE_TRIPS = ("passive", "hot", "critical")


@dataclass(frozen=True, slots=True)
class Zone:
    """One thermal zone."""

    name: str
    temperature_c: float
    trip_c: float | None
    """The lowest temperature at which the kernel will do something about it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the box."""

    zones: tuple[Zone, ...]
    throttled: int | None
    """Times that a Jetson's power or heat guard cut the clocks since it started."""
    power_mode: str | None
    """Of a Jetson: the name of the mode that nvpmodel stored, else its number."""
    power_w: float | None
    """What a Jetson's board draws in all, by its own meter."""
    gpu_load: float | None
    """0..1."""
    memory_available: float | None
    """Share of all memory that programs may still have, 0..1."""
    disk_free_bytes: int | None

    @property
    def hottest(self) -> Zone | None:
        return max(self.zones, key=lambda zone: zone.temperature_c, default=None)

    def values(self) -> dict[str, Any]:
        """What there is, under its names in health."""
        hottest = self.hottest
        found = {
            "temperature_c": hottest.temperature_c if hottest else None,
            "hottest": hottest.name if hottest else None,
            "throttle_events": self.throttled,
            "power_mode": self.power_mode,
            "power_w": self.power_w,
            "gpu_load": self.gpu_load,
            "memory_available": self.memory_available,
            "disk_free_bytes": self.disk_free_bytes,
        }
        return {name: value for name, value in found.items() if value is not None}


def look(state_dir: Path, root: Path = Path("/")) -> Reading:
    """Read everything once; never raises."""
    events = [_number(path) for path in places(root, "sys/class/hwmon/hwmon*/oc*_event_cnt")]
    counted = [event for event in events if event is not None]
    loads = (_number(path) for pattern in _GPU_LOADS for path in places(root, pattern))
    load = next((load for load in loads if load is not None), None)
    return Reading(
        zones=tuple(_zones(root)),
        throttled=sum(counted) if counted else None,
        power_mode=_power_mode(root),
        power_w=_power_w(root),
        gpu_load=None if load is None else load / 1000,
        memory_available=_memory(root),
        disk_free_bytes=_disk(state_dir),
    )


class BoxWatch:
    """Keeps the part `box` of the health report true; a full disk is told by those who write to it."""

    def __init__(self, part: Part, state_dir: Path, root: Path = Path("/")) -> None:
        self._part = part
        self._state_dir = state_dir
        self._root = root
        self._throttled: int | None = None
        self._cut_ns: int | None = None

    def refresh(self) -> None:
        reading = look(self._state_dir, self._root)
        self._part.note(**reading.values())
        now_ns = self._part.clock.monotonic_ns()
        if self._throttled is not None and (reading.throttled or 0) > self._throttled:
            self._cut_ns = now_ns
        self._throttled = reading.throttled
        worries = dict(self._worries(reading, now_ns))
        code = next(iter(worries.values()), None)
        self._part.set(State.DEGRADED if worries else State.OK, "; ".join(worries) or None, code)

    def _worries(self, reading: Reading, now_ns: int) -> Iterator[tuple[str, str]]:
        """In words, and in one word."""
        for zone in reading.zones:
            if zone.trip_c is not None and zone.temperature_c >= zone.trip_c - NEAR_TRIP_C:
                yield f"{zone.name} is at {zone.temperature_c:.0f} C, the limit is {zone.trip_c:.0f} C", "hot"
        if self._cut_ns is not None and now_ns - self._cut_ns < _CUT_IS_NEWS_NS:
            yield "the clocks are being cut, by heat or by too little power", "throttled"
        if reading.memory_available is not None and reading.memory_available < SCARCE_MEMORY:
            yield f"{reading.memory_available:.0%} of the memory is left", "memory_scarce"


def _zones(root: Path) -> Iterator[Zone]:
    for folder in places(root, "sys/class/thermal/thermal_zone*"):
        milli = _number(folder / "temp")
        if milli is not None and milli > -40_000:  # zones that are switched off say -256 C
            yield Zone(text_of(folder / "type") or folder.name, milli / 1000, _lowest_trip(folder))


def _lowest_trip(folder: Path) -> float | None:
    trips = [
        number / 1000
        for path in places(folder, "trip_point_*_type")
        if text_of(path) in _LIVE_TRIPS
        and (number := _number(path.with_name(path.name.replace("_type", "_temp")))) is not None
        and number > 0
    ]
    return min(trips, default=None)


def _power_mode(root: Path) -> str | None:
    stored = text_of(root / "var/lib/nvpmodel/status").removeprefix("pmode:")
    names = dict(_MODE.findall(text_of(root / "etc/nvpmodel.conf")))
    return names.get(stored.lstrip("0") or "0", stored) if stored else None


def _power_w(root: Path) -> float | None:
    """Volts times amperes of the INA3221 meter's channel for the whole board."""
    for label in places(root, "sys/class/hwmon/hwmon*/in*_label"):
        if text_of(label) == _ALL_POWER:
            channel = label.name.removeprefix("in").removesuffix("_label")
            milli_v = _number(label.with_name(f"in{channel}_input"))
            milli_a = _number(label.with_name(f"curr{channel}_input"))
            if milli_v is not None and milli_a is not None:
                return round(milli_v * milli_a / 1e6, 2)
    return None


def _memory(root: Path) -> float | None:
    fields = dict(line.split(":", 1) for line in text_of(root / "proc/meminfo").splitlines() if ":" in line)
    with suppress(KeyError, ValueError, ZeroDivisionError, IndexError):
        available, total = (int(fields[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
        return round(available / total, 3)
    return None


def _disk(folder: Path) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


def _number(path: Path) -> int | None:
    try:
        return int(text_of(path))
    except ValueError:
        return None
