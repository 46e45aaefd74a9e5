"""Which models a configuration asks for, and where they lie."""

from __future__ import annotations

from edgeguard.config import Config
from edgeguard.config.labels import MOTION
from edgeguard.models import ModelStore, default_root


def store_of(config: Config) -> ModelStore:
    """Raises ModelError if the machine's store, where none is named, is closed to us."""
    return ModelStore(config.models.dir or default_root(), config.models.mirrors)


def detectors_of(config: Config) -> set[str]:
    """Models of the cameras that are enabled; motion needs none."""
    return {camera.detector.model for camera in config.cameras.values() if camera.enabled} - {MOTION}
