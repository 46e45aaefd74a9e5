"""The camera and the microphone of the drill: they rest until one is held, and play it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edgeguard.audio.source import RATE_HZ
from edgeguard.clock import Clock
from edgeguard.runtime.drill_book import DrillBook
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.sources import Source, Timed
from edgeguard.synth import Scene
from edgeguard.types import Observation, Tracks

_RESTING = ("no drill is held now", "resting")
T = TypeVar("T", bound=Timed)


class DrillSource(Generic[T]):
    """Opens `source` for each drill. `prepare` gets ready what it needs, `forget` lets go of it."""

    def __init__(
        self,
        source: Source[T],
        prepare: Callable[[], object],
        forget: Callable[[], object],
        book: DrillBook,
        part: Part,
        clock: Clock,
        wait: Callable[[float], object],
    ) -> None:
        self.name = source.name
        self._source = source
        self._prepare = prepare
        self._forget = forget
        self._book = book
        self._part = part
        self._clock = clock
        self._wait = wait
        self._playing = self._prepared = False
        part.set(State.OFF, *_RESTING)

    def open(self) -> None:
        self._rest()

    def read(self, timeout_s: float) -> T | None:
        if self._book.wants(self.name):
            self._prepare()
            self._prepared = True
            self._book.ready(self.name, self._clock.monotonic_ns())
        if not self._book.plays(self._clock.monotonic_ns()):
            if not self._book.waits:
                self._rest()
            self._wait(timeout_s)
            return None
        if not self._playing:
            self._playing = True
            self._source.open()
        value = self._source.read(timeout_s)
        if value is not None:
            self._book.took(self.name, self._clock.monotonic_ns())
        return value

    def close(self) -> None:
        self._rest()

    def _rest(self) -> None:
        if self._playing:
            self._playing = False
            self._source.close()
        if self._prepared:
            self._prepared = False
            self._forget()
        self._part.set(State.OFF, *_RESTING)


class LazyScene:
    """A scene that is drawn and composed when it is asked for, and forgotten after that."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._scene: Scene | None = None

    def picture(self, t_s: float) -> NDArray[np.uint8]:
        return self._opened.picture(t_s)

    def sound(self, start_sample: int, count: int, rate_hz: int = RATE_HZ) -> NDArray[np.float32]:
        return self._opened.sound(start_sample, count, rate_hz)

    def forget(self) -> None:
        self._scene = None

    @property
    def _opened(self) -> Scene:
        if self._scene is None:
            self._scene = Scene.open(self._url)
        return self._scene


class Onlooker:
    """A rule that notices nothing, and takes down that pictures of the drill were analysed."""

    name = "drill-onlooker"

    def __init__(self, source: str, book: DrillBook, clock: Clock) -> None:
        self._source = source
        self._book = book
        self._clock = clock

    def update(self, tracks: Tracks) -> list[Observation]:
        self._book.looked(self._source, self._clock.monotonic_ns(), len(tracks))
        return []
