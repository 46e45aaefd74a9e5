"""Where pictures wait until an alert may want one as its evidence."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from edgeguard.types import Frame, Tracks

_NEAR_NS = 10_000_000_000
"""How far a picture may be from what it shall prove; a sound is told some seconds after it began."""


@dataclass(frozen=True, slots=True)
class View:
    """An analysed frame with what was seen in it."""

    frame: Frame
    tracks: Tracks


class Shelf:
    """Per camera the newest view, and the last few in which a rule noticed something."""

    def __init__(self, noticed: int = 8) -> None:
        self._noticed = noticed
        self._newest: dict[str, View] = {}
        self._kept: dict[str, OrderedDict[int, View]] = {}
        self._lock = threading.Lock()

    def put(self, view: View, keep: bool) -> None:
        source = view.frame.source
        with self._lock:
            self._newest[source] = view
            if keep:
                kept = self._kept.setdefault(source, OrderedDict())
                kept[view.frame.sequence] = view
                while len(kept) > self._noticed:
                    kept.popitem(last=False)

    def find(self, source: str, sequence: int | None, pts_ns: int) -> View | None:
        """That frame of that camera if it still lies here, else its newest if that is near `pts_ns`."""
        with self._lock:
            kept = self._kept.get(source)
            exact = kept.get(sequence) if kept and sequence is not None else None
            newest = self._newest.get(source)
        if exact is not None or newest is None:
            return exact
        return newest if abs(newest.frame.pts_ns - pts_ns) <= _NEAR_NS else None
