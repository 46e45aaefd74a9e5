"""The letterbox kernel without a GPU: its source compiled for the CPU, and frames in its memory."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.cuda.cubins import Cubins
from edgeguard.types import DevicePlane, Frame, Memory
from tests.support.gpu import HERE

KERNELS = Path(__file__).parents[2] / "edgeguard" / "vision" / "kernels"


class CpuCompiler:
    """Makes a "cubin" that the fake driver runs: the very kernel, with CUDA's words defined for a CPU."""

    name = "fake"
    version = "12.6"

    def __init__(self, folder: Path) -> None:
        self._library = folder / "letterbox.so"
        self.compiled = 0

    def compile(self, source: str, compute_capability: str) -> bytes:
        assert (KERNELS / "letterbox.cu").read_text() in source
        assert compute_capability == "8.7"
        self.compiled += 1
        compiler = shutil.which("g++")
        if compiler is None:
            pytest.skip("no C++ compiler to make the kernel for the CPU with")
        command = [compiler, "-O2", "-shared", "-fPIC", f"-I{KERNELS}", "-o", str(self._library)]
        subprocess.run([*command, str(HERE / "fake_cuda" / "shim.cpp")], check=True)
        return f"FAKE CUBIN {self._library}\n".encode()


def cpu_cubins(folder: Path) -> Cubins:
    return Cubins(folder / "kernels", [lambda: CpuCompiler(folder)])


class Array(ctypes.Structure):
    """The fake driver's CUDA array."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        *((name, ctypes.c_int) for name in ("pitch", "width", "height", "channels", "alive")),
    )


class Texture(ctypes.Structure):
    """The fake driver's texture."""

    _fields_ = (("array", ctypes.POINTER(Array)), ("alive", ctypes.c_int))


@dataclass
class Held:
    """The buffer under a frame, as a decoder would keep it."""

    streams: list[int] = field(default_factory=list)
    released: int = 0

    def until(self, stream: int) -> None:
        self.streams.append(stream)

    def release(self) -> None:
        self.released += 1


@contextmanager
def on_device(frame: Frame, memory: Memory = Memory.CUDA_PITCH) -> Iterator[Frame]:
    """The NV12 frame as if it lay in the fake GPU's memory, which is the host's."""
    textures = [_texture(plane) for plane in frame.planes]
    planes = tuple(
        _plane(plane, ctypes.addressof(texture) if memory is Memory.CUDA_ARRAY else 0)
        for plane, texture in zip(frame.planes, textures, strict=True)
    )
    yield replace(frame, planes=(), device=planes, memory=memory, hold=Held())


def _plane(plane: NDArray[np.uint8], texture: int) -> DevicePlane:
    height, width = plane.shape[:2]
    if texture:
        return DevicePlane(texture, 0, width, height)
    return DevicePlane(plane.ctypes.data, plane.strides[0], width, height)


def _texture(plane: NDArray[np.uint8]) -> Texture:
    height, width = plane.shape[:2]
    array = Array(plane.ctypes.data, plane.strides[0], width, height, plane[0, 0].size, 1)
    return Texture(ctypes.pointer(array), 1)


def values_at(address: int, shape: Sequence[int], dtype: type[np.generic]) -> NDArray[np.generic]:
    """What lies in the fake GPU's memory."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_ubyte * size).from_address(address), dtype).reshape(shape)
