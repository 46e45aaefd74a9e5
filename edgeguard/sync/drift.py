"""Whether one microphone keeps in time with one camera, told with hysteresis."""

from __future__ import annotations

from collections import deque
from statistics import median

from edgeguard.sync.offset import Offset, estimate
from edgeguard.sync.onsets import Onsets
from edgeguard.sync.track import STEP_NS, Track
from edgeguard.types import AudioChunk, Measure, Observation, Phase

DRIFT = "sync_drift"
REACH_MS = 3000
"""Offsets up to here are found."""
_WINDOW = 120_000_000_000 // STEP_NS
_REACH = REACH_MS * 1_000_000 // STEP_NS
_LATE = 5_000_000_000 // STEP_NS
"""Pictures may be looked at so much later than the sound is heard."""
_AGREE_MS = 200
_CLAIMS = 3
_STALE = 1_800_000_000_000 // STEP_NS
_EASE = 0.8
"""A drift is over below this share of the limit."""


class SyncCheck:
    """Lays motion beside onsets, two minutes at a time; three that agree within half an hour are believed.

    It keeps little more than two minutes of both, and nothing grows. `saw` and `heard` are for one thread.
    """

    def __init__(
        self, camera: str, microphone: str, limit_ms: int, offset_ms: tuple[int, int] = (0, 0)
    ) -> None:
        """`offset_ms` are those by which the camera's and the microphone's times are known to be late."""
        self.offset_ms: int | None = None
        """By how much the sound is later than the picture; None as long as nobody knows."""
        self.quality: float | None = None
        """Of the last claim."""
        self.drifting = False
        self._camera, self._microphone = camera, microphone
        self._limit_ms = limit_ms
        self._seen_late_ns, self._heard_late_ns = (late * 1_000_000 for late in offset_ms)
        self._motion = Track(_WINDOW + _REACH + _LATE)
        self._sound = Track(_WINDOW + _REACH + _LATE)
        self._onsets = Onsets()
        self._claims: deque[tuple[int, Offset]] = deque(maxlen=_CLAIMS)
        self._next: int | None = None

    def saw(self, start_ns: int, end_ns: int, motion: float) -> None:
        """How much the picture changed between two times (monotonic)."""
        self._motion.put(start_ns - self._seen_late_ns, end_ns - self._seen_late_ns, motion)

    def heard(self, chunk: AudioChunk) -> list[Observation]:
        """A drift that begins or ends, as far as this chunk tells."""
        for start_ns, end_ns, rise in self._onsets.accept(chunk):
            self._sound.put(start_ns - self._heard_late_ns, end_ns - self._heard_late_ns, rise)
        end = self._sound.end
        if end is None:
            return []
        if self._next is None or not -_WINDOW <= end - self._next < _WINDOW:
            self._next = end + _WINDOW
        if end < self._next:
            return []
        self._next = end + _WINDOW
        return self._judge(end - _LATE, chunk)

    def _judge(self, end: int, chunk: AudioChunk) -> list[Observation]:
        motion, sound = self._motion.window(end, _WINDOW), self._sound.window(end, _WINDOW)
        claim = estimate(motion, sound, _REACH)
        if claim is None:
            return []
        self._claims.append((end, claim))
        self.quality = claim.quality
        offsets = [one.offset_ms for at, one in self._claims if end - at <= _STALE]
        if len(offsets) < _CLAIMS or max(offsets) - min(offsets) > _AGREE_MS:
            return []
        self.offset_ms = round(median(offsets))
        limit_ms = self._limit_ms * (_EASE if self.drifting else 1)
        if (abs(self.offset_ms) > limit_ms) is self.drifting:
            return []
        self.drifting = not self.drifting
        return [self._observe(chunk, self.offset_ms, limit_ms, claim.quality)]

    def _observe(self, chunk: AudioChunk, offset_ms: int, limit_ms: float, quality: float) -> Observation:
        return Observation(
            kind=DRIFT,
            source=self._microphone,
            pts_ns=chunk.end_ns,
            utc_ns=chunk.utc_ns + chunk.duration_ns,
            confidence=1.0,
            phase=Phase.BEGAN if self.drifting else Phase.ENDED,
            key=self._camera,
            label=self._camera,
            measures=(
                Measure("offset_ms", offset_ms),
                Measure("apart_ms", abs(offset_ms), ">=" if self.drifting else "<=", round(limit_ms)),
                Measure("quality", quality),
            ),
            sequence=chunk.sequence,
        )
