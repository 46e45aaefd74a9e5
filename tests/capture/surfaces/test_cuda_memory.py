"""Frames of a desktop GPU's decoder, on a fake of GStreamer's CUDA library and real GStreamer buffers."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces import CudaMemoryFrames, GstCuda
from edgeguard.cuda.ledger import Crossings, Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import DependencyError
from edgeguard.gst.binding import load
from edgeguard.types import Colour, Memory
from tests.capture.surfaces.conftest import stamp
from tests.support.gpu import HERE
from tests.support.surfaces import noise, sample_of

CAPS = "video/x-raw(memory:CUDAMemory),format={},width=64,height=32,colorimetry=bt709,framerate=30/1"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make the fake libgstcuda with")
    path: Path = tmp_path_factory.mktemp("gstcuda") / "libgstcuda-1.0.so.0"
    source = HERE / "fake_nvbuf" / "gstcuda.c"
    command = [compiler, "-shared", "-fPIC", "-o", str(path), str(source), "-l:libgstreamer-1.0.so.0"]
    subprocess.run(command, check=True)
    return str(path)


@pytest.fixture
def fake(library: str) -> Any:
    made = ctypes.CDLL(library)
    made.fake_gstcuda_wrapped.restype = ctypes.c_void_p
    made.fake_gstcuda_clear()
    return made


def buffer() -> Any:
    return load()[0].Buffer.new_wrapped(noise(64, 32, 64).tobytes())


def test_the_map_is_an_address_on_the_gpu_and_the_decoder_is_waited_for(
    cuda: CtypesCuda, ledger: Ledger, library: str, fake: Any
) -> None:
    frames = CudaMemoryFrames(cuda, ledger, GstCuda(cuda, library))
    for number in range(20):
        frame = frames.frame(sample_of(buffer(), CAPS.format("NV12")), stamp(number))
        luma, chroma = frame.device
        assert (frame.memory, frame.colour, frame.planes) == (Memory.CUDA_PITCH, Colour.BT709_LIMITED, ())
        assert (luma.pitch, chroma.pitch, chroma.handle - luma.handle) == (64, 64, 64 * 32)
        there = np.frombuffer((ctypes.c_uint8 * (64 * 32)).from_address(luma.handle), np.uint8)
        assert np.array_equal(there, noise(64, 32, 64)[:32].ravel())
    frames.close()
    assert fake.fake_gstcuda_syncs() == 20
    assert ledger.read() == Crossings(frames=20)


def test_our_context_is_the_decoders(cuda: CtypesCuda, library: str, fake: Any) -> None:
    element = load()[0].ElementFactory.make("fakesink", None)
    GstCuda(cuda, library).share(element)
    with cuda.current():
        assert fake.fake_gstcuda_wrapped() == cuda.context_handle()
    assert element.get_context("gst.cuda.context") is not None


def test_memory_of_the_host_is_refused(cuda: CtypesCuda, ledger: Ledger, library: str, fake: Any) -> None:
    fake.fake_gstcuda_foreign()
    frames = CudaMemoryFrames(cuda, ledger, GstCuda(cuda, library))
    with pytest.raises(SurfaceError, match="memory of the host"):
        frames.frame(sample_of(buffer(), CAPS.format("NV12")), stamp())


def test_another_format_is_refused(cuda: CtypesCuda, ledger: Ledger, library: str, fake: Any) -> None:
    frames = CudaMemoryFrames(cuda, ledger, GstCuda(cuda, library))
    with pytest.raises(SurfaceError, match=r"gives I420, and .* 8-bit NV12"):
        frames.frame(sample_of(buffer(), CAPS.format("I420")), stamp())


def test_without_driver_or_library_the_sentence_says_which(cuda: CtypesCuda, library: str, fake: Any) -> None:
    fake.fake_gstcuda_absent()
    with pytest.raises(DependencyError, match="does not find the NVIDIA driver"):
        GstCuda(cuda, library)
    with pytest.raises(DependencyError, match=r"gstreamer1\.0-plugins-bad"):
        GstCuda(cuda, "libgstcuda-that-is-not-there.so")
