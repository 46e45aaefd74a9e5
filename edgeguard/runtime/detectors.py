"""From a model's name to a detector that is ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgeguard.errors import ModelError
from edgeguard.models import Catalog, ModelStore, OnnxSession, Session
from edgeguard.vision.detector import Detector
from edgeguard.vision.motion import MotionDetector
from edgeguard.vision.nanodet import NanoDetDetector
from edgeguard.vision.yolox import YoloxDetector

_DECODERS: dict[str, Callable[..., Detector]] = {"yolox": YoloxDetector, "nanodet": NanoDetDetector}


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """Which detector, and how sure it must be."""

    model: str
    """Name in the catalog, or `motion`."""
    confidence: float
    iou: float
    classes: Sequence[str]
    threads: int


class DetectorLoader:
    """Builds detectors from installed models."""

    def __init__(self, catalog: Catalog, store: ModelStore) -> None:
        self._catalog = catalog
        self._store = store

    def load(self, choice: DetectorChoice) -> Detector:
        """Raises ModelError with the way to install what is missing."""
        if choice.model == "motion":
            return MotionDetector()
        card = self._catalog.card(choice.model)
        decoder = _DECODERS.get(card.decoding or "")
        if decoder is None:
            raise ModelError(
                f"{card.name} is no detector (its task is {card.task}); choose one of "
                f"`edgeguard models list --task detect`"
            )
        labels = self._store.labels(card)
        return decoder(
            self.session(card.name, choice.threads), labels, choice.confidence, choice.iou, choice.classes
        )

    def session(self, name: str, threads: int = 1) -> Session:
        """A session of the catalog's model `name`, verified before it is loaded."""
        card = self._catalog.card(name)
        path = self._store.path(card)
        return OnnxSession(path, card.name, card.file().digests, threads)
