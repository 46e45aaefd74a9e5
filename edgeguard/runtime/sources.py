"""The thread of one camera or microphone: read, hand over, count."""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.stage import STEP_S, Stage


class Timed(Protocol):
    """A frame or a chunk."""

    @property
    def utc_ns(self) -> int: ...


T = TypeVar("T", bound=Timed)
T_co = TypeVar("T_co", covariant=True, bound=Timed)


class Source(Protocol[T_co]):
    """A camera or a microphone."""

    name: str

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> T_co | None: ...

    def close(self) -> None: ...


class SourceStage(Stage, Generic[T]):
    """Reads one source into a channel; a file may be played again and again.

    A channel that waits is full while a file is read faster than it is analysed: the value is held then, and
    offered again at the next step.
    """

    def __init__(
        self, name: str, source: Source[T], out: Channel[T], part: Part, *, loop: bool = False
    ) -> None:
        self.name = name
        self._source = source
        self._out = out
        self._part = part
        self._loop = loop
        self._given = 0
        self._held: T | None = None

    def open(self) -> None:
        self._given = 0
        self._source.open()

    def step(self) -> None:
        if self._held is None:
            self._held = self._read()
        if self._held is not None and self._out.put(self._held, STEP_S):
            self._given_one(self._held)
            self._held = None

    def close(self) -> None:
        self._held = None
        self._source.close()

    def _read(self) -> T | None:
        try:
            return self._source.read(STEP_S)
        except EndOfStreamError:
            self._at_end()
            return None

    def _given_one(self, value: T) -> None:
        if self._given == 0:
            self._part.note(first_utc_ns=value.utc_ns)
        self._given += 1
        self._part.worked()
        self._part.set(State.OK)

    def _at_end(self) -> None:
        if self._given == 0:
            raise SourceError(f"{self._source.name} ended before it gave anything")
        if not self._loop:
            raise EndOfStreamError("played to its end")
        self.open()
