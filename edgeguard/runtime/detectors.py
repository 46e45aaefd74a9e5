"""From a model's name to a detector that is ready: on an engine where there is one, else on the CPU."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import ModelError
from edgeguard.models import Catalog, ModelCard, ModelStore, OnnxSession, Session
from edgeguard.models.engines.fleet import Fleet
from edgeguard.models.exported import Exported, find_exported
from edgeguard.vision.compact import CompactDetector
from edgeguard.vision.detector import Detector
from edgeguard.vision.motion import MotionDetector
from edgeguard.vision.nanodet import NanoDetDetector
from edgeguard.vision.network import NetworkDetector
from edgeguard.vision.yolox import YoloxDetector

log = logging.getLogger(__name__)

_DECODERS: dict[str, Callable[..., NetworkDetector]] = {
    "yolox": YoloxDetector,
    "nanodet": NanoDetDetector,
    "compact": CompactDetector,
}


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

    def __init__(self, catalog: Catalog, store: ModelStore, fleet: Fleet | None = None) -> None:
        self._catalog = catalog
        self._store = store
        self._fleet = fleet or Fleet(store.root)
        self._lacking: dict[str, str] = {}
        self._through_host: dict[str, str] = {}
        """Why the engine of a model does not take pictures where they lie on the GPU."""
        self.cubins = Cubins(store.root / "kernels")
        self.ledger = Ledger()
        """What the detectors on the GPU moved."""

    def load(self, choice: DetectorChoice) -> Detector:
        """Raises ModelError with the way to install what is missing."""
        if choice.model == "motion":
            return MotionDetector()
        card = self._catalog.card(choice.model)
        if card.decoding not in _DECODERS:
            raise ModelError(
                f"{card.name} is no detector (its task is {card.task}); choose one of "
                f"`edgeguard models list --task detect`"
            )
        exported = find_exported(self._store, card)
        if exported.decoding not in _DECODERS:
            raise ModelError(f"the card of {card.name} asks for the unknown decoding {exported.decoding!r}")
        session = self._engine(exported) or self._on_cpu(card, exported, choice.threads)
        decoder = _DECODERS[exported.decoding]
        if exported.decoding == "compact":
            decoder = partial(decoder, spec=exported.input)
        detector = decoder(session, exported.labels, choice.confidence, choice.iou, choice.classes)
        self._fill_on_device(detector, exported.name)
        return detector

    def lacking(self, model: str) -> str | None:
        """Why the detector loaded last runs on the CPU, or through it, though it should not; else None."""
        return self._lacking.get(model) or self._through_host.get(model)

    def may_do_better(self, model: str) -> bool:
        """Whether an engine seems to be there now; if not, the reason is brought up to date."""
        if model not in self._lacking:
            return False
        try:
            fault = self._fleet.lacking(find_exported(self._store, self._catalog.card(model)))
        except ModelError as error:
            fault = str(error)
        if fault is not None:
            self._lacking[model] = fault
        return fault is None

    def session(self, name: str, threads: int = 1) -> Session:
        """A session of the catalog's model `name` on the CPU, verified before it is loaded."""
        card = self._catalog.card(name)
        path = self._store.path(card)
        return OnnxSession(path, card.name, card.file().digests, threads)

    def _fill_on_device(self, detector: NetworkDetector, model: str) -> None:
        """An engine takes pictures where they lie; without the kernel they come through the host."""
        self._through_host.pop(model, None)
        try:
            detector.fill_on_device(self.cubins, self.ledger)
        except GpuLostError:
            raise
        except ModelError as error:
            self._through_host[model] = f"pictures go through the host to {detector.model.name}: {error}"
            log.warning("%s", self._through_host[model])

    def _engine(self, exported: Exported) -> Session | None:
        """None, with the reason kept, if the CPU must do."""
        said = self._lacking.pop(exported.name, None)
        try:
            return self._fleet.load(exported)
        except ModelError as error:
            self._lacking[exported.name] = str(error)
            if str(error) != said:
                log.warning("%s", error)
            return None

    def _on_cpu(self, card: ModelCard, exported: Exported, threads: int) -> Session:
        if exported.decoding == card.decoding:
            return self.session(card.name, threads)
        plain = exported.variants["fp32"]
        return OnnxSession(plain.path, exported.name, {plain.sha256}, threads)
