"""The buffers of one decoder that CUDA knows: each is registered once, and let go of before it is freed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import partial

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces.registration import EglImages, Registration
from edgeguard.capture.surfaces.surface import Surface
from edgeguard.cuda.driver import CudaDriver
from edgeguard.cuda.ledger import Ledger
from edgeguard.gst.lifetime import forget, when_freed

LIMIT = 64
"""More than any decoder's pool; a pool without end would fill the GPU's tables."""


class Registry:
    """From a surface to its planes, by the number of its dmabuf; the EGL image tells a number used again.

    `take` and `purge` are the camera's thread's; `give_back` comes from whoever reads the frame, and the end
    of a buffer from GStreamer's threads.
    """

    def __init__(self, images: EglImages, driver: CudaDriver, ledger: Ledger, limit: int = LIMIT) -> None:
        self._images = images
        self._driver = driver
        self._ledger = ledger
        self._limit = limit
        self._lock = threading.RLock()  # a buffer may be freed by the very call that holds it
        self._known: OrderedDict[int, Registration] = OrderedDict()
        self._retired: dict[int, Registration] = {}
        """No longer given out, and still read by somebody."""
        self._ends: dict[int, int] = {}
        """What tells that the buffer of a registration is freed, by the registration's `id`."""

    def __len__(self) -> int:
        return len(self._known) + len(self._retired)

    def take(self, surface: Surface, size: int, memory: int) -> Registration:
        """The registration of a mapped buffer, whose GstMemory is `memory`; one reader more.

        Call it inside `driver.current()`. SurfaceError or ModelError if it cannot be registered.
        """
        with self._lock:
            known = self._find(surface)
            if known is None:
                known = self._register(surface, size, memory)
            else:
                self._ledger.count(hits=1)
            known.readers += 1
            return known

    def give_back(self, registration: Registration) -> None:
        """One reader less; on any thread, while the buffer still lives."""
        with self._lock:
            registration.readers -= 1
            if not registration.readers and id(registration) in self._retired:
                del self._retired[id(registration)]
                self._end(registration)

    def purge(self) -> None:
        """Let go of all that nobody reads, and of the rest as soon as it is read."""
        with self._lock:
            for fd in list(self._known):
                self._retire(fd)

    def _find(self, surface: Surface) -> Registration | None:
        """One that is known; or was let go of and is read still, for no image may be registered twice."""
        for retired in self._retired.values():
            if retired.surface.fd == surface.fd and retired.fits(surface):
                self._known[surface.fd] = self._retired.pop(id(retired))
                break
        known = self._known.get(surface.fd)
        if known is None or not known.fits(surface):
            return None
        self._known.move_to_end(surface.fd)
        return known

    def _register(self, surface: Surface, size: int, memory: int) -> Registration:
        if surface.fd in self._known:
            self._retire(surface.fd)
        self._make_room()
        made = Registration(surface, size, self._images, self._driver)
        self._known[surface.fd] = made
        self._ends[id(made)] = when_freed(memory, partial(self._freed, surface.fd, made))
        self._ledger.count(registrations=1)
        return made

    def _make_room(self) -> None:
        while len(self) >= self._limit:
            idle = next((fd for fd, one in self._known.items() if not one.readers), None)
            if idle is None:
                raise SurfaceError(
                    f"{len(self)} buffers of one decoder are in use at once: none is given back"
                )
            self._retire(idle)

    def _retire(self, fd: int) -> None:
        registration = self._known.pop(fd)
        if registration.readers:
            self._retired[id(registration)] = registration
        else:
            self._end(registration)

    def _freed(self, fd: int, registration: Registration) -> None:
        """GStreamer is about to free the buffer; nobody can read it any more."""
        with self._lock:
            if self._known.get(fd) is registration:
                del self._known[fd]
            self._retired.pop(id(registration), None)
            self._end(registration)

    def _end(self, registration: Registration) -> None:
        end = self._ends.pop(id(registration), None)
        if end is None:
            return
        forget(end)
        with self._driver.current():
            registration.end()
