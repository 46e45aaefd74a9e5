"""The door between a camera's thread and the vision thread."""

from __future__ import annotations

from edgeguard.runtime.channel import Channel
from edgeguard.runtime.pacing import Pacer
from edgeguard.types import Frame


class Admission:
    """Takes every frame, and lets those into the channel that the pacer admits."""

    def __init__(self, frames: Channel[Frame], pacer: Pacer) -> None:
        self._frames = frames
        self._pacer = pacer
        self._refused: Frame | None = None
        """Admitted before, when the channel was full."""

    def put(self, value: Frame, timeout_s: float | None = None) -> bool:
        """False if the channel was full: offer the frame again."""
        if value is not self._refused and not self._pacer.admits(value):
            return True
        taken = self._frames.put(value, timeout_s)
        self._refused = None if taken else value
        return taken
