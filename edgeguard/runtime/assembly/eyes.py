"""Which detectors look at which cameras."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Mapping, Sequence
from functools import partial

from edgeguard.config.cameras import Camera
from edgeguard.config.detector import Detector as DetectorSettings
from edgeguard.config.tracker import Tracker
from edgeguard.runtime.detectors import DetectorChoice, DetectorLoader
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.sight import Eye
from edgeguard.types import drill
from edgeguard.vision.motion import MotionDetector


class Optician:
    """Makes the eyes; one that stays keeps its part of health."""

    def __init__(self, loader: DetectorLoader, board: HealthBoard) -> None:
        self._loader = loader
        self._board = board
        self._parts: dict[Hashable, str] = {}

    def eyes(self, cameras: Mapping[str, Camera], tracker: Tracker) -> list[Eye]:
        """One eye for all cameras with the same detector settings."""
        by_settings: dict[DetectorSettings, list[str]] = {}
        for name, camera in cameras.items():
            by_settings.setdefault(camera.detector, []).append(name)
        by_key = {_key(settings, tracker): names for settings, names in by_settings.items()}
        self._parts = _parts(by_key, self._parts)
        return [self._eye(settings, tracker, names) for settings, names in by_settings.items()]

    def _eye(self, settings: DetectorSettings, tracker: Tracker, names: Sequence[str]) -> Eye:
        key = _key(settings, tracker)
        return Eye(
            cameras=frozenset(names),
            guests=drill.SOURCES.intersection(names),
            key=key,
            wanted=partial(self._loader.load, _choice(settings, tracker)),
            fallback=MotionDetector if settings.fallback == "motion" else None,
            part=self._board.part(self._parts[key]),
            lacking=partial(self._loader.lacking, settings.model),
            may_do_better=partial(self._loader.may_do_better, settings.model),
        )


def _key(settings: DetectorSettings, tracker: Tracker) -> Hashable:
    """What a detector is made by."""
    return settings, tracker.low_confidence


def _choice(settings: DetectorSettings, tracker: Tracker) -> DetectorChoice:
    """The tracker also wants to see what is too faint to begin a track."""
    floor = min(settings.confidence, tracker.low_confidence)
    return DetectorChoice(settings.model, floor, settings.iou, settings.classes, settings.threads)


def _parts(wanted: Mapping[Hashable, Sequence[str]], before: Mapping[Hashable, str]) -> dict[Hashable, str]:
    """A part of health for each detector, by key, given its cameras."""
    parts = {key: before[key] for key in wanted if key in before}
    for key, cameras in wanted.items():
        if key not in parts:
            plain = ["detector"] if len(wanted) == 1 else []
            names = [*plain, *(f"detector/{camera}" for camera in cameras)]
            more = (f"{names[0]}-{count}" for count in itertools.count(2))
            parts[key] = next(name for name in itertools.chain(names, more) if name not in parts.values())
    return parts
