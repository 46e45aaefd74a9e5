"""The letterbox on the GPU: one kernel from the decoder's memory to a slot of the network's input."""

from __future__ import annotations

import ctypes as c
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.driver import CudaDriver
from edgeguard.errors import ModelError
from edgeguard.types import Colour, Frame, Memory, PixelFormat
from edgeguard.vision.letterbox import Letterbox, Transform

KERNEL = "letterbox"
_BLOCK = (32, 8, 1)
_REMEMBERED = 64
"""Kinds of picture whose argument is kept; a camera has one, or some while it changes its size."""


class Picture(c.Structure):
    """The kernel's argument, laid out as in kernels/letterbox.cu."""

    _fields_ = (
        ("luma", c.c_ulonglong),
        ("chroma", c.c_ulonglong),
        ("out", c.c_ulonglong),
        ("luma_pitch", c.c_int),
        ("chroma_pitch", c.c_int),
        ("width", c.c_int),
        ("height", c.c_int),
        ("chroma_width", c.c_int),
        ("chroma_height", c.c_int),
        ("slot_width", c.c_int),
        ("slot_height", c.c_int),
        ("fill_width", c.c_int),
        ("fill_height", c.c_int),
        ("is_half", c.c_int),
        ("matrix", c.c_float * 12),
        ("low", c.c_float * 3),
        ("high", c.c_float * 3),
        ("pad", c.c_float * 3),
    )


class CudaLetterbox:
    """Does on the GPU what `like` does on the CPU. ModelError if the kernel cannot be compiled or loaded."""

    def __init__(self, like: Letterbox, cuda: CudaDriver, cubins: Cubins) -> None:
        self._like = like
        self._cuda = cuda
        self._pictures: dict[tuple[int, int, Colour], tuple[Picture, Transform]] = {}
        _, height, width = like.shape
        self._grid = (-(-width // _BLOCK[0]), -(-height // _BLOCK[1]), 1)
        cubin = cubins.get(KERNEL, kernel_source(), cuda.gpu)
        with cuda.current():
            self._module = cuda.load_module(cubin)
            self._function = cuda.function(self._module, KERNEL)

    def into(self, frame: Frame, slot: int, dtype: np.dtype[np.generic], stream: int) -> Transform:
        """Put the kernel that fills the slot at that address on the stream, in the driver's context.

        The frame's memory and the slot must stay until the stream has come so far. ModelError for a frame
        that lies elsewhere, or for values that are neither float32 nor float16.
        """
        if dtype not in (np.float32, np.float16):
            raise ModelError(f"the network takes {dtype} values: the kernel writes float32 and float16 only")
        if frame.memory is Memory.HOST or frame.format is not PixelFormat.NV12 or len(frame.device) != 2:
            raise ModelError(
                f"the kernel takes NV12 on the GPU, not {frame.format.value} in {frame.memory.value}"
            )
        picture, transform = self._prepared(frame)
        luma, chroma = frame.device
        picture.luma, picture.luma_pitch = luma.handle, luma.pitch
        picture.chroma, picture.chroma_pitch = chroma.handle, chroma.pitch
        picture.out, picture.is_half = slot, dtype == np.float16
        self._cuda.launch_kernel(self._function, self._grid, _BLOCK, (picture,), stream)
        return transform

    def close(self) -> None:
        with self._cuda.current():
            self._cuda.unload_module(self._module)

    def _prepared(self, frame: Frame) -> tuple[Picture, Transform]:
        """The argument for pictures of that kind, but for the addresses; a launch copies it."""
        kind = frame.width, frame.height, frame.colour
        if kind not in self._pictures:
            if len(self._pictures) >= _REMEMBERED:
                self._pictures.clear()
            self._pictures[kind] = self._picture(frame)
        return self._pictures[kind]

    def _picture(self, frame: Frame) -> tuple[Picture, Transform]:
        (_, height, width), (fill_width, fill_height) = self._like.shape, self._like.size(frame)
        picture = Picture(
            width=frame.width,
            height=frame.height,
            chroma_width=frame.device[1].width,
            chroma_height=frame.device[1].height,
            slot_width=width,
            slot_height=height,
            fill_width=fill_width,
            fill_height=fill_height,
            matrix=_floats(self._like.matrix(frame)),
            low=_floats(self._like.low),
            high=_floats(self._like.high),
            pad=_floats(self._like.pad),
        )
        return picture, Transform(fill_width / frame.width, fill_height / frame.height)


@cache
def kernel_source() -> str:
    """CUDA C++, as a compiler takes it."""
    folder = files("edgeguard.vision") / "kernels"
    return "\n".join((folder / f"{name}.cu").read_text("utf-8") for name in ("half", "letterbox", "shrink"))


def _floats(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(float(value) for value in values.ravel())
