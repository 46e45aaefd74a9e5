"""The thread of one camera or microphone: read, hand over, count, and say when it is blind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.runtime.bookmark import HeardBeforeError
from edgeguard.runtime.coverage import Coverage, NoCoverage
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.pace import Pace
from edgeguard.runtime.stage import RETRY_S, STEP_S, Stage

SILENT_S = 5.0
_COUNT_NS = 1_000_000_000


class Timed(Protocol):
    """A frame or a chunk."""

    @property
    def utc_ns(self) -> int: ...


T = TypeVar("T", bound=Timed)
T_co = TypeVar("T_co", covariant=True, bound=Timed)
T_in = TypeVar("T_in", contravariant=True)


class Source(Protocol[T_co]):
    """A camera or a microphone."""

    name: str

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> T_co | None: ...

    def close(self) -> None: ...


class Inlet(Protocol[T_in]):
    """What values go into: a channel, or something before it."""

    def put(self, value: T_in, timeout_s: float | None = None) -> bool:
        """Hand over a value; False if it was not taken, and may be offered again."""


class SourceStage(Stage, Generic[T]):
    """Reads one source into a channel; a file may be played again and again.

    A channel that waits is full while a file is read faster than it is analysed: the value is held then, and
    offered again at the next step. A source that gives nothing for `silent_s` is blind, whatever it says.
    """

    def __init__(
        self,
        name: str,
        source: Source[T],
        out: Inlet[T],
        part: Part,
        *,
        loop: bool = False,
        coverage: Coverage | None = None,
        silent_s: float = SILENT_S,
        retry_s: Sequence[float] = RETRY_S,
        counters: Callable[[], Mapping[str, object]] | None = None,
        shortfall: Callable[[], str | None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        """`counters` is what the source tells of itself; `shortfall` why it is degraded though it gives.

        `pace` is for what happens now; a file may be read as slowly as it is dealt with.
        """
        if pace is not None:
            part.expect(pace)
        self._shortfall = shortfall
        self.name = name
        self.retry_s = retry_s
        self._counters = counters
        self._counted_ns = 0
        self._source = source
        self._out = out
        self._part = part
        self._loop = loop
        self._coverage = coverage or NoCoverage()
        self._silent_ns = round(silent_s * 1e9)
        self._gave_ns: int | None = None
        """When it gave something last, since it was opened."""
        self._given = 0
        self._held: T | None = None

    def open(self) -> None:
        self._gave_ns = None
        self._blind("connecting")
        self._begin()

    def step(self) -> None:
        self._count()
        if self._held is None:
            self._held = self._read()
        if self._held is not None and self._out.put(self._held, STEP_S):
            self._given_one(self._held)
            self._held = None

    def close(self) -> None:
        self._held = None
        self._source.close()

    def _count(self) -> None:
        now_ns = self._part.clock.monotonic_ns()
        if self._counters is not None and now_ns - self._counted_ns >= _COUNT_NS:
            self._counted_ns = now_ns
            self._part.note(**self._counters())

    def _begin(self) -> None:
        self._given = 0
        try:
            self._source.open()
        except Exception as error:
            self._blind(cause_of(error))
            raise

    def _read(self) -> T | None:
        try:
            value = self._source.read(STEP_S)
        except EndOfStreamError as end:
            self._at_end(end)
            return None
        except Exception as error:
            self._blind(cause_of(error))
            raise
        self._watch_silence(value)
        return value

    def _watch_silence(self, value: T | None) -> None:
        now_ns = self._part.clock.monotonic_ns()
        if self._gave_ns is not None and now_ns - self._gave_ns > self._silent_ns:
            self._blind("stalled")
        if value is not None:
            self._gave_ns = now_ns
            self._coverage.back(self._source.name, now_ns)

    def _blind(self, cause: str) -> None:
        now_ns = self._part.clock.monotonic_ns()
        self._coverage.lost(self._source.name, cause, now_ns if self._gave_ns is None else self._gave_ns)

    def _given_one(self, value: T) -> None:
        if self._given == 0:
            self._part.note(first_utc_ns=value.utc_ns)
        self._given += 1
        self._part.worked()
        shortfall = self._shortfall()
        self._part.set(State.OK if shortfall is None else State.DEGRADED, shortfall, "overloaded")
        self._gave_ns = self._part.clock.monotonic_ns()

    def _at_end(self, end: EndOfStreamError) -> None:
        if self._given == 0 and not isinstance(end, HeardBeforeError):
            self._blind("broken")
            raise SourceError(f"{self._source.name} ended before it gave anything")
        if not self._loop:
            self._blind("ended")
            raise EndOfStreamError("played to its end")
        self._begin()


def cause_of(error: BaseException) -> str:
    """The word for it, as the source's error says; `broken` where it says none."""
    return str(getattr(error, "cause", None) or "broken")
