"""The kernel's arithmetic, run on the CPU, against numpy and against the CPU's letterbox."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.types import Colour, Frame, Memory, PixelFormat
from edgeguard.vision.cuda_letterbox import CudaLetterbox, Picture, kernel_source
from edgeguard.vision.letterbox import Letterbox, Transform
from tests.models.engines.conftest import cuda, gpu
from tests.support.gpu import FakeGpu
from tests.support.kernel import cpu_cubins, on_device, values_at
from tests.support.pictures import grey, noise

__all__ = ["cuda", "gpu"]
SIZES = [(640, 360), (200, 102), (97, 241), (64, 64), (1, 1), (3, 2)]
ON_GPU = [Memory.CUDA_PITCH, Memory.CUDA_ARRAY]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernel")


Run = Callable[..., NDArray[np.float32]]


@pytest.fixture
def run(cuda: CtypesCuda, compiled: Path) -> Run:
    """Fills a slot with a frame as the GPU does, and gives its values."""

    def run(like: Letterbox, frame: Frame, dtype: type[np.generic] = np.float32) -> NDArray[np.generic]:
        letterbox = CudaLetterbox(like, cuda, cpu_cubins(compiled))
        size = int(np.prod(like.shape)) * np.dtype(dtype).itemsize
        with cuda.current():
            stream, slot = cuda.make_stream(), cuda.allocate(size)
            try:
                transform = letterbox.into(frame, slot, np.dtype(dtype), stream)
                cuda.synchronise(stream)
                values = values_at(slot, like.shape, dtype).copy()
            finally:
                cuda.free(slot)
                cuda.destroy_stream(stream)
                letterbox.close()
        width, height = like.size(frame)
        assert transform == Transform(width / frame.width, height / frame.height)
        return values

    return run


def taps(filled: int, samples: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    step = np.float32(samples) / np.float32(filled)
    at = (np.arange(filled, dtype=np.float32) + np.float32(0.5)) * step - np.float32(0.5)
    at = np.clip(at, 0, np.float32(samples - 1), dtype=np.float32)
    low = at.astype(np.intp)
    return low, np.minimum(low + 1, samples - 1), at - low.astype(np.float32)


def reference(like: Letterbox, frame: Frame) -> NDArray[np.float32]:
    """The kernel's arithmetic, step by step, in float32."""
    width, height = like.size(frame)
    channels = []
    for plane in frame.planes:
        values = plane.reshape(*plane.shape[:2], -1).astype(np.float32)
        left, right, along = taps(width, plane.shape[1])
        top, bottom, down = taps(height, plane.shape[0])
        along, down = along[None, :, None], down[:, None, None]
        above = values[top][:, left] + (values[top][:, right] - values[top][:, left]) * along
        below = values[bottom][:, left] + (values[bottom][:, right] - values[bottom][:, left]) * along
        channels.append(above + (below - above) * down)
    mixed = np.concatenate(channels, axis=2)
    matrix = like.matrix(frame).astype(np.float32)
    out = np.broadcast_to(like.pad[:, None, None], like.shape).astype(np.float32)
    picture = np.moveaxis(mixed @ matrix[:, :3].T + matrix[:, 3], 2, 0)
    limits = (limit[:, None, None] for limit in (like.low, like.high))
    out[:, :height, :width] = np.clip(picture, *limits)
    return out


@pytest.mark.parametrize("memory", ON_GPU, ids=str)
@pytest.mark.parametrize("colour", Colour, ids=str)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_kernel_computes_what_its_reference_does(
    run: Run, size: tuple[int, int], colour: Colour, memory: Memory
) -> None:
    like = Letterbox(160, 128)
    picture = noise(*size, PixelFormat.NV12, colour)
    with on_device(picture, memory) as frame:
        found = run(like, frame)
    assert np.abs(found - reference(like, picture)).max() < 0.02


@pytest.mark.parametrize("colour", Colour, ids=str)
@pytest.mark.parametrize("size", [(1920, 1080), *SIZES], ids=str)
def test_cpu_and_gpu_agree_to_a_tenth_of_a_level(run: Run, size: tuple[int, int], colour: Colour) -> None:
    like = Letterbox(160, 128)
    picture = noise(*size, PixelFormat.NV12, colour, seed=2)
    on_cpu = np.empty(like.shape, np.float32)
    like.into(picture, on_cpu)
    with on_device(picture) as frame:
        assert np.abs(run(like, frame) - on_cpu).max() < 0.1


@pytest.mark.parametrize("mode", ["top_left", "stretch"])
def test_halves_normalised_in_the_networks_order(run: Run, mode: str) -> None:
    mean, std = (123.7, 116.3, 103.5), (58.4, 57.1, 57.4)
    like = Letterbox(96, 64, mode=mode, mean=mean, std=std, order="rgb")
    picture = noise(320, 240, PixelFormat.NV12, Colour.BT709_LIMITED)
    with on_device(picture) as frame:
        found = run(like, frame, np.float16)
    assert found.dtype == np.float16
    assert np.abs(found - reference(like, picture)).max() < 1 / 255


def test_nothing_is_written_beside_the_slot(cuda: CtypesCuda, compiled: Path) -> None:
    like = Letterbox(37, 21)
    letterbox = CudaLetterbox(like, cuda, cpu_cubins(compiled))
    size = 3 * 37 * 21 * 4
    with on_device(noise(50, 30, PixelFormat.NV12, Colour.BT601_FULL)) as frame, cuda.current():
        stream, block = cuda.make_stream(), cuda.allocate(size + 128)
        ctypes.memset(block, 0x5A, size + 128)
        letterbox.into(frame, block + 64, np.dtype(np.float32), stream)
        cuda.synchronise(stream)
        around = values_at(block, [size + 128], np.uint8)
        assert np.all(around[:64] == 0x5A)
        assert np.all(around[-64:] == 0x5A)
        cuda.free(block)
        cuda.destroy_stream(stream)
    letterbox.close()


def test_a_picture_on_the_host_is_refused(run: Run) -> None:
    with pytest.raises(ModelError, match="NV12 on the GPU, not BGR in host"):
        run(Letterbox(32, 32), grey())


def test_values_of_another_kind_are_refused(run: Run) -> None:
    picture = noise(8, 8, PixelFormat.NV12, Colour.BT601_FULL)
    with on_device(picture) as frame, pytest.raises(ModelError, match="float32 and float16 only"):
        run(Letterbox(32, 32), frame, np.int8)


def test_the_argument_is_laid_out_as_the_kernels(compiled: Path, cuda: CtypesCuda, gpu: FakeGpu) -> None:
    CudaLetterbox(Letterbox(32, 32), cuda, cpu_cubins(compiled)).close()
    library = ctypes.CDLL(str(compiled / "letterbox.so"))
    assert ctypes.c_size_t.in_dll(library, "letterbox_size").value == ctypes.sizeof(Picture)
    assert gpu.ledger == ["load module", "unload module"]
    assert "half_of" in kernel_source()
