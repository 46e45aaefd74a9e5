"""A plan at work: fixed buffers, one stream, one CUDA graph for each size of batch."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.cuda.driver import CudaDriver, GpuLostError
from edgeguard.errors import ModelError
from edgeguard.models.engines.trt import TensorRt
from edgeguard.models.session import Feeds, Outputs, Shape, check_feeds
from edgeguard.types import ModelRef

BUCKETS = (1, 2, 4, 8)
"""A batch runs as the next larger of these; what lies in the slots behind it costs time, not truth."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """A tensor's home: the same number of bytes on the device and, page-locked, on the host."""

    host: NDArray[Any]
    host_address: int
    device: int
    slot_bytes: int
    """Of one picture of the batch."""


@dataclass(slots=True)
class Bucket:
    """What runs batches of up to `size`."""

    size: int
    context: Any
    graph: int | None


class TensorRtEngine:
    """An `Engine` on the GPU; used by one thread at a time, though not always the same.

    Everything is allocated and captured here, at the start: `run` allocates nothing. ModelError if TensorRT
    refuses the plan, as it does with one for another GPU or version, and if an output's size is not fixed.
    """

    def __init__(self, plan: bytes, model: ModelRef, tensorrt: TensorRt, cuda: CudaDriver) -> None:
        self.model = model
        self._cuda = cuda
        self._trt = tensorrt.module
        self._logger = tensorrt.logger()
        self._buffers: dict[str, Buffer] = {}
        self._buckets: list[Bucket] = []
        self._stream: int | None = None
        with cuda.current():
            try:
                self._open(plan)
            except BaseException:
                self._release()
                raise

    @property
    def slots(self) -> Mapping[str, NDArray[Any]]:
        return self._slots

    @property
    def cuda(self) -> CudaDriver:
        """The driver whose context holds the buffers."""
        return self._cuda

    @property
    def stream(self) -> int:
        """Where `run` puts its work: what is put there before is done before."""
        assert self._stream is not None
        return self._stream

    def input_slot(self, name: str, index: int) -> int:
        """Where one picture's slot of an input lies on the device, for those who write it there."""
        buffer = self._buffers[name]
        return buffer.device + index * buffer.slot_bytes

    def upload(self, name: str, index: int) -> int:
        """Put on the stream: bring one slot from the host to the device. Its bytes."""
        buffer = self._buffers[name]
        here = index * buffer.slot_bytes
        self._cuda.copy_in(buffer.device + here, buffer.host_address + here, buffer.slot_bytes, self.stream)
        return buffer.slot_bytes

    def run(self, batch: int, *, on_device: bool = False) -> Outputs:
        """`on_device`: the inputs are on the device already, or on their way on `stream`."""
        bucket = next((bucket for bucket in self._buckets if bucket.size >= batch), None)
        if bucket is None or batch < 1:
            raise ModelError(f"{self.model.name} takes 1 to {self.max_batch} pictures at once, not {batch}")
        assert self._stream is not None
        with self._cuda.current():
            if not on_device:
                self._copy_in(batch)
            if bucket.graph is None:
                self._execute(bucket)
            else:
                self._cuda.launch(bucket.graph, self._stream)
            self._cuda.synchronise(self._stream)
        return {name: self._buffers[name].host[:batch] for name in self.outputs}

    def infer(self, feeds: Feeds) -> Outputs:
        check_feeds(self.model, self.inputs, feeds)
        batch = len(next(iter(feeds.values())))
        if batch > self.max_batch:
            raise ModelError(
                f"{self.model.name} takes at most {self.max_batch} pictures at once, not {batch}"
            )
        for name, array in feeds.items():
            slots = self._slots[name]
            if array.dtype != slots.dtype:
                raise ModelError(
                    f"{self.model.name} could not run: {name} is {array.dtype}, not {slots.dtype}"
                )
            slots[:batch] = array
        return {name: array.copy() for name, array in self.run(batch).items()}

    def close(self) -> None:
        """Give everything back; nothing may be called after it. A lost GPU has nothing to give."""
        with suppress(GpuLostError), self._cuda.current():
            self._release()

    def _open(self, plan: bytes) -> None:
        self._runtime = self._trt.Runtime(self._logger)
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise ModelError(
                f"TensorRT refuses the engine of {self.model.name} ({self._logger.faults()}): "
                f"build it again with `edgeguard engines build`"
            )
        self._stream = self._cuda.make_stream()
        names = [self._engine.get_tensor_name(number) for number in range(self._engine.num_io_tensors)]
        inputs = [
            name for name in names if self._engine.get_tensor_mode(name) == self._trt.TensorIOMode.INPUT
        ]
        ranges = [self._range(name) for name in inputs]
        self.max_batch = min(high for _, high in ranges)
        for name in names:
            self._buffers[name] = self._buffer(name)
        self.inputs = self._shapes([name for name in names if name in inputs])
        self.outputs = self._shapes([name for name in names if name not in inputs])
        self._slots = MappingProxyType({name: self._buffers[name].host for name in inputs})
        sizes = {size for size in BUCKETS if size < self.max_batch} | {self.max_batch}
        for size in sorted(size for size in sizes if size >= max(low for low, _ in ranges)):
            self._buckets.append(self._bucket(size))

    def _shapes(self, names: list[str]) -> Mapping[str, Shape]:
        shapes = {name: tuple(self._engine.get_tensor_shape(name)) for name in names}
        return MappingProxyType(
            {name: tuple("batch" if size < 0 else size for size in shape) for name, shape in shapes.items()}
        )

    def _range(self, name: str) -> tuple[int, int]:
        """The smallest and the largest batch that an input takes."""
        size = int(self._engine.get_tensor_shape(name)[0])
        if size >= 0:
            return size, size
        low, _, high = self._engine.get_tensor_profile_shape(name, 0)
        return int(low[0]), int(high[0])

    def _buffer(self, name: str) -> Buffer:
        shape = list(self._engine.get_tensor_shape(name))
        if shape and shape[0] < 0:
            shape[0] = self.max_batch
        if not shape or min(shape) < 0:
            raise ModelError(
                f"{self.model.name}: the size of tensor {name} {tuple(shape)} is not fixed: export it with "
                f"fixed sizes"
            )
        dtype = np.dtype(self._trt.nptype(self._engine.get_tensor_dtype(name)))
        size = math.prod(shape) * dtype.itemsize
        device, address = self._cuda.allocate(size), 0
        try:
            address = self._cuda.allocate_host(size)
        finally:
            if not address:
                self._cuda.free(device)
        memory = (ctypes.c_ubyte * size).from_address(address)
        host = np.frombuffer(memory, dtype).reshape(shape)
        host[...] = 0
        return Buffer(host, address, device, size // shape[0])

    def _bucket(self, size: int) -> Bucket:
        """One context each: a graph holds its context's memory and shapes."""
        context = self._engine.create_execution_context()
        if context is None:
            raise ModelError(f"no memory on the GPU to run {self.model.name}: {self._logger.faults()}")
        for name, buffer in self._buffers.items():
            context.set_tensor_address(name, buffer.device)
        for name, shape in self.inputs.items():
            if not isinstance(shape[0], int) and not context.set_input_shape(name, (size, *shape[1:])):
                raise ModelError(
                    f"{self.model.name} refuses {size} pictures at once: {self._logger.faults()}"
                )
        bucket = Bucket(size, context, None)
        self._warm_up(bucket)
        bucket.graph = self._captured(bucket)
        return bucket

    def _warm_up(self, bucket: Bucket) -> None:
        """Run once uncaptured: TensorRT allocates at the first run after a change of shape."""
        assert self._stream is not None
        self._copy_in(bucket.size)
        self._execute(bucket)
        self._cuda.synchronise(self._stream)

    def _captured(self, bucket: Bucket) -> int | None:
        """The graph of one run; None where the network cannot be captured, so that it runs without."""
        assert self._stream is not None
        try:
            return self._cuda.capture(self._stream, lambda: self._execute(bucket))
        except GpuLostError:
            raise
        except ModelError:
            return None

    def _execute(self, bucket: Bucket) -> None:
        assert self._stream is not None
        if not bucket.context.execute_async_v3(self._stream):
            raise ModelError(f"{self.model.name} could not run: {self._logger.faults()}")
        for name in self.outputs:
            buffer = self._buffers[name]
            self._cuda.copy_out(
                buffer.host_address, buffer.device, bucket.size * buffer.slot_bytes, self._stream
            )

    def _copy_in(self, batch: int) -> None:
        assert self._stream is not None
        for name in self.inputs:
            buffer = self._buffers[name]
            self._cuda.copy_in(buffer.device, buffer.host_address, batch * buffer.slot_bytes, self._stream)

    def _release(self) -> None:
        """In the order in which one thing hangs on another."""
        with suppress(ModelError):
            for bucket in self._buckets:
                if bucket.graph is not None:
                    self._cuda.destroy_graph(bucket.graph)
            self._buckets.clear()
            for buffer in self._buffers.values():
                self._cuda.free(buffer.device)
                self._cuda.free_host(buffer.host_address)
            self._buffers.clear()
            if self._stream is not None:
                self._cuda.destroy_stream(self._stream)
                self._stream = None
        self._engine = self._runtime = None
