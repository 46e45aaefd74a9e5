"""One buffer of a Jetson's decoder that CUDA knows: made step by step, and taken apart backwards."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from typing import Protocol

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces.surface import Surface, egl_image
from edgeguard.cuda.driver import CudaDriver
from edgeguard.cuda.interop import MappedImage
from edgeguard.errors import UnavailableError
from edgeguard.types import DevicePlane, Memory

log = logging.getLogger(__name__)


class EglImages(Protocol):
    """What gives a surface its EGL image: libnvbufsurface."""

    def map_egl(self, surface: Surface, size: int) -> int: ...

    def unmap_egl(self, address: int) -> None: ...


class Registration:
    """CUDA's view of one buffer. Make it and end it inside `driver.current()`, while the buffer lives."""

    def __init__(self, surface: Surface, size: int, images: EglImages, driver: CudaDriver) -> None:
        """SurfaceError or ModelError if a step fails; nothing is left behind then."""
        self._driver = driver
        self.surface = surface
        self.readers = 0
        """Frames that were given out with these planes and not given back."""
        with ExitStack() as undo:
            self.image = surface.egl_image
            if not self.image:
                self.image = images.map_egl(surface, size)
                undo.callback(self._unmap, images, size)
            resource = driver.register_egl(self.image)
            undo.callback(driver.unregister, resource)
            self.memory, self.planes = self._look(driver.egl_frame(resource), undo)
            self._undo = undo.pop_all()

    def fits(self, surface: Surface) -> bool:
        """Whether the pool still has the same picture there; a descriptor's number comes again."""
        return self.image == surface.egl_image and self.surface.shape == surface.shape

    def end(self) -> None:
        """Textures, then the registration, then the EGL image; a step that fails holds up no other."""
        if self._driver.lost:
            self._undo.pop_all()
            return
        try:
            self._undo.close()
        except UnavailableError as error:
            log.warning("a buffer of a camera's decoder could not be let go of: %s", error)

    def _unmap(self, images: EglImages, size: int) -> None:
        """Only the image that was made here: another's may have taken its place."""
        if egl_image(self.surface.address, size) == self.image:
            images.unmap_egl(self.surface.address)

    def _look(self, image: MappedImage, undo: ExitStack) -> tuple[Memory, tuple[DevicePlane, DevicePlane]]:
        if len(image.planes) != len(self.surface.pitches) or not image.is_bytes:
            raise SurfaceError(
                f"CUDA sees {len(image.planes)} planes{'' if image.is_bytes else ', not of bytes,'} in the "
                "decoder's picture, and EdgeGuard reads NV12"
            )
        luma, chroma = image.planes
        if not image.is_array:
            return Memory.CUDA_PITCH, self.surface.planes(
                (luma, chroma), (image.pitch, self.surface.pitches[1])
            )
        textures = self._texture(luma, undo), self._texture(chroma, undo)
        return Memory.CUDA_ARRAY, self.surface.planes(textures, (0, 0))

    def _texture(self, array: int, undo: ExitStack) -> int:
        texture = self._driver.make_texture(array)
        undo.callback(self._driver.destroy_texture, texture)
        return texture
