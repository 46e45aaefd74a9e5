"""Drawn scenes as cameras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.anchor import Anchor
from edgeguard.clock import Clock
from edgeguard.errors import SourceError
from edgeguard.types import Frame, PixelFormat


class Drawing(Protocol):
    """A scene that can be drawn at any time."""

    def picture(self, t_s: float) -> NDArray[np.uint8]:
        """(h, w, 3) BGR at `t_s` seconds after the scene's start."""


class SceneFrameSource:
    """Draws a scene at `fps`, in real time (skipping what it missed) or as fast as it is read."""

    def __init__(
        self,
        name: str,
        drawing: Drawing,
        clock: Clock,
        fps: float,
        wait: Callable[[float], object],
        *,
        realtime: bool = True,
    ) -> None:
        self.name = name
        self._drawing = drawing
        self._clock = clock
        self._interval_ns = round(1e9 / fps)
        self._wait = wait
        self._realtime = realtime
        self._sequence = 0
        self._anchor: Anchor | None = None

    def open(self) -> None:
        self._anchor = Anchor(self._clock, live=False)
        self._start_ns = self._clock.monotonic_ns()
        self._tick = 0

    def read(self, timeout_s: float) -> Frame | None:
        if self._anchor is None:
            raise SourceError(f"camera {self.name} is not open")
        if self._realtime and not self._wait_for_tick(timeout_s):
            return None
        media_ns = self._tick * self._interval_ns
        self._tick += 1
        picture = self._drawing.picture(media_ns / 1e9)
        return self._frame(self._anchor, media_ns, picture)

    def close(self) -> None:
        self._anchor = None

    def counters(self) -> dict[str, int | float | str]:
        return {}

    def _wait_for_tick(self, timeout_s: float) -> bool:
        elapsed_ns = self._clock.monotonic_ns() - self._start_ns
        self._tick = max(self._tick, elapsed_ns // self._interval_ns)
        wait_s = (self._tick * self._interval_ns - elapsed_ns) / 1e9
        self._wait(min(max(wait_s, 0.0), timeout_s))
        return wait_s <= timeout_s

    def _frame(self, anchor: Anchor, media_ns: int, picture: NDArray[np.uint8]) -> Frame:
        times = anchor.stamp(media_ns)
        sequence, self._sequence = self._sequence, self._sequence + 1
        height, width = picture.shape[:2]
        return Frame(
            source=self.name,
            sequence=sequence,
            pts_ns=times.pts_ns,
            utc_ns=times.utc_ns,
            arrived_ns=times.arrived_ns,
            width=width,
            height=height,
            format=PixelFormat.BGR,
            planes=(picture,),
            media_ns=media_ns,
        )
