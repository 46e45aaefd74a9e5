"""Which blind time belongs to an alert."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from edgeguard.alerts.messages import Message, utc_ns_of
from edgeguard.clock import Clock
from edgeguard.coverage import Interval
from edgeguard.types import Alert, AlertState, BlindTime, Observation

_MOST_ALERTS = 10_000
_MOST_GAPS = 20


class Nearby:
    """The thread that keeps the book shows what it knows; the one that decides on alerts asks.

    Nearness is measured by the monotonic clock, so that a step of UTC neither hides a gap nor makes one.
    """

    def __init__(self, clock: Clock, within_s: float) -> None:
        self._clock = clock
        self._within_ns = round(within_s * 1e9)
        self._shown: tuple[int, tuple[Interval, ...]] | None = None
        self._began_ns: OrderedDict[str, int] = OrderedDict()
        """When each alert began (monotonic), by its id."""

    def show(self, offset_ns: int, intervals: Iterable[Interval]) -> None:
        """The blind time of late, by a clock that was `offset_ns` before the monotonic one."""
        self._shown = (offset_ns, tuple(intervals))

    def attach(self, alert: Alert, noticed: Observation | None) -> Alert:
        """The alert with the gaps of its sources that ended shortly before it began, or came since."""
        if self._shown is None:
            return alert
        sources = {alert.source, *(one.source for one in alert.joined)}
        blind = self._since(sources, self._began(alert, noticed), *self._shown)
        return replace(alert, blind=blind) if blind else alert

    def told(self, alert: Message) -> tuple[BlindTime, ...] | None:
        """The same for an alert of an earlier run, as it was told; None while nothing is known."""
        if self._shown is None:
            return None
        offset_ns, intervals = self._shown
        began_ns = utc_ns_of(alert["opened_at"]) - offset_ns
        sources = {alert["source"], *(one["source"] for one in alert.get("joined", ()))}
        return self._since(sources, began_ns, offset_ns, intervals)

    def _since(
        self, sources: set[str], began_ns: int, offset_ns: int, intervals: Iterable[Interval]
    ) -> tuple[BlindTime, ...]:
        begin_ns = began_ns - self._within_ns + offset_ns
        near = [
            one for one in intervals if one.source in sources and (not one.over or one.to_utc_ns >= begin_ns)
        ]
        near.sort(key=lambda one: one.from_utc_ns)
        step_ns = self._clock.utc_ns() - self._clock.monotonic_ns() - offset_ns
        return tuple(_told(one, step_ns) for one in near[-_MOST_GAPS:])

    def _began(self, alert: Alert, noticed: Observation | None) -> int:
        began_ns = self._began_ns.get(alert.alert_id)
        if began_ns is None:
            ago_ns = self._clock.utc_ns() - alert.opened_utc_ns
            opened = noticed is not None and alert.state is AlertState.OPENED
            began_ns = noticed.pts_ns if noticed and opened else self._clock.monotonic_ns() - ago_ns
            self._began_ns[alert.alert_id] = began_ns
            if len(self._began_ns) > _MOST_ALERTS:
                self._began_ns.popitem(last=False)
        return began_ns


def _told(one: Interval, step_ns: int) -> BlindTime:
    """`step_ns`: how far UTC was stepped since it was shown."""
    to_ns = one.to_utc_ns + step_ns if one.over else None
    return BlindTime(one.source, one.cause, one.from_utc_ns + step_ns, to_ns)
