"""What the vision thread sees move and the hearing thread hears begin, brought together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import Part
from edgeguard.sync import SyncCheck
from edgeguard.types import AudioChunk, Frame, Observation
from edgeguard.vision.change import Change

log = logging.getLogger(__name__)

_WAITING = 600
"""Changes of a picture that wait for the next sound: some seconds, of the fastest camera."""

Moved = tuple[int, int, float]


@dataclass(frozen=True, slots=True)
class Pair:
    """A microphone and the camera beside it; `part` is the microphone's."""

    camera: str
    microphone: str
    check: SyncCheck
    part: Part
    moved: Channel[Moved] = field(default_factory=lambda: Channel(_WAITING))


class Syncing:
    """Of all pairs: `saw` is for the vision thread, `heard` for the hearing thread; neither raises."""

    def __init__(self, pairs: Sequence[Pair] = ()) -> None:
        self.pairs = tuple(pairs)
        self._by_camera: dict[str, list[Pair]] = {}
        self._by_microphone = {pair.microphone: pair for pair in pairs}
        for pair in pairs:
            self._by_camera.setdefault(pair.camera, []).append(pair)
        self._changes = {camera: Change() for camera in self._by_camera}
        self._broken: set[str] = set()

    def saw(self, frame: Frame, to_host: Callable[[Frame], Frame]) -> None:
        """Note how much this frame changed; a camera without a microphone costs nothing.

        `to_host` copies a frame that lies on the GPU.
        """
        if (change := self._changes.get(frame.source)) is None:
            return
        try:
            moved = change.update(to_host(frame))
        except Exception as error:  # must not cost the analysis of the picture
            self._fail(frame.source, error)
            return
        if moved is not None:
            for pair in self._by_camera[frame.source]:
                pair.moved.put(moved)

    def heard(self, chunk: AudioChunk) -> list[Observation]:
        """A drift that begins or ends."""
        pair = self._by_microphone.get(chunk.source)
        if pair is None:
            return []
        try:
            return _compare(pair, chunk)
        except Exception as error:  # must not cost what is said
            self._fail(chunk.source, error)
            return []

    def drift(self, microphone: str) -> str | None:
        """What is wrong now, for health."""
        pair = self._by_microphone.get(microphone)
        if pair is None or not pair.check.drifting or pair.check.offset_ms is None:
            return None
        offset_ms = pair.check.offset_ms
        order = "behind" if offset_ms > 0 else "before"
        return f"{abs(offset_ms)} ms {order} the picture of {pair.camera}"

    def _fail(self, source: str, error: Exception) -> None:
        if source not in self._broken:
            self._broken.add(source)
            log.error("%s cannot be compared with what belongs to it", source, exc_info=error)


def _compare(pair: Pair, chunk: AudioChunk) -> list[Observation]:
    check = pair.check
    for start_ns, end_ns, energy in pair.moved.get_all(0):
        check.saw(start_ns, end_ns, energy)
    noticed = check.heard(chunk)
    if check.offset_ms is not None:
        pair.part.note(sync_offset_ms=check.offset_ms)
    if check.quality is not None:
        pair.part.note(sync_quality=check.quality)
    return noticed
