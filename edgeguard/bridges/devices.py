"""What is known of each device: its run, whether it is there, its health, its counts, its clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator

from edgeguard.bridges.bridge import Message, unix
from edgeguard.client.presence import Presence
from edgeguard.clock import Clock

_MOST_DEVICES = 10_000
_MOST_SOURCES = 256
_RATE_OVER_S = 5.0
"""Losses per second are measured over at least so long."""


class Device:
    """One device. What an earlier run of it left at the broker is not believed."""

    def __init__(self, site: str, name: str, clock: Clock, silent_s: float) -> None:
        self.site = site
        self.name = name
        self.version: str | None = None
        self.started_at: str | None = None
        self.health: Message | None = None
        self.counts: dict[str, Message] = {}
        """By camera."""
        self.skipped_per_s: dict[str, float] = {}
        """Pictures of each camera that were not looked at."""
        self._clock = clock
        self._presence = Presence(round(silent_s * 1e9))
        self._ahead_s = 0.0
        self._replaced: tuple[float, dict[str, float]] | None = None

    @property
    def state(self) -> str:
        """`online`, `stopped`, `offline`, or `unknown`: it was online, and is silent since."""
        return self._presence.state(self._clock.monotonic_ns())

    def age_s(self, time: str) -> float:
        """How long ago `time`, said by this device, is; by its own clock where that is known."""
        return self._clock.utc_ns() / 1e9 + self._ahead_s - unix(time)

    @property
    def cameras(self) -> dict[str, Message]:
        """Part of the health of each camera."""
        return self._parts("camera/")

    @property
    def microphones(self) -> dict[str, Message]:
        return self._parts("microphone/")

    def take(self, name: str, body: Message, live: bool) -> None:
        """A `status`, `health` or `counts` message. Raises ValueError for a time that is none."""
        said = None if body["at"] is None else unix(body["at"])
        if name == "status":
            self._take_status(body, live)
        elif self._is_of_this_run(body):
            self._take_live_state(name, body)
        if live and said is not None:
            self._ahead_s = said - self._clock.utc_ns() / 1e9
            self._presence.alive(self._clock.monotonic_ns())

    def _take_status(self, body: Message, live: bool) -> None:
        before = self._presence.boot_id
        if not self._presence.status(body, not live, self._clock.monotonic_ns()):
            return
        if body["boot_id"] != before:
            self._begin_run(body["boot_id"])
        self.version, self.started_at = body["version"], body["started_at"]

    def _begin_run(self, boot_id: str) -> None:
        self._replaced = None
        self.skipped_per_s = {}
        if self.health is not None and self.health["boot_id"] != boot_id:
            self.health = None
        self.counts = {name: body for name, body in self.counts.items() if body["boot_id"] == boot_id}

    def _is_of_this_run(self, body: Message) -> bool:
        return self._presence.boot_id in (None, body["boot_id"])

    def _take_live_state(self, name: str, body: Message) -> None:
        if name == "health" and body["seq"] is None:
            self.health = body
            self._measure_losses(unix(body["at"]))
        elif name == "counts" and (body["source"] in self.counts or len(self.counts) < _MOST_SOURCES):
            self.counts[body["source"]] = body

    def _measure_losses(self, at_s: float) -> None:
        now = {name: _number(part["counters"].get("frames_replaced")) for name, part in self.cameras.items()}
        if self._replaced is None:
            self._replaced = at_s, now
            return
        before_s, before = self._replaced
        if at_s - before_s >= _RATE_OVER_S:
            lost = {name: count - before[name] for name, count in now.items() if name in before}
            self.skipped_per_s = {name: max(0.0, n / (at_s - before_s)) for name, n in lost.items()}
            self._replaced = at_s, now
        elif at_s < before_s:
            self._replaced = at_s, now

    def _parts(self, kind: str) -> dict[str, Message]:
        parts = {} if self.health is None else self.health["parts"]
        found = ((name[len(kind) :], part) for name, part in parts.items() if name.startswith(kind))
        return dict(list(found)[:_MOST_SOURCES])


class Devices:
    """Every device that was heard of, the newest if there are too many."""

    def __init__(self, clock: Clock, silent_s: float) -> None:
        self._clock = clock
        self._silent_s = silent_s
        self._devices: OrderedDict[tuple[str, str], Device] = OrderedDict()

    def __iter__(self) -> Iterator[Device]:
        return iter(list(self._devices.values()))

    def __len__(self) -> int:
        return len(self._devices)

    def of(self, body: Message) -> Device:
        """The one that said `body`."""
        key = (body["site"], body["device"])
        if key not in self._devices:
            self._devices[key] = Device(*key, self._clock, self._silent_s)
            if len(self._devices) > _MOST_DEVICES:
                self._devices.popitem(last=False)
        self._devices.move_to_end(key)
        return self._devices[key]


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
