"""Inference with ONNX Runtime on the CPU."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from edgeguard.errors import DependencyError, ModelError
from edgeguard.models.onnx_file import refuse_external_data
from edgeguard.models.session import Feeds, Outputs, Shape, check_feeds
from edgeguard.types import ModelRef


class OnnxSession:
    """An ONNX file on the CPU: sequential, and its threads sleep between calls.

    The bytes loaded must have one of the SHA-256 `digests`, unless there are none; the reference in `model`
    carries the one found. Unless a dimension is free, the model runs once on zeros, so that the first real
    call is as quick as the next. ModelError if the file is missing, differs, keeps tensors in other files or
    is no model.
    """

    def __init__(self, path: Path, name: str, digests: Collection[str] = (), threads: int = 1) -> None:
        data = _read(path, name)
        digest = hashlib.sha256(data).hexdigest()
        if digests and digest not in digests:
            raise ModelError(
                f"{path} is not the file that {name} should be (SHA-256 {digest}, "
                f"expected {' or '.join(sorted(digests))}): "
                f"fetch it again with `edgeguard models pull {name}`"
            )
        refuse_external_data(data, path)
        self.model = ModelRef(name, digest, "onnxruntime-cpu")
        self._session = _load(data, path, threads)
        self.inputs = _shapes(self._session.get_inputs())
        self.outputs = _shapes(self._session.get_outputs())
        self._names = list(self.outputs)
        self._warm_up()

    def infer(self, feeds: Feeds) -> Outputs:
        check_feeds(self.model, self.inputs, feeds)
        try:
            values = self._session.run(self._names, dict(feeds))
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(f"{self.model.name} could not run: {error}") from error
        return dict(zip(self._names, values, strict=True))

    def _warm_up(self) -> None:
        feeds = {}
        for tensor in self._session.get_inputs():
            dtype = _DTYPES.get(tensor.type)
            if dtype is None or not all(isinstance(size, int) for size in tensor.shape):
                return
            feeds[tensor.name] = np.zeros(tensor.shape, dtype)
        self.infer(feeds)


_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
}


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"cannot read the model file {path} ({error.strerror}): "
            f"fetch it with `edgeguard models pull {name}`"
        ) from error


def _load(data: bytes, path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DependencyError("onnxruntime is not installed: `pip install onnxruntime`") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no base class
        raise ModelError(f"ONNX Runtime cannot load {path}: {error}") from error


def _shapes(tensors: Any) -> Mapping[str, Shape]:
    return MappingProxyType({tensor.name: tuple(tensor.shape) for tensor in tensors})
