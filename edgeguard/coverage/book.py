"""From records to intervals of blind time.

Records are taken in the order in which they were written. A moment is a boot and its monotonic time, which
never steps; it becomes UTC by the newest record of that boot, so that a clock that was set right later sets
right what was written before. Intervals of one source never overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from edgeguard.coverage.placing import Interval, Moment, Span, placed
from edgeguard.coverage.records import Record, What


@dataclass(slots=True)
class _Watch:
    """`source` was to be watched."""

    source: str
    start: Moment
    end: Moment | None = None
    """None: it still is."""


@dataclass(frozen=True, slots=True)
class Change:
    """A source was lost or came back."""

    source: str
    cause: str
    """Why it is lost, or was until now."""
    since_ns: int
    """Monotonic: since when it is lost for any cause."""
    at_ns: int
    """Monotonic: since when it is so."""
    is_back: bool


@dataclass(slots=True)
class _Lost:
    cause: str
    start: Moment
    """Of this cause."""
    since_ns: int
    """Of the first cause of this loss."""


class Book:
    """What follows from the records so far; records before the first BEGIN tell nothing."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._sources: tuple[str, ...] = ()
        self._run = self._boot = ""
        self._last: Record | None = None
        self._offsets: dict[str, int] = {}
        self._spans: list[Span] = []
        self._watches: list[_Watch] = []
        self._known_from: Moment | None = None
        self._boot_began: Moment | None = None
        """As far as is known, which is later than it did; of the boots before, no time can be later."""
        self._forgotten_ns = 0
        self._forgotten: Moment | None = None
        """Before then nothing is known of the boots before, and of this one."""
        self._lost: dict[str, _Lost] = {}
        self._ends: dict[str, int] = {}
        """When each source came back last in this boot (monotonic)."""
        for record in records:
            self.take(record)

    @property
    def sources(self) -> tuple[str, ...]:
        """What is watched."""
        return self._sources

    @property
    def known_from_ns(self) -> int:
        """UTC since when the book tells; 0 while it is empty."""
        if self._known_from is None or self._boot_began is None:
            return 0
        boot_ns = self._utc(self._boot_began)
        known_ns = min(max(self._not_later(self._known_from), self._forgotten_ns), boot_ns)
        return known_ns if self._forgotten is None else max(known_ns, self._utc(self._forgotten))

    @property
    def offset_ns(self) -> int:
        """UTC minus monotonic in this boot, by the newest record."""
        return self._offsets.get(self._boot, 0)

    @property
    def lost(self) -> dict[str, tuple[str, int]]:
        """Cause and since when (monotonic, of that cause) for each source that is lost now."""
        return {name: (loss.cause, loss.start.mono_ns) for name, loss in self._lost.items()}

    def take(self, record: Record) -> Change | None:
        """What the record changes; None if that is nothing."""
        if not self._boot and record.what is not What.BEGIN:
            return None
        change = self._apply(record)
        self._offsets[self._boot] = record.utc_ns - record.mono_ns
        self._last = record
        return change

    def intervals(self) -> list[Interval]:
        """All of them, in the order of time for each source."""
        return self._intervals(self._spans)

    def latest(self, most: int) -> list[Interval]:
        """The `most` that were over last, and those that are not over."""
        return self._intervals(self._spans[-most:])

    def watched(self) -> list[tuple[str, int, int]]:
        """What was to be watched from when to when (UTC), blind or not."""
        return [
            (one.source, self._not_later(one.start), self._not_later(one.end or self._now()))
            for one in self._watches
        ]

    def forget_before(self, utc_ns: int) -> None:
        """Let go of what was over by then."""
        self._spans = [span for span in self._spans if self._utc(span.end) >= utc_ns]
        self._watches = [one for one in self._watches if one.end is None or self._utc(one.end) >= utc_ns]
        self._forgotten_ns, self._forgotten = utc_ns, Moment(self._boot, utc_ns - self.offset_ns)

    def _intervals(self, spans: list[Span]) -> list[Interval]:
        going_on = [Span(name, loss.cause, loss.start, self._now()) for name, loss in self._lost.items()]
        return placed(spans, going_on, self._utc)

    def _apply(self, record: Record) -> Change | None:
        match record.what:
            case What.BEGIN if record.run == self._run:
                self._agree(record)
            case What.BEGIN:
                self._begin(record)
            case What.LOST:
                return self._lose(record.source, record.cause, min(record.at_ns, record.mono_ns))
            case What.BACK:
                return self._recover(record.source, min(record.at_ns, record.mono_ns))
        return None

    def _begin(self, record: Record) -> None:
        if self._last is not None:
            self._bridge(record, self._last)
        self._watch_from(record, until=self._now())
        if record.boot != self._boot:
            self._boot_began = Moment(record.boot, record.mono_ns)
        self._ends = {}
        self._lost = {
            name: _Lost(cause, Moment(record.boot, at_ns), at_ns)
            for name, (cause, at_ns) in record.lost.items()
        }
        self._run, self._boot, self._sources = record.run, record.boot, record.sources

    def _watch_from(self, record: Record, until: Moment) -> None:
        """What is watched from now on, and what is not any more since `until`."""
        here = Moment(record.boot, record.mono_ns)
        for watch in self._watches:
            if watch.end is None and watch.source not in record.sources:
                watch.end = until
        watched = {watch.source for watch in self._watches if watch.end is None}
        new = [name for name in record.sources if name not in watched]
        self._watches += [_Watch(name, here) for name in new]
        self._known_from = self._known_from or here

    def _agree(self, record: Record) -> None:
        """A new file of the same run: no news, unless something was refused before it, or what is watched
        is other sources now."""
        for name in self._lost.keys() - record.lost.keys():
            self._recover(name, record.mono_ns)
        for name, (cause, at_ns) in record.lost.items():
            self._lose(name, cause, at_ns)
        self._watch_from(record, until=Moment(record.boot, record.mono_ns))
        self._sources = record.sources

    def _bridge(self, record: Record, last: Record) -> None:
        """Nobody watched from the last record of the run before to the first of this one."""
        before, here = self._now(), Moment(record.boot, record.mono_ns)
        for name, loss in self._lost.items():
            self._spans.append(Span(name, loss.cause, loss.start, before))
        died = last.what is not What.STOP
        cause = "power" if died and record.boot != self._boot else "restarted"
        self._spans += [Span(name, cause, before, here) for name in self._sources if name in record.sources]

    def _lose(self, source: str, cause: str, at_ns: int) -> Change | None:
        loss = self._lost.get(source)
        if loss is None:
            at_ns = max(at_ns, self._ends.get(source, at_ns))
            self._lost[source] = _Lost(cause, Moment(self._boot, at_ns), at_ns)
            return Change(source, cause, at_ns, at_ns, is_back=False)
        if cause in (loss.cause, "connecting"):
            return None
        moment = Moment(self._boot, max(at_ns, loss.start.mono_ns))
        self._spans.append(Span(source, loss.cause, loss.start, moment))
        self._lost[source] = _Lost(cause, moment, loss.since_ns)
        return Change(source, cause, loss.since_ns, moment.mono_ns, is_back=False)

    def _recover(self, source: str, at_ns: int) -> Change | None:
        loss = self._lost.pop(source, None)
        if loss is None:
            return None
        at_ns = max(at_ns, loss.start.mono_ns)
        self._spans.append(Span(source, loss.cause, loss.start, Moment(self._boot, at_ns)))
        self._ends[source] = at_ns
        return Change(source, loss.cause, loss.since_ns, at_ns, is_back=True)

    def _now(self) -> Moment:
        return Moment(self._boot, self._last.mono_ns if self._last else 0)

    def begin_again(self, record: Record) -> Record:
        """The BEGIN of a new file of this run at the time of `record`, from what was known before it."""
        return Record(
            What.BEGIN,
            record.utc_ns,
            record.mono_ns,
            run=self._run,
            boot=self._boot,
            sources=self._sources,
            lost=self.lost,
        )

    def _not_later(self, moment: Moment) -> int:
        """In UTC; of an earlier boot, whose clock may have been ahead, no later than this one began."""
        utc_ns = self._utc(moment)
        if moment.boot == self._boot or self._boot_began is None:
            return utc_ns
        return min(utc_ns, self._utc(self._boot_began))

    def _utc(self, moment: Moment) -> int:
        return moment.mono_ns + self._offsets[moment.boot]
