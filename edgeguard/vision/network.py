"""What detectors with a neural network share: frames in, boxes in frame pixels out."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import ConfigError, ModelError
from edgeguard.models import DeviceEngine, Outputs, Session, as_engine
from edgeguard.types import Detections, Frame
from edgeguard.vision.detector import clipped
from edgeguard.vision.filling import DeviceFilling, Filling, HostFilling
from edgeguard.vision.letterbox import Letterbox, Transform
from edgeguard.vision.nms import nms

TOP_K = 1000
"""Boxes are decoded and compared for no more than so many candidates."""


class NetworkDetector(ABC):
    """Letterboxes frames into the network's one input, runs it, decodes, suppresses doubles.

    `classes` limits what is reported to these of `labels`. ConfigError for an unknown one; ModelError if
    the network does not take pictures of one fixed size.
    """

    def __init__(
        self,
        session: Session,
        labels: tuple[str, ...],
        confidence: float,
        iou: float,
        classes: Sequence[str] | None,
    ) -> None:
        self.labels = labels
        self.model = session.model
        self.confidence = confidence
        self.iou = iou
        self._session = session
        self._wanted = _wanted(labels, classes)
        self._tensor, batch, self.height_px, self.width_px = picture_input(session)
        self._letterbox = self._make_letterbox()
        self._engine = as_engine(session, batch)
        self._batch = self._engine.max_batch
        self._filling: Filling = HostFilling(self._letterbox, self._engine, self._tensor)

    @property
    def takes_device_frames(self) -> bool:
        """Whether frames may lie on the GPU."""
        return self._filling.takes_device_frames

    @property
    def max_batch(self) -> int:
        """Frames that are looked at in one go."""
        return self._batch

    def fill_on_device(self, cubins: Cubins, ledger: Ledger) -> None:
        """Take frames that lie on the GPU from now on, if the network runs there.

        ModelError if the kernel cannot be had; then all is as before.
        """
        if isinstance(self._engine, DeviceEngine):
            self._filling = DeviceFilling(self._letterbox, self._engine, self._tensor, cubins, ledger)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        found: list[Detections] = []
        for start in range(0, len(frames), self._batch):
            found += self._detect_batch(frames[start : start + self._batch])
        return found

    def close(self) -> None:
        self._filling.close()
        self._engine.close()

    @abstractmethod
    def _make_letterbox(self) -> Letterbox:
        """How this network wants its pictures."""

    @abstractmethod
    def _candidates(self, outputs: Outputs, slot: int) -> Detections:
        """What the network says about one slot of its batch: boxes in tensor pixels, before NMS."""

    def _sure(self, scores: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Cells and classes to report, of (cells, classes) confidences; the `TOP_K` best at most."""
        cell, class_id = np.nonzero(scores >= self.confidence)
        wanted = self._wanted[class_id]
        cell, class_id = cell[wanted], class_id[wanted]
        if len(cell) > TOP_K:
            best = np.argpartition(scores[cell, class_id], -TOP_K)[-TOP_K:]
            cell, class_id = cell[best], class_id[best]
        return cell, class_id

    def _detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        transforms, outputs = self._filling.run(frames)
        return [
            self._finish(self._candidates(outputs, slot), transform, frame)
            for slot, (transform, frame) in enumerate(zip(transforms, frames, strict=True))
        ]

    def _finish(self, candidates: Detections, transform: Transform, frame: Frame) -> Detections:
        best = nms(candidates, self.iou)
        return clipped(Detections(transform.to_frame(best.xyxy), best.confidence, best.class_id), frame)


def picture_input(session: Session) -> tuple[str, int, int, int]:
    """Name, batch size, height and width of the network's only input; a free batch size counts as 1."""
    try:
        ((name, (batch, channels, height, width)),) = session.inputs.items()
    except ValueError:
        channels = None
    if channels != 3 or not isinstance(height, int) or not isinstance(width, int):
        raise ModelError(
            f"{session.model.name} takes {dict(session.inputs)}, expected one input of shape "
            "(batch, 3, height, width) with a fixed height and width: export it with a fixed size"
        )
    return name, batch if isinstance(batch, int) else 1, height, width


def cell_grid(height_px: int, width_px: int, stride: int) -> NDArray[np.float32]:
    """(cells, 2): x and y index of each cell of a feature map, row by row."""
    rows, columns = -(-height_px // stride), -(-width_px // stride)
    y, x = np.mgrid[:rows, :columns]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def _wanted(labels: tuple[str, ...], classes: Sequence[str] | None) -> NDArray[np.bool_]:
    """(classes of the model,): which of them to report."""
    for name in classes or ():
        if name not in labels:
            close = difflib.get_close_matches(name, labels, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"it knows {', '.join(labels)}"
            raise ConfigError(f"the detector knows no class {name!r}: {hint}")
    return np.array([classes is None or label in classes for label in labels], np.bool_)
