"""What every detector offers, and a scripted one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from edgeguard.types import Detections, Frame, ModelRef


class Detector(Protocol):
    """Finds things in pictures; used by one thread."""

    labels: tuple[str, ...]
    """What a `class_id` means."""
    model: ModelRef

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """One answer per frame, most confident first, its boxes clipped to the frame.

        Frames may come from several cameras and in any number. ModelError if the backend fails.
        """

    def close(self) -> None:
        """Give memory back; nothing may be called after it."""


class FakeDetector:
    """Answers what `script` says about each frame, for tests, drills and development."""

    def __init__(self, labels: tuple[str, ...], script: Callable[[Frame], Detections]) -> None:
        self.labels = labels
        self.model = ModelRef("fake", None, "fake")
        self._script = script

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        return [clipped(self._script(frame), frame) for frame in frames]

    def close(self) -> None:
        """There is nothing to give back."""


def clipped(found: Detections, frame: Frame) -> Detections:
    """What of `found` lies in the frame, most confident first; boxes outside it are gone."""
    xyxy = np.clip(found.xyxy, 0, np.array([frame.width, frame.height] * 2, np.float32))
    inside = np.all(xyxy[:, 2:] > xyxy[:, :2], axis=1)
    order = np.argsort(-found.confidence, kind="stable")
    return Detections(xyxy, found.confidence, found.class_id)[order[inside[order]]]
