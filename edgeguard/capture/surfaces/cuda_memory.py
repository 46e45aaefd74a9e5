"""Frames of a desktop GPU's decoder (`memory:CUDAMemory`) where they lie."""

from __future__ import annotations

import ctypes as c
from typing import Any

from edgeguard.capture.frames import Stamp, SurfaceError, colour_of, device_frame
from edgeguard.capture.surfaces.hold import BufferHold, Pending
from edgeguard.cuda.driver import CudaDriver
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import DependencyError, ModelError
from edgeguard.gst import Sample
from edgeguard.gst.sharing import set_context
from edgeguard.types import DevicePlane, Frame, Memory, PixelFormat

LIBRARY = "libgstcuda-1.0.so.0"


class GstCuda:
    """GStreamer's own CUDA library, told to use our context."""

    def __init__(self, driver: CudaDriver, library: str = LIBRARY) -> None:
        """DependencyError if it is not installed or does not find the driver."""
        self._library = _load(library)
        if not self._library.gst_cuda_load_library():
            raise DependencyError(f"{library} does not find the NVIDIA driver")
        with driver.current():
            context = self._library.gst_cuda_context_new_wrapped(driver.context_handle(), 0)
        if not context:
            raise DependencyError(f"{library} does not take our CUDA context")
        self._library.gst_cuda_memory_init_once()
        self._context = self._library.gst_context_new_cuda_context(context)

    def share(self, element: Any) -> None:
        """Let a decoder work in our context, so that its memory is ours to read; before it starts."""
        set_context(element, self._context)

    def settle(self, memory: int) -> None:
        """Wait until the decoder has written the memory. SurfaceError if it is none of CUDA's."""
        if not self._library.gst_is_cuda_memory(memory):
            raise SurfaceError("the decoder gave memory of the host where CUDA's was agreed")
        if hasattr(self._library, "gst_cuda_memory_sync"):  # older versions have waited already
            self._library.gst_cuda_memory_sync(memory)


class CudaMemoryFrames:
    """The map of such a buffer is an address on the GPU if its flags ask for that."""

    def __init__(self, driver: CudaDriver, ledger: Ledger, gst_cuda: GstCuda) -> None:
        self._driver = driver
        self._ledger = ledger
        self._gst_cuda = gst_cuda
        self._pending = Pending(driver)

    def frame(self, sample: Sample, stamp: Stamp) -> Frame:
        try:
            with self._driver.current():
                self._pending.reap()
                return self._frame(sample, stamp)
        except ModelError as error:
            if self._driver.lost:
                raise
            raise SurfaceError(str(error)) from error

    def close(self) -> None:
        with self._driver.current():
            self._pending.finish()

    def _frame(self, sample: Sample, stamp: Stamp) -> Frame:
        self._gst_cuda.settle(sample.memory())
        layout = sample.video_layout()
        if layout.format != PixelFormat.NV12.value:
            raise SurfaceError(
                f"the decoder gives {layout.format}, and EdgeGuard reads 8-bit NV12 on the GPU"
            )
        mapped = sample.map_device()
        luma, chroma = (mapped.address + layout.offsets[index] for index in (0, 1))
        half = (layout.width + 1) // 2, (layout.height + 1) // 2
        planes = (
            DevicePlane(luma, layout.strides[0], layout.width, layout.height),
            DevicePlane(chroma, layout.strides[1], *half),
        )
        self._ledger.count(frames=1)
        hold = BufferHold(mapped, self._pending, _nothing)
        return device_frame(stamp, Memory.CUDA_PITCH, planes, colour_of(layout), hold)


def _nothing() -> None:
    """The buffer was never registered."""


def _load(name: str) -> c.CDLL:
    try:
        library = c.CDLL(name)
        library.gst_cuda_context_new_wrapped.argtypes = (c.c_void_p, c.c_int)
        library.gst_cuda_context_new_wrapped.restype = c.c_void_p
        library.gst_context_new_cuda_context.argtypes = (c.c_void_p,)
        library.gst_context_new_cuda_context.restype = c.c_void_p
        library.gst_is_cuda_memory.argtypes = (c.c_void_p,)
        if hasattr(library, "gst_cuda_memory_sync"):
            library.gst_cuda_memory_sync.argtypes = (c.c_void_p,)
    except (OSError, AttributeError) as error:
        raise DependencyError(
            f"GStreamer's CUDA library cannot be used ({error}); install gstreamer1.0-plugins-bad"
        ) from error
    return library
