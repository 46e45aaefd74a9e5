"""What gives way when there is more to look at than the machine can, and how often it did."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from edgeguard.clock import Clock
from edgeguard.types import Frame, Showing

TOO_MUCH = 0.95
"""Share of its time that the vision thread may be busy before something gives way."""
ROOM = 0.75
"""Share below which something is given back: 15 % more at a time, which never is too much at once."""
_DOWN, _UP = 0.75, 1.15
_CALM_WINDOWS = 2
"""So many windows with room in a row, before anything is given back."""
_WINDOW_NS = 2_000_000_000
_JUDGED_NS = 10_000_000_000
_ENOUGH = 0.8
"""Share of the pictures that a camera's analysis may lack without a word."""
_JITTER_NS = 2_000_000


@dataclass(frozen=True, slots=True)
class Wish:
    """What a camera should get."""

    fps: float
    floor_fps: float
    """No less than this while others can give way, and never less by this policy."""
    rank: int
    """The lowest give way first, and get back last."""


class Allowance:
    """How often each camera is analysed: its wish, or less while there is too much to do.

    One step a window: all cameras of the lowest rank that is not at its floor yet lose a quarter; with room,
    those of the highest rank that was cut gain 15 %.
    """

    def __init__(self, wishes: Mapping[str, Wish]) -> None:
        self._wishes = wishes
        self._calm = 0
        self.fps = {name: wish.fps for name, wish in wishes.items()}

    def adapt(self, load: float) -> None:
        """Take note of how busy the vision thread was in the window that ended, 0 to 1."""
        self._calm = self._calm + 1 if load < ROOM else 0
        if load > TOO_MUCH:
            self._lower()
        elif self._calm >= _CALM_WINDOWS:
            self._calm = 0
            self._raise()

    def _lower(self) -> None:
        above = [name for name, wish in self._wishes.items() if self.fps[name] > _floor(wish)]
        first = min((self._wishes[name].rank for name in above), default=0)
        for name in above:
            if self._wishes[name].rank == first:
                self.fps[name] = max(_floor(self._wishes[name]), self.fps[name] * _DOWN)

    def _raise(self) -> None:
        cut = [name for name, wish in self._wishes.items() if self.fps[name] < wish.fps]
        first = max((self._wishes[name].rank for name in cut), default=0)
        for name in cut:
            if self._wishes[name].rank == first:
                self.fps[name] = min(self._wishes[name].fps, self.fps[name] * _UP)


def _floor(wish: Wish) -> float:
    return min(wish.floor_fps, wish.fps)


@dataclass(slots=True)
class _Lane:
    """One camera's way past the pacer."""

    due_ns: int | None = None
    skipped: int = 0
    offered: int = 0
    looked: int = 0
    """Both since the last judgement."""
    shortfall: str | None = None


class Pacer:
    """Keeps each camera to its allowance; asked by the cameras' threads, told by the vision thread.

    Cameras that are not in `wishes` are none of its business.
    """

    def __init__(self, wishes: Mapping[str, Wish], clock: Clock) -> None:
        self._wishes = wishes
        self._clock = clock
        self._allowance = Allowance(wishes)
        self._lanes = {name: _Lane() for name in wishes}
        self._lock = threading.Lock()
        self._busy_ns = 0
        self._window_ns = self._judged_ns = clock.monotonic_ns()

    def refit(self, wishes: Mapping[str, Wish]) -> None:
        """Keep to other wishes from now on; a camera whose wish stays the same keeps its allowance."""
        with self._lock:
            allowance = Allowance(wishes)
            same = [name for name, wish in wishes.items() if self._wishes.get(name) == wish]
            allowance.fps.update({name: self._allowance.fps[name] for name in same})
            self._lanes = {name: self._lanes.get(name) or _Lane() for name in wishes}
            self._wishes, self._allowance = wishes, allowance

    def admits(self, frame: Frame) -> bool:
        """Whether this frame is to be looked at. One that was asked for by the gate always is."""
        with self._lock:
            wish = self._wishes.get(frame.source)
            if wish is None:
                return True
            lane, fps = self._lanes[frame.source], self._allowance.fps[frame.source]
            lane.offered += 1
            if frame.showing is not Showing.LIVE or fps >= wish.fps or _is_due(lane, frame.pts_ns, fps):
                return True
            lane.skipped += 1
            return False

    def looked(self, sources: Iterable[str], busy_ns: int) -> None:
        """These were analysed, which took so long."""
        with self._lock:
            mine = [source for source in sources if source in self._lanes]
            for source in mine:
                self._lanes[source].looked += 1
            self._busy_ns += busy_ns if mine else 0

    def tick(self) -> None:
        """Adapt once a window is over; call it often."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            window_ns = now_ns - self._window_ns
            if window_ns >= _WINDOW_NS:
                self._allowance.adapt(self._busy_ns / window_ns)
                self._busy_ns, self._window_ns = 0, now_ns
            if now_ns - self._judged_ns >= _JUDGED_NS:
                self._judge((now_ns - self._judged_ns) / 1e9)
                self._judged_ns = now_ns

    def shortfall(self, camera: str) -> str | None:
        """Why the camera is watched less than it should be, with numbers; None if it is not."""
        lane = self._lanes.get(camera)
        return lane.shortfall if lane else None

    def counters(self, camera: str) -> dict[str, int | float]:
        """For health."""
        with self._lock:
            lane = self._lanes.get(camera)
            if lane is None:
                return {}
            return {"frames_overload": lane.skipped, "analyse_fps": round(self._allowance.fps[camera], 2)}

    def _judge(self, seconds: float) -> None:
        for lane in self._lanes.values():
            short = lane.looked < _ENOUGH * lane.offered - 1
            lane.shortfall = (
                f"analysed {lane.looked / seconds:.1f} times a second instead of "
                f"{lane.offered / seconds:.1f}: there is more to look at than this machine can"
                if short
                else None
            )
            lane.offered = lane.looked = 0


def _is_due(lane: _Lane, pts_ns: int, fps: float) -> bool:
    """Whether the camera's next turn has come; frames that come too often wait for it."""
    period_ns = round(1e9 / fps)
    due_ns = lane.due_ns
    if due_ns is None or not -2 * period_ns < pts_ns - due_ns < 2 * period_ns:
        due_ns = pts_ns  # the first one, or its times have jumped
    if pts_ns < due_ns - _JITTER_NS:
        return False
    lane.due_ns = due_ns + period_ns
    return True
