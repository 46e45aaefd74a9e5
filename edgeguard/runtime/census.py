"""When the counts of a camera are told: on change, at most once a second, and zero when it sees nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from edgeguard.clock import Clock
from edgeguard.types import Counts

_EVERY_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is known of a camera beforehand."""

    zones: tuple[str, ...]
    silent_s: float
    """After so long without a picture nobody knows what is there, and nothing is counted."""


@dataclass(slots=True)
class _Camera:
    silent_ns: int
    looked_ns: int
    counts: Counts
    told: Counts | None = None
    told_ns: int = 0


class Census:
    """The newest counts of each camera, on their way to `tell`; owned by the vision thread.

    At first nothing is counted, and told: what an earlier run left at the broker is out of date. What `tell`
    has no room for is offered again, or what is newer by then.
    """

    def __init__(self, outlooks: Mapping[str, Outlook], tell: Callable[[Counts], bool], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        self._cameras = {name: self._camera(name, outlook) for name, outlook in outlooks.items()}

    def refit(self, outlooks: Mapping[str, Outlook], anew: Collection[str]) -> None:
        """Count these cameras from now on; `anew` are those of which nothing is known any more."""
        self._end([camera for name, camera in self._cameras.items() if name not in outlooks])
        self._cameras = {
            name: self._camera(name, outlook)
            if name in anew or name not in self._cameras
            else self._cameras[name]
            for name, outlook in outlooks.items()
        }

    def _camera(self, name: str, outlook: Outlook) -> _Camera:
        nothing = Counts(name, zones={zone: {} for zone in outlook.zones})
        return _Camera(round(outlook.silent_s * 1e9), self._clock.monotonic_ns(), nothing)

    def saw(self, counts: Counts) -> None:
        """The counts of a picture that came just now."""
        camera = self._cameras[counts.source]
        camera.counts, camera.looked_ns = counts, self._clock.monotonic_ns()

    def tell_news(self) -> None:
        """Tell what has changed and is due."""
        now_ns = self._clock.monotonic_ns()
        for camera in self._cameras.values():
            if now_ns - camera.looked_ns > camera.silent_ns:
                camera.counts = _nothing(camera.counts)
            if camera.counts != camera.told and (camera.told is None or now_ns - camera.told_ns >= _EVERY_NS):
                self._offer(camera, now_ns)

    def end(self) -> None:
        """Nobody looks any more."""
        self._end(self._cameras.values())

    def _end(self, cameras: Iterable[_Camera]) -> None:
        for camera in cameras:
            camera.counts = _nothing(camera.counts)
            if camera.counts != camera.told:
                self._offer(camera, self._clock.monotonic_ns())

    def _offer(self, camera: _Camera, now_ns: int) -> None:
        if self._tell(camera.counts):
            camera.told, camera.told_ns = camera.counts, now_ns


def _nothing(counts: Counts) -> Counts:
    return Counts(counts.source, zones={zone: {} for zone in counts.zones})
