"""How good a model is, whatever it does: detectors by mAP, others by how near they stay to FP32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from edgeguard.models import Session
from edgeguard.vision.compact import CompactDetector
from export.coco import CONFIDENCE, IOU, Score, Truth, score
from export.pictures import Feeder, PictureSet
from export.recipe import Recipe
from export.runner import MemorySession


@dataclass(frozen=True, slots=True)
class Verdict:
    """A quantised model beside its FP32 original."""

    fp32: Score | None
    """None for what is no detector."""
    int8: Score | None
    cosine: float
    """Mean cosine between both models' outputs; 1 for detectors, which are judged by mAP."""

    @property
    def drop(self) -> float:
        """What INT8 costs: mAP50-95, or 1 - cosine."""
        return self.fp32.map - self.int8.map if self.fp32 and self.int8 else 1 - self.cosine

    def passes(self, recipe: Recipe) -> bool:
        """Whether the drop keeps within the recipe's floor."""
        return self.drop <= recipe.allowed_drop


class Judge(Protocol):
    """Compares models with the FP32 original, which it has measured once."""

    images: int

    def __call__(self, quantised: ModelProto | Session) -> Verdict:
        """Run it over all pictures."""


class MapJudge:
    """By mAP on annotated pictures."""

    def __init__(self, recipe: Recipe, original: ModelProto | Session, truth: Truth) -> None:
        self._recipe, self._truth = recipe, truth
        self.images = len(truth.image_ids)
        self._original = self._score(original)

    def __call__(self, quantised: ModelProto | Session) -> Verdict:
        return Verdict(self._original, self._score(quantised), 1.0)

    def _score(self, model: ModelProto | Session) -> Score:
        return score(compact_detector(self._recipe, session_of(model)), self._truth)


class CosineJudge:
    """By the cosine between outputs, averaged over outputs and pictures."""

    def __init__(self, recipe: Recipe, original: ModelProto | Session, pictures: PictureSet) -> None:
        self._feeds = Feeder(recipe.input).feeds(pictures)
        self.images = len(self._feeds)
        self._original = self._run(original)

    def __call__(self, quantised: ModelProto | Session) -> Verdict:
        both = zip(self._original, self._run(quantised), strict=True)
        return Verdict(None, None, float(np.mean([_cosine(want, have) for want, have in both])))

    def _run(self, model: ModelProto | Session) -> list[Mapping[str, NDArray[Any]]]:
        session = session_of(model)
        return [session.infer(feed) for feed in self._feeds]


def session_of(model: ModelProto | Session) -> Session:
    return MemorySession(model) if isinstance(model, ModelProto) else model


def compact_detector(recipe: Recipe, session: Session) -> CompactDetector:
    labels = recipe.card.labels
    return CompactDetector(session, labels, CONFIDENCE, IOU, spec=recipe.input)


def _cosine(want: Mapping[str, NDArray[Any]], have: Mapping[str, NDArray[Any]]) -> float:
    values = []
    for name in want:
        left, right = want[name].ravel().astype(np.float64), have[name].ravel().astype(np.float64)
        values.append(left @ right / max(float(np.linalg.norm(left) * np.linalg.norm(right)), 1e-12))
    return float(np.mean(values))
