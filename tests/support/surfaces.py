"""A Jetson's decoder that is not there: real GStreamer buffers on fakes of NVIDIA's libraries."""

from __future__ import annotations

import atexit
import ctypes
import functools
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.capture.surfaces.abi import ColourFormat, MemoryType
from edgeguard.gst import Sample
from edgeguard.gst.binding import c, load
from tests.support.gpu import HERE, fake_cuda_folder

SIZES = {"A": 64, "B": 72}
"""What the head of an NvBufSurface takes in a buffer."""
CAPS = "video/x-raw(memory:NVMM),format=NV12"
_LIBRARIES = {"libEGL.so.1": "egl.c", "libnvbufsurface.so": "nvbufsurface.c"}


@functools.cache
def fake_jetson_folder() -> Path:
    """A folder with the fakes of libEGL and libnvbufsurface, compiled once a run."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make the fake libnvbufsurface with")
    folder = Path(tempfile.mkdtemp(prefix="edgeguard-fake-jetson-"))
    atexit.register(shutil.rmtree, folder)
    cuda = fake_cuda_folder()
    for name, source in _LIBRARIES.items():
        links = [f"-L{cuda}", "-l:libcuda.so.1", f"-Wl,-rpath,{cuda}"]
        links += [f"-L{folder}", "-l:libEGL.so.1", f"-Wl,-rpath,{folder}"] if "EGL" not in name else []
        command = [compiler, "-shared", "-fPIC", "-O1", f"-Wl,-soname,{name}", "-o", str(folder / name)]
        subprocess.run([*command, str(HERE / "fake_nvbuf" / source), *links], check=True)
    return folder


class FakeJetson:
    """The fakes from outside: what is mapped, and what shall fail."""

    def __init__(self) -> None:
        folder = fake_jetson_folder()
        self.egl, self.nvbuf = str(folder / "libEGL.so.1"), str(folder / "libnvbufsurface.so")
        self._egl, self._nvbuf = ctypes.CDLL(self.egl), ctypes.CDLL(self.nvbuf)
        self._cuda = ctypes.CDLL(str(fake_cuda_folder() / "libcuda.so.1"))
        self._nvbuf.fake_nvbuf_make.restype = ctypes.c_void_p
        self._nvbuf.fake_nvbuf_make.argtypes = [
            ctypes.c_int,
            ctypes.c_uint64,
            *[ctypes.c_int] * 6,
            ctypes.c_void_p,
        ]
        self._nvbuf.fake_nvbuf_remap.argtypes = [ctypes.c_void_p]
        self._pixels: list[NDArray[np.uint8]] = []
        self._free = ctypes.cast(self._nvbuf.fake_nvbuf_free, ctypes.c_void_p)
        self.clear()

    def clear(self) -> None:
        self._nvbuf.fake_nvbuf_clear()
        self._egl.fake_egl_absent(0)

    @property
    def maps(self) -> int:
        return int(self._nvbuf.fake_nvbuf_maps())

    @property
    def unmaps(self) -> int:
        return int(self._nvbuf.fake_nvbuf_unmaps())

    @property
    def living(self) -> int:
        """Buffers that GStreamer has not freed."""
        return int(self._nvbuf.fake_nvbuf_living())

    @property
    def registered(self) -> int:
        """EGL images that CUDA knows now."""
        return int(self._cuda.fake_registered())

    @property
    def textures(self) -> int:
        return int(self._cuda.fake_textures())

    def fail_map(self, times: int = 1) -> None:
        self._nvbuf.fake_nvbuf_fail_map(times)

    def fail_unmap(self, times: int = 1) -> None:
        self._nvbuf.fake_nvbuf_fail_unmap(times)

    def take_display(self) -> None:
        self._egl.fake_egl_absent(1)

    def use_planes(self, count: int) -> None:
        """Let CUDA see so many planes in every picture."""
        self._nvbuf.fake_nvbuf_planes(count)

    def buffer(self, surface: SurfaceSpec) -> Any:
        """A real GstBuffer whose memory is an NvBufSurface, freed with it by the fake library."""
        pixels = surface.pixels
        self._pixels.append(pixels)
        head = self._nvbuf.fake_nvbuf_make(
            surface.abi == "B",
            surface.fd,
            surface.width,
            surface.height,
            surface.pitch,
            surface.memory,
            surface.block_linear,
            surface.colour,
            pixels.ctypes.data,
        )
        size = surface.size or SIZES[surface.abi]
        library = c()
        library.gst_memory_new_wrapped.restype = ctypes.c_void_p
        library.gst_memory_new_wrapped.argtypes = [
            ctypes.c_int,
            ctypes.c_void_p,
            *[ctypes.c_size_t] * 3,
            *[ctypes.c_void_p] * 2,
        ]
        library.gst_buffer_append_memory.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        buffer = load()[0].Buffer.new()
        memory = library.gst_memory_new_wrapped(0, head, size, 0, size, head, self._free)
        library.gst_buffer_append_memory(hash(buffer), memory)
        return buffer

    def remap(self, sample: Sample) -> None:
        """Let the buffer lose its EGL image, as when its pool was made anew."""
        self._nvbuf.fake_nvbuf_remap(sample.map().address)


@dataclass(frozen=True)
class SurfaceSpec:
    """One buffer of the decoder's pool."""

    pixels: NDArray[np.uint8]
    """(height * 3 / 2, pitch): luma, then pairs of chroma."""
    fd: int = 40
    width: int = 64
    height: int = 32
    abi: str = "A"
    memory: int = MemoryType.SURFACE_ARRAY
    block_linear: bool = True
    colour: int = ColourFormat.NV12_709
    size: int | None = None
    """What the buffer says it has; None: what it should."""

    @property
    def pitch(self) -> int:
        return int(self.pixels.strides[0])


def noise(width: int = 64, height: int = 32, pitch: int = 96, seed: int = 0) -> NDArray[np.uint8]:
    """Pixels of a picture, with a margin at the end of each row."""
    assert width <= pitch
    return np.random.default_rng(seed).integers(0, 256, (height * 3 // 2, pitch), np.uint8)


def sample_of(buffer: Any, caps: str = f"{CAPS},width=64,height=32") -> Sample:
    """What an appsink would give."""
    gst = load()[0]
    return Sample(gst.Sample.new(buffer, gst.Caps.from_string(caps), gst.Segment(), None))
