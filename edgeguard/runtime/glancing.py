"""What vision tells the gate of one camera."""

from __future__ import annotations

from collections.abc import Callable

from edgeguard.types import Detections, Frame, Showing
from edgeguard.vision.attention import Attention


class Doorkeeper:
    """Tells the gate of each picture whether it has news, and keeps the tracker from glances that have.

    The gate opens upon such a glance, and gives all pictures from before it on, in order, and the glance again.
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
