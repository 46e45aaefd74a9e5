"""Frames of a Jetson's decoder or camera, and of DeepStream's decoder, where they lie."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from edgeguard.capture.frames import Stamp, SurfaceError, device_frame
from edgeguard.capture.surfaces.hold import BufferHold, Pending
from edgeguard.capture.surfaces.registration import EglImages
from edgeguard.capture.surfaces.registry import Registry
from edgeguard.capture.surfaces.surface import Surface, read_surface
from edgeguard.cuda.driver import CudaDriver
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import DependencyError, ModelError
from edgeguard.gst import MappedBuffer, Sample
from edgeguard.types import DevicePlane, Frame, Memory


class NvmmFrames:
    """The map of such a buffer holds a description, not pixels; no pixel is touched by the host."""

    def __init__(self, driver: CudaDriver, ledger: Ledger, open_images: Callable[[], EglImages]) -> None:
        """`open_images` is called at the first buffer that CUDA cannot address."""
        self._driver = driver
        self._ledger = ledger
        self._open_images = open_images
        self._registry: Registry | None = None
        self._pending = Pending(driver)
        self._shape: tuple[int, int, int] | None = None

    def frame(self, sample: Sample, stamp: Stamp) -> Frame:
        try:
            with self._driver.current():
                self._pending.reap()
                return self._frame(sample.map(), stamp)
        except (DependencyError, ModelError) as error:
            if self._driver.lost:
                raise
            raise SurfaceError(str(error)) from error

    def close(self) -> None:
        with self._driver.current():
            self._pending.finish()
        if self._registry is not None:
            self._registry.purge()

    def _frame(self, mapped: MappedBuffer, stamp: Stamp) -> Frame:
        surface = read_surface(mapped.address, mapped.size)
        if surface.is_addressable:
            memory, planes, leave = Memory.CUDA_PITCH, surface.addressed(), _nothing
        else:
            memory, planes, leave = self._registered(surface, mapped)
        self._ledger.count(frames=1)
        hold = BufferHold(mapped, self._pending, leave)
        return device_frame(stamp, memory, planes, surface.colour, hold)

    def _registered(
        self, surface: Surface, mapped: MappedBuffer
    ) -> tuple[Memory, tuple[DevicePlane, DevicePlane], Callable[[], None]]:
        if self._registry is None:
            self._registry = Registry(self._open_images(), self._driver, self._ledger)
        if self._shape not in (None, surface.shape):
            self._registry.purge()
        self._shape = surface.shape
        taken = self._registry.take(surface, mapped.size, mapped.memory)
        return taken.memory, taken.planes, partial(self._registry.give_back, taken)


def _nothing() -> None:
    """A buffer that was never registered is left without a word."""
