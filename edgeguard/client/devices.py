"""What is known of each device: whether it is there, what is missing, how its clock was stepped."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from edgeguard.alerts.messages import Message
from edgeguard.client.news import GapChanged, News, PresenceChanged, Told, ToldUnknown
from edgeguard.client.presence import UNKNOWN, Presence
from edgeguard.client.ranges import Range
from edgeguard.client.sequence import Sequence

_HEARTBEATS = 3
_MOST_DEVICES = 20_000
_MOST_STEPS = 100
_LOOK_NS = 500_000_000


@dataclass(slots=True)
class _Device:
    presence: Presence
    sequence: Sequence
    shown: str = UNKNOWN
    steps: deque[tuple[str, int, float]] = field(default_factory=lambda: deque(maxlen=_MOST_STEPS))


class Devices:
    """All devices that were heard of; beyond twenty thousand the one longest unheard is forgotten."""

    def __init__(self, heartbeat_s: float, grace_s: float) -> None:
        self._silence_ns = round(_HEARTBEATS * heartbeat_s * 1e9)
        self._grace_ns = round(grace_s * 1e9)
        self._known: OrderedDict[tuple[str, str], _Device] = OrderedDict()
        self._next_look_ns = 0

    def take(self, told: Told | ToldUnknown, now_ns: int) -> list[News] | None:
        """Account for a message. Returns the news that follow from it; None for a will that comes too late to
        mean anything. Of a message that only a later version knows, only the number is read."""
        body = told.body
        one = self._device(body["site"], body["device"])
        if isinstance(told, Told) and told.name == "status":
            if not self._take_status(one, told, now_ns):
                return None
        elif not told.retained:
            one.presence.alive(now_ns)
        if isinstance(told, Told):
            self._count(one, told, now_ns)
        else:
            one.sequence.heard(body["seq"], now_ns)
        return list(self._show(body["site"], body["device"], one, now_ns))

    def look(self, now_ns: int) -> Iterator[News]:
        """What follows from time going by; looks once in half a second."""
        if now_ns < self._next_look_ns:
            return
        self._next_look_ns = now_ns + _LOOK_NS
        for (site, device), one in self._known.items():
            yield from self._show(site, device, one, now_ns)
            for gap in one.sequence.look(now_ns):
                yield GapChanged(site, device, gap)

    def listen_from(self, now_ns: int) -> None:
        """There is a connection again: silence counts from here."""
        for one in self._known.values():
            one.presence.alive(now_ns)

    def presence(self, site: str, device: str) -> str:
        """`online`, `stopped`, `offline` or `unknown`, as told last."""
        one = self._known.get((site, device))
        return one.shown if one else UNKNOWN

    def missing(self, site: str, device: str) -> list[Range]:
        """The gaps in the row of a device: first and last number of each."""
        one = self._known.get((site, device))
        return one.sequence.missing if one else []

    def step_ns(self, message: Message) -> int:
        """Nanoseconds by which the clock of the message's run was stepped after the message."""
        one = self._known.get((message["site"], message["device"]))
        seq = message.get("seq")
        if one is None or seq is None:
            return 0
        later = (step_ms for boot, at, step_ms in one.steps if boot == message["boot_id"] and at > seq)
        return round(sum(later) * 1e6)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Site and device of each that is known."""
        return iter(list(self._known))

    def __len__(self) -> int:
        return len(self._known)

    def _device(self, site: str, device: str) -> _Device:
        key = (site, device)
        if key not in self._known:
            self._known[key] = _Device(Presence(self._silence_ns), Sequence(self._grace_ns))
        self._known.move_to_end(key)
        if len(self._known) > _MOST_DEVICES:
            self._known.popitem(last=False)
        return self._known[key]

    def _take_status(self, one: _Device, told: Told, now_ns: int) -> bool:
        run = one.presence.boot_id
        if not one.presence.status(told.body, told.retained, now_ns):
            return False
        high = told.body["seq_high"]
        if run not in (None, told.body["boot_id"]) and high is not None and high < one.sequence.highest:
            one.sequence = Sequence(self._grace_ns)  # another box under the old name counts from the start
        return True

    def _count(self, one: _Device, told: Told, now_ns: int) -> None:
        body = told.body
        if body.get("seq") is not None:
            fresh = one.sequence.heard(body["seq"], now_ns)
            if told.name == "clock" and fresh:
                one.steps.append((body["boot_id"], body["seq"], body["step_ms"]))
        if body.get("seq_high") is not None and body["boot_id"] == one.presence.boot_id:
            one.sequence.told(body["seq_high"], now_ns)
        for numbers in body.get("unavailable", ()):
            one.sequence.explain(numbers["from_seq"], numbers["to_seq"], numbers["reason"])

    def _show(self, site: str, device: str, one: _Device, now_ns: int) -> Iterator[News]:
        state = one.presence.state(now_ns)
        if state != one.shown:
            one.shown = state
            yield PresenceChanged(site, device, state)
