"""What vision tells the gate of one camera."""

from __future__ import annotations

import threading
from collections.abc import Callable

from edgeguard.runtime.sources import Inlet
from edgeguard.types import Detections, Frame, Showing
from edgeguard.vision.attention import Attention


class Doorkeeper:
    """Tells the gate of each picture whether it has news, and keeps the tracker from glances that have.

    The gate opens upon such a glance, and gives all pictures from before it on, in order, with the glance.
    """

    def __init__(self, attention: Attention, tell: Callable[[int, bool], None]) -> None:
        """`tell` takes a frame's sequence and whether it has news."""
        self._attention = attention
        self._tell = tell

    def withholds(self, frame: Frame, detections: Detections) -> bool:
        """Whether this picture is to be left alone for now."""
        news = self._attention.news(detections)
        self._tell(frame.sequence, news)
        return news and frame.showing is Showing.GLANCE


class Lockstep:
    """Before a clip that is read as fast as it can be: it is read no further until a glance is answered.

    In real time the answer comes a moment later; a clip would be seconds further by then.
    """

    def __init__(
        self, onward: Inlet[Frame], tell: Callable[[int, bool], None], patience_s: float = 10.0
    ) -> None:
        self._onward = onward
        self._tell = tell
        self._patience_s = patience_s
        self._answered = threading.Event()

    def put(self, value: Frame, timeout_s: float | None = None) -> bool:
        """As the inlet does, and then wait for the answer."""
        self._answered.clear()
        if not self._onward.put(value, timeout_s):
            return False
        if value.showing is Showing.GLANCE:
            self._answered.wait(self._patience_s)
        return True

    def tell(self, sequence: int, news: bool) -> None:
        """Pass an answer on to the gate."""
        self._tell(sequence, news)
        self._answered.set()
