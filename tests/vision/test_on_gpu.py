"""The letterbox kernel on a real GPU, where there is one: what it computes, and how fast."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.driver import CudaDriver, open_cuda
from edgeguard.errors import UnavailableError
from edgeguard.types import Colour, DevicePlane, Frame, Memory, PixelFormat
from edgeguard.vision.cuda_letterbox import CudaLetterbox
from edgeguard.vision.letterbox import Letterbox
from tests.models.engines.test_on_gpu import NODES
from tests.support.pictures import noise

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cuda() -> Iterator[CudaDriver]:
    if not any(Path(node).exists() for node in NODES):
        pytest.skip(f"no GPU to run kernels on: none of {', '.join(NODES)} is there")
    try:
        driver = open_cuda()
    except UnavailableError as error:
        pytest.skip(f"no GPU to run kernels on: {error}")
    yield driver
    driver.close()


def timed(cuda: CudaDriver, stream: int, work: Callable[[], None]) -> float:
    """Milliseconds that what `work` puts on the stream takes, as the GPU measures it."""
    times = []
    begin, end = (cuda.make_event(timing=True) for _ in range(2))
    for _ in range(50):
        cuda.record(begin, stream)
        work()
        cuda.record(end, stream)
        cuda.wait_for_event(end)
        times.append(cuda.elapsed_ms(begin, end))
    for event in (begin, end):
        cuda.destroy_event(event)
    return median(times)


class Bench:
    """A frame and a slot in the GPU's memory."""

    def __init__(self, cuda: CudaDriver, picture: Frame, like: Letterbox, folder: Path) -> None:
        self.cuda, self.like = cuda, like
        self.bytes = sum(plane.size for plane in picture.planes)
        self.slot_bytes = 4 * int(np.prod(like.shape))
        self.kernel = CudaLetterbox(like, cuda, Cubins(folder))
        size = max(self.bytes, self.slot_bytes)
        with cuda.current():
            self.stream, self.slot = cuda.make_stream(), cuda.allocate(self.slot_bytes)
            self.planes, self.host = cuda.allocate(self.bytes), cuda.allocate_host(size)
            dense = np.concatenate([np.ascontiguousarray(plane).ravel() for plane in picture.planes])
            ctypes.memmove(self.host, dense.ctypes.data, dense.nbytes)
            cuda.copy_in(self.planes, self.host, dense.nbytes, self.stream)
            cuda.synchronise(self.stream)
        luma, chroma = picture.planes
        device = (
            DevicePlane(self.planes, luma.shape[1], luma.shape[1], luma.shape[0]),
            DevicePlane(self.planes + luma.size, 2 * chroma.shape[1], chroma.shape[1], chroma.shape[0]),
        )
        self.frame = replace(picture, planes=(), device=device, memory=Memory.CUDA_PITCH)

    def put(self) -> None:
        self.kernel.into(self.frame, self.slot, np.dtype(np.float32), self.stream)

    def values(self) -> NDArray[np.float32]:
        with self.cuda.current():
            self.put()
            self.cuda.copy_out(self.host, self.slot, self.slot_bytes, self.stream)
            self.cuda.synchronise(self.stream)
        memory = (ctypes.c_ubyte * self.slot_bytes).from_address(self.host)
        return np.frombuffer(memory, np.float32).reshape(self.like.shape).copy()

    def ms(self) -> float:
        """Of one kernel, as the GPU measures it."""
        with self.cuda.current():
            return timed(self.cuda, self.stream, self.put)

    def close(self) -> None:
        self.kernel.close()
        with self.cuda.current():
            for address in (self.slot, self.planes):
                self.cuda.free(address)
            self.cuda.free_host(self.host)
            self.cuda.destroy_stream(self.stream)


@pytest.mark.parametrize("colour", Colour, ids=str)
@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (322, 242)], ids=str)
def test_agrees_with_the_cpu(cuda: CudaDriver, size: tuple[int, int], colour: Colour, tmp_path: Path) -> None:
    like, picture = Letterbox(416, 416), noise(*size, PixelFormat.NV12, colour)
    expected = np.empty(like.shape, np.float32)
    like.into(picture, expected)
    bench = Bench(cuda, picture, like, tmp_path)
    try:
        assert np.abs(bench.values() - expected).max() < 0.1
    finally:
        bench.close()


COPY = """
struct Copy { int4 *to; const int4 *from; unsigned long long count; };
extern "C" __global__ void copy(const Copy c) {
    const unsigned long long step = (unsigned long long)gridDim.x * blockDim.x;
    unsigned long long i = blockIdx.x * blockDim.x + threadIdx.x;
    for (; i < c.count; i += step) c.to[i] = c.from[i];
}
"""


class Copy(ctypes.Structure):
    _fields_ = (("to", ctypes.c_ulonglong), ("from_", ctypes.c_ulonglong), ("count", ctypes.c_ulonglong))


def copy_gb_per_s(cuda: CudaDriver, folder: Path, size: int = 256 << 20) -> float:
    """What the GPU's memory reads and writes at its best."""
    code = Cubins(folder).get("copy", COPY, cuda.gpu)
    with cuda.current():
        module, stream = cuda.load_module(code), cuda.make_stream()
        to, from_ = cuda.allocate(size), cuda.allocate(size)
        function = cuda.function(module, "copy")
        grid = (32 * cuda.gpu.multiprocessors, 1, 1)
        work = [Copy(to, from_, size // 16)]
        ms = timed(cuda, stream, lambda: cuda.launch_kernel(function, grid, (256, 1, 1), work, stream))
        for address in (to, from_):
            cuda.free(address)
        cuda.unload_module(module)
        cuda.destroy_stream(stream)
    return 2 * size / ms / 1e6


def test_a_picture_takes_less_than_a_millisecond(cuda: CudaDriver, tmp_path: Path) -> None:
    picture = noise(1920, 1080, PixelFormat.NV12, Colour.BT709_LIMITED)
    bench = Bench(cuda, picture, Letterbox(640, 640), tmp_path)
    try:
        ms = bench.ms()
    finally:
        bench.close()
    moved = (bench.bytes + bench.slot_bytes) / ms / 1e6
    best = copy_gb_per_s(cuda, tmp_path)
    print(f"\n{cuda.gpu.name}: {ms:.4f} ms, {moved:.0f} GB/s of {best:.0f} GB/s that a copy moves")  # noqa: T201
    assert ms < 1.0
