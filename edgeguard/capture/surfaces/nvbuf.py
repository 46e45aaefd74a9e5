"""NVIDIA's library of surfaces on a Jetson: the EGL images of a decoder's buffers."""

from __future__ import annotations

import ctypes as c
from collections.abc import Sequence
from contextlib import suppress

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces.surface import Surface, egl_image
from edgeguard.errors import DependencyError

PLACES = (
    "libnvbufsurface.so.1.0.0",
    "libnvbufsurface.so",
    "/usr/lib/aarch64-linux-gnu/nvidia/libnvbufsurface.so.1.0.0",
    "/usr/lib/aarch64-linux-gnu/tegra/libnvbufsurface.so.1.0.0",
)


class NvBufLibrary:
    """libnvbufsurface; ctypes releases the GIL around its calls."""

    def __init__(self, places: Sequence[str] = PLACES) -> None:
        """DependencyError if it is nowhere."""
        self._library = _load(places)
        for name in ("NvBufSurfaceMapEglImage", "NvBufSurfaceUnMapEglImage"):
            entry = getattr(self._library, name)
            entry.argtypes, entry.restype = (c.c_void_p, c.c_int), c.c_int

    @property
    def expected_abi(self) -> str:
        """Which version of the structures this library should have; each buffer's size is what counts."""
        return "B" if hasattr(self._library, "NvBufSurfaceMapCudaBuffer") else "A"

    def map_egl(self, surface: Surface, size: int) -> int:
        """Give the first surface an EGL image, which stays until `unmap_egl` or the end of its buffer."""
        result = self._library.NvBufSurfaceMapEglImage(surface.address, 0)
        image = 0 if result else egl_image(surface.address, size)
        if not image:
            raise SurfaceError(f"NvBufSurfaceMapEglImage failed ({result}): is EGL usable without a display?")
        return image

    def unmap_egl(self, address: int) -> None:
        """Take the EGL image back; the buffer must still live."""
        result = self._library.NvBufSurfaceUnMapEglImage(address, 0)
        if result:
            raise SurfaceError(f"NvBufSurfaceUnMapEglImage failed ({result})")


def _load(places: Sequence[str]) -> c.CDLL:
    for place in places:
        with suppress(OSError):
            return c.CDLL(place)
    raise DependencyError(
        "libnvbufsurface is not installed: it comes with JetPack (package nvidia-l4t-multimedia), and a "
        "container sees it only under the NVIDIA runtime"
    )
