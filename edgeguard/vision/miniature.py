"""A small copy of a picture on the GPU, so that looking at the view as a whole does not move all of it."""

from __future__ import annotations

import ctypes as c
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.driver import CudaDriver
from edgeguard.cuda.ledger import Ledger
from edgeguard.types import Frame, Memory
from edgeguard.vision.cuda_letterbox import KERNEL, kernel_source
from edgeguard.vision.motion import LONG_SIDE_PX

_BLOCK = (32, 8, 1)
_ROOM = 2 * LONG_SIDE_PX**2


class Shrunk(c.Structure):
    """The kernel's argument, laid out as in kernels/shrink.cu."""

    _fields_ = (
        *((name, c.c_ulonglong) for name in ("luma", "chroma", "out")),
        *((name, c.c_int) for name in ("luma_pitch", "chroma_pitch", "width", "height")),
        *((name, c.c_int) for name in ("chroma_width", "chroma_height", "small_width", "small_height")),
        *((name, c.c_int) for name in ("half_width", "half_height")),
    )


class Miniature:
    """Makes NV12 pictures of `LONG_SIDE_PX` on the host, of larger ones on the GPU; for one thread.

    Each byte that is copied stands in the ledger. ModelError if the kernel cannot be compiled, loaded or run.
    """

    def __init__(self, cuda: CudaDriver, cubins: Cubins, ledger: Ledger) -> None:
        self._cuda = cuda
        self._ledger = ledger
        cubin = cubins.get(KERNEL, kernel_source(), cuda.gpu)
        with cuda.current():
            self._module = cuda.load_module(cubin)
            self._function = cuda.function(self._module, "shrink")
            self._stream = cuda.make_stream()
            self._device, self._host = cuda.allocate(_ROOM), cuda.allocate_host(_ROOM)
        memory: Any = (c.c_ubyte * _ROOM).from_address(self._host)
        self._pixels: NDArray[np.uint8] = np.frombuffer(memory, np.uint8)

    def small(self, frame: Frame) -> Frame:
        """The frame as its `small_luma` is sized; its buffer is free again."""
        scale = LONG_SIDE_PX / max(frame.width, frame.height)
        width, height = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        half = (width + 1) // 2, (height + 1) // 2
        luma, chroma = frame.device
        what = Shrunk(
            luma=luma.handle,
            chroma=chroma.handle,
            out=self._device,
            luma_pitch=luma.pitch,
            chroma_pitch=chroma.pitch,
            width=luma.width,
            height=luma.height,
            chroma_width=chroma.width,
            chroma_height=chroma.height,
            small_width=width,
            small_height=height,
            half_width=half[0],
            half_height=half[1],
        )
        area = width * height
        size = area + 2 * half[0] * half[1]
        grid = -(-width // _BLOCK[0]), -(-(height + half[1]) // _BLOCK[1]), 1
        with self._cuda.current():
            self._cuda.launch_kernel(self._function, grid, _BLOCK, (what,), self._stream)
            self._cuda.copy_out(self._host, self._device, size, self._stream)
            self._cuda.synchronise(self._stream)
        self._ledger.count(d2h_bytes=size)
        pixels = self._pixels[:size].copy()
        planes = pixels[:area].reshape(height, width), pixels[area:].reshape(half[1], half[0], 2)
        small = replace(frame, width=width, height=height, planes=planes)
        return replace(small, memory=Memory.HOST, device=(), hold=None)

    def close(self) -> None:
        with self._cuda.current():
            self._cuda.free(self._device)
            self._cuda.free_host(self._host)
            self._cuda.destroy_stream(self._stream)
            self._cuda.unload_module(self._module)
