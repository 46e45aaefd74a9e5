"""What decodes here: the GPU's driver and the libraries around it, found when the first camera opens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from edgeguard.capture.frames import FrameMaker, HostFrames
from edgeguard.capture.surfaces import CudaMemoryFrames, GstCuda, NvBufLibrary, NvmmFrames, open_egl
from edgeguard.capture.surfaces.nvbuf import PLACES
from edgeguard.capture.tiers import ELEMENTS, Makers, Tier, Tiers
from edgeguard.clock import Clock
from edgeguard.cuda.driver import CudaDriver, open_cuda
from edgeguard.cuda.ledger import Crossings, Ledger
from edgeguard.errors import DependencyError, ModelError
from edgeguard.gst import available

DECODERS: Mapping[Tier, frozenset[str]] = {
    Tier.NVMM: frozenset({"nvv4l2decoder", "nvarguscamerasrc"}),
    Tier.NVCODEC: frozenset({"nvh264dec", "nvh265dec"}),
}


class Gear:
    """One driver for all cameras; each camera has a ledger of its own."""

    def __init__(
        self,
        clock: Clock,
        opener: Callable[[], CudaDriver] = open_cuda,
        nvbuf: Sequence[str] = PLACES,
        elements: Callable[[], frozenset[str]] | None = None,
    ) -> None:
        self._clock = clock
        self._opener = opener
        self._nvbuf = nvbuf
        self._elements = elements or partial(available, ELEMENTS.union(*DECODERS.values()))
        self._lock = threading.Lock()
        self._driver: CudaDriver | None = None
        self._fault: str | None = None
        self._gst_cuda: GstCuda | None = None
        self._ledgers: list[Ledger] = []

    def tiers(self, camera: str) -> Tiers:
        """How that camera may be decoded."""
        ledger = Ledger()
        self._ledgers.append(ledger)
        return Tiers(camera, partial(self.makers, ledger), self._clock, ledger)

    def crossed(self) -> Crossings:
        """What all cameras together moved."""
        return sum((ledger.read() for ledger in self._ledgers), Crossings())

    def makers(self, ledger: Ledger) -> Makers:
        """The tiers of this box. Raises DependencyError without GStreamer."""
        elements = self._elements()
        makers: dict[Tier, Callable[[], FrameMaker]] = {Tier.CPU: partial(HostFrames, ledger)}
        lacking: dict[Tier, str] = {}
        share: dict[Tier, Callable[[object], object]] = {}
        for tier in (tier for tier, decoders in DECODERS.items() if elements & decoders):
            try:
                driver = self._open()
                if tier is Tier.NVMM:
                    makers[tier] = partial(NvmmFrames, driver, ledger, self._images)
                else:
                    gst_cuda = self._share(driver)
                    makers[tier] = partial(CudaMemoryFrames, driver, ledger, gst_cuda)
                    share[tier] = gst_cuda.share
            except DependencyError as error:
                lacking[tier] = str(error)
        return Makers(elements, makers, lacking, share)

    def _open(self) -> CudaDriver:
        """The driver; DependencyError, the same every time, if there is none."""
        with self._lock:
            if self._driver is None and self._fault is None:
                try:
                    self._driver = self._opener()
                except (DependencyError, ModelError) as error:
                    self._fault = str(error)
            if self._driver is None:
                raise DependencyError(str(self._fault))
            return self._driver

    def _share(self, driver: CudaDriver) -> GstCuda:
        with self._lock:
            if self._gst_cuda is None:
                self._gst_cuda = GstCuda(driver)
            return self._gst_cuda

    def _images(self) -> NvBufLibrary:
        open_egl()
        return NvBufLibrary(self._nvbuf)
