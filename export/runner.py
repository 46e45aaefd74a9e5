"""ONNX Runtime as the reference: whole models and any tensor inside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from edgeguard.errors import ModelError
from edgeguard.types import ModelRef
from export.graph import with_outputs

Feeds = Mapping[str, NDArray[Any]]


class MemorySession:
    """A model in memory as a session of the product, on `threads` CPU threads."""

    def __init__(self, model: ModelProto, name: str = "export", threads: int = 2) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(f"ONNX Runtime cannot load {name}: {error}") from error
        self.model = ModelRef(name, None, "onnxruntime-cpu")
        self.inputs = {tensor.name: tuple(tensor.shape) for tensor in self._session.get_inputs()}
        self.outputs = {tensor.name: tuple(tensor.shape) for tensor in self._session.get_outputs()}
        self._names = list(self.outputs)

    def infer(self, feeds: Feeds) -> dict[str, NDArray[Any]]:
        try:
            values = self._session.run(self._names, dict(feeds))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(f"{self.model.name} could not run: {error}") from error
        return dict(zip(self._names, values, strict=True))


class Probe:
    """Runs a model and returns tensors from its inside, inputs among them."""

    def __init__(self, model: ModelProto, tensors: Iterable[str]) -> None:
        inputs = {value.name for value in model.graph.input}
        inner = sorted(set(tensors) - inputs)
        self._session = MemorySession(with_outputs(model, inner)) if inner else None

    def __call__(self, feeds: Feeds) -> dict[str, NDArray[Any]]:
        return {**feeds, **(self._session.infer(feeds) if self._session else {})}


def distortion(
    reference: Sequence[Mapping[str, NDArray[Any]]], found: Sequence[Mapping[str, NDArray[Any]]]
) -> float:
    """How far outputs are from FP32's: 0 is equal, 1 is as wrong as answering nothing.

    Of a detector (`boxes` and `scores` are there): the scores' relative squared error, plus the boxes' error
    relative to their size where FP32 sees something. Of any other model: the outputs' mean relative error.
    """
    if "scores" in reference[0]:
        return _share(reference, found, _score_error) + _share(reference, found, _box_error)
    return float(np.mean([_share(reference, found, _tensor_error(name)) for name in reference[0]]))


def _share(reference: Sequence[Any], found: Sequence[Any], measure: Any) -> float:
    errors, powers = zip(
        *(measure(want, have) for want, have in zip(reference, found, strict=True)), strict=True
    )
    return float(np.sum(errors) / max(np.sum(powers), 1e-12))


def _score_error(want: Mapping[str, Any], have: Mapping[str, Any]) -> tuple[float, float]:
    return float(np.square(want["scores"] - have["scores"]).sum()), float(np.square(want["scores"]).sum())


def _box_error(want: Mapping[str, Any], have: Mapping[str, Any]) -> tuple[float, float]:
    sure = want["scores"].max(axis=2)
    size = np.maximum(want["boxes"][..., 2:] - want["boxes"][..., :2], 1)
    error = np.square((want["boxes"] - have["boxes"]) / np.concatenate([size, size], axis=2)).mean(axis=2)
    return float((sure * np.minimum(error, 1)).sum()) * _BOX_WEIGHT, float(sure.sum())


_BOX_WEIGHT = 10
"""A corner off by a third of the box costs as much as a score gone."""


def _tensor_error(name: str) -> Any:
    def measure(want: Mapping[str, Any], have: Mapping[str, Any]) -> tuple[float, float]:
        return float(np.square(want[name] - have[name]).sum()), float(np.square(want[name]).sum())

    return measure
