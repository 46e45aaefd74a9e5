"""The thread that keeps the book of blind time."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo

from edgeguard.clock import Clock
from edgeguard.coverage import Book, Change, Interval, Ledger, Record, What, blind_s, day_of, read
from edgeguard.errors import StorageError
from edgeguard.runtime.blindness import Blindness, BlindRule
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.coverage import Notice, Notices
from edgeguard.runtime.dailies import Dailies
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.heed import Heed, Unheeded
from edgeguard.runtime.nearby import Nearby
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.types import Observation

_BEAT_NS = 30_000_000_000
_SUM_NS = 5_000_000_000
_SUM_SHARE = 50
"""Of the time, a fiftieth at most goes into sums, however often sources come and go."""
_KEPT_NS = 2 * 86_400_000_000_000
"""What is summed while running; the disk has the rest."""
_LATEST = 500
"""Gaps of late, of all sources, that alerts may be near."""


class CoverageStage(Stage):
    """Writes the ledger, tells the alerts thread what was lost and came back, and sums up for health.

    At the start every source is lost (`connecting`), and whatever the run before watched was not watched in
    between. A disk that refuses turns this part's health; the book goes on in memory meanwhile.
    """

    name = "coverage"

    def __init__(
        self,
        notices: Notices,
        observations: Channel[Observation],
        blindness: Blindness,
        ledger: Ledger,
        parts: Mapping[str, Part],
        part: Part,
        clock: Clock,
        zone: tzinfo,
        boot: str,
        unheeded: Unheeded = dict,
        nearby: Nearby | None = None,
        dailies: Dailies | None = None,
    ) -> None:
        """`nearby` is shown what was blind of late, `dailies` tells of the days that are over."""
        self._notices = notices
        self._observations = observations
        self._blindness = blindness
        self._ledger = ledger
        self._parts = parts
        self._part = part
        self._clock = clock
        self._zone = zone
        self._boot = boot
        self._run = str(uuid.uuid4())
        self._book = Book()
        self._begun = self._refused = False
        self._beat_ns = self._sum_ns = self._sum_took_ns = 0
        self._heed = Heed(parts, unheeded)
        self._nearby = nearby
        self._dailies = dailies

    def open(self) -> None:
        if self._begun:
            if not self._refused:
                self._part.set(State.OK)  # nothing may be written for a while that would say so
            return
        try:
            self._book = Book(read(self._ledger.folder))
        except StorageError as error:
            self._part.set(State.DEGRADED, f"earlier blind time is unknown: {error}", code_of(error))
        self._begun = True
        first = self._first()
        self._book.take(first)
        self._blindness.begin(first.sources, first.mono_ns)
        self._write(first)
        self._show()
        if self._dailies is not None:
            self._dailies.open()

    def step(self) -> None:
        notice = self._notices.waiting.get(STEP_S)
        now_ns = self._clock.monotonic_ns()
        news = [] if notice is None else [self._heed.joined(notice)]
        for each in [*news, *self._heed.tick(now_ns)]:
            self._note(each)
        self._tell(self._blindness.tick(now_ns, self._clock.utc_ns()))
        if self._dailies is not None:
            self._dailies.tick(self._book, now_ns, self._clock.utc_ns())
        if now_ns - self._beat_ns >= _BEAT_NS:
            self._beat_ns = now_ns
            self._keep(self._record(What.BEAT))
            if self._dailies is None or self._dailies.has_looked:
                self._book.forget_before(self._clock.utc_ns() - _KEPT_NS)
        if now_ns - self._sum_ns >= (_SUM_NS if notice is None else _SUM_SHARE * self._sum_took_ns):
            self._sum_up()
            self._sum_ns, self._sum_took_ns = now_ns, self._clock.monotonic_ns() - now_ns

    def finish(self) -> None:
        for notice in self._notices.waiting.get_all(0):
            self._note(self._heed.joined(notice))
        self._keep(self._record(What.STOP))

    def refit(self, parts: Mapping[str, Part], rules: Sequence[BlindRule], clips: frozenset[str]) -> None:
        """Keep the book of these sources from now on, by these rules. For its own thread."""
        for notice in self._notices.waiting.get_all(0):
            self._note(self._heed.joined(notice))
        come, gone = sorted(parts.keys() - self._parts.keys()), self._parts.keys() - parts.keys()
        self._parts = parts
        self._heed.refit(come, gone)
        self._blindness.refit(rules, clips, come, sorted(gone), self._clock.monotonic_ns())
        if self._begun and (come or gone):
            self._begin_with_other_sources(come, gone)

    @property
    def idle(self) -> bool:
        return not len(self._notices.waiting)

    def _begin_with_other_sources(self, come: Collection[str], gone: Collection[str]) -> None:
        now = self._record(What.BEAT)
        before = self._book.begin_again(now)
        lost = {name: loss for name, loss in before.lost.items() if name not in gone}
        lost |= dict.fromkeys(come, ("connecting", now.mono_ns))
        self._book.take(replace(before, sources=tuple(self._parts), lost=lost))
        self._write(now)
        self._show()

    def _first(self) -> Record:
        utc_ns, now_ns = self._clock.utc_ns(), self._clock.monotonic_ns()
        lost = dict.fromkeys(self._parts, ("connecting", now_ns))
        sources = tuple(self._parts)
        return Record(What.BEGIN, utc_ns, now_ns, run=self._run, boot=self._boot, sources=sources, lost=lost)

    def _note(self, notice: Notice) -> None:
        what = What.LOST if notice.cause else What.BACK
        change = self._keep(self._record(what, notice))
        if change is not None:
            self._show()
            self._tell(self._blindness.take(change, self._clock.monotonic_ns(), self._clock.utc_ns()))

    def _record(self, what: What, notice: Notice | None = None) -> Record:
        utc_ns, now_ns = self._clock.utc_ns(), self._clock.monotonic_ns()
        if notice is None:
            return Record(what, utc_ns, now_ns)
        return Record(what, utc_ns, now_ns, notice.source, notice.cause or "", notice.at_ns)

    def _keep(self, record: Record) -> Change | None:
        """Take it into the book, and write it down unless it is no news."""
        afresh = self._book.begin_again(record)
        change = self._book.take(record)
        if change is not None or record.what in (What.BEAT, What.STOP):
            self._write(record, afresh)
        return change

    def _write(self, record: Record, afresh: Record | None = None) -> None:
        """What the disk refused is made up for by a new beginning, as soon as it takes one."""
        try:
            if afresh is None or self._refused:
                self._ledger.begin(self._book.begin_again(record))
            else:
                self._ledger.write(record, afresh)
        except StorageError as error:
            self._refused = True
            self._part.set(State.DEGRADED, f"blind time is not written down: {error}", code_of(error))
        else:
            self._refused = False
            self._part.set(State.OK)

    def _show(self) -> None:
        if self._nearby is not None:
            self._nearby.show(self._book.offset_ns, self._book.latest(_LATEST))

    def _tell(self, noticed: Sequence[Observation]) -> None:
        for observation in noticed:
            self._observations.put(observation)

    def _sum_up(self) -> None:
        """Seconds of today, by the calendar of the site, for every source and for all together."""
        now_ns = self._clock.utc_ns()
        today = blind_s(self._intervals(), day_of(now_ns, self._zone), self._zone)
        lost = self._book.lost
        for name, part in self._parts.items():
            blind = round(sum(today.get(name, {}).values()), 1)
            part.note(blind_s_today=blind, blind=lost[name][0] if name in lost else "no")
        every = sum(sum(causes.values()) for causes in today.values())
        unheard = sum(self._notices.waiting.drops().values())
        self._part.note(blind_s_today=round(every, 1), blind_now=len(lost), notices_lost=unheard)
        self._show()

    def _intervals(self) -> list[Interval]:
        """Up to now."""
        book = self._book
        book.take(self._record(What.BEAT))
        return book.intervals()
