"""Where pictures wait until an alert may want one as its evidence."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from edgeguard.types import Frame, Tracks

_NEAR_NS = 10_000_000_000
"""How far a picture may be from what it shall prove; a sound is told some seconds after it began."""

_RENEWED_NS = 2_000_000_000
"""How old the newest picture may be where each one costs a copy from the GPU."""


@dataclass(frozen=True, slots=True)
class View:
    """An analysed frame with what was seen in it."""

    frame: Frame
    tracks: Tracks


class Shelf:
    """Per camera the newest view, and the last few in which a rule noticed something."""

    def __init__(self, noticed: int = 8, beside: Collection[str] = ()) -> None:
        """`beside` are the cameras whose pictures go with what a microphone hears, at any moment."""
        self._noticed = noticed
        self._beside = frozenset(beside)
        self._newest: dict[str, View] = {}
        self._kept: dict[str, OrderedDict[int, View]] = {}
        self._lock = threading.Lock()

    def refit(self, beside: Collection[str], anew: Collection[str]) -> None:
        """Other cameras go with what is heard; pictures of those that begin anew are let go."""
        with self._lock:
            self._beside = frozenset(beside)
            for camera in anew:
                self._newest.pop(camera, None)
                self._kept.pop(camera, None)

    def put(self, view: View, keep: bool) -> None:
        source = view.frame.source
        with self._lock:
            self._newest[source] = view
            if keep:
                kept = self._kept.setdefault(source, OrderedDict())
                kept[view.frame.sequence] = view
                while len(kept) > self._noticed:
                    kept.popitem(last=False)

    def wants(self, frame: Frame) -> bool:
        """Whether a picture in which nobody noticed anything is worth a copy, as a sound may ask for it."""
        if frame.source not in self._beside:
            return False
        with self._lock:
            newest = self._newest.get(frame.source)
        return newest is None or not 0 <= frame.pts_ns - newest.frame.pts_ns < _RENEWED_NS

    def find(self, source: str, sequence: int | None, pts_ns: int) -> View | None:
        """That frame of that camera if it still lies here, else its newest if that is near `pts_ns`."""
        with self._lock:
            kept = self._kept.get(source)
            exact = kept.get(sequence) if kept and sequence is not None else None
            newest = self._newest.get(source)
        if exact is not None or newest is None:
            return exact
        return newest if abs(newest.frame.pts_ns - pts_ns) <= _NEAR_NS else None
