"""What each camera should get, how long a batch may wait, and how pictures come from the GPU for evidence."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from edgeguard.capture.surfaces.download import Download
from edgeguard.clock import Clock
from edgeguard.config.cameras import Camera
from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.driver import CudaDriver, GpuLostError, open_cuda
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import ModelError
from edgeguard.runtime.assembly.sources import is_realtime
from edgeguard.runtime.pacing import Pacer, Wish
from edgeguard.types import Frame, Memory
from edgeguard.vision.miniature import Miniature
from edgeguard.vision.motion import LONG_SIDE_PX

log = logging.getLogger(__name__)

_RANKS = {"low": 0, "normal": 1, "high": 2}
_LONGEST_S = 0.02
_SHARE_OF_A_PERIOD = 0.1


def pacer_of(cameras: Mapping[str, Camera], clock: Clock) -> Pacer:
    """Of the cameras in real time; a file that is read fast waits for its analysis anyway."""
    return Pacer(wishes_of(cameras), clock)


def wishes_of(cameras: Mapping[str, Camera]) -> dict[str, Wish]:
    return {
        name: Wish(camera.analyse_fps, camera.min_analyse_fps, _RANKS[camera.priority])
        for name, camera in cameras.items()
        if is_realtime(camera)
    }


def patience_s(cameras: Mapping[str, Camera]) -> float:
    """How long a picture may wait for others of its batch: a tenth of the shortest time between two."""
    fastest = max((camera.analyse_fps for camera in cameras.values()), default=1.0)
    return min(_LONGEST_S, _SHARE_OF_A_PERIOD / fastest)


class Downloads:
    """Copies pictures from the GPU, whose driver is opened at the first one; for the vision thread."""

    def __init__(self, ledger: Ledger, cubins: Cubins, opener: Callable[[], CudaDriver] = open_cuda) -> None:
        self._ledger = ledger
        self._cubins = cubins
        self._opener = opener
        self._driver: CudaDriver | None = None
        self._download: Download | None = None
        self._miniature: Miniature | None = None
        self._may_shrink = True

    def to_host(self, frame: Frame) -> Frame:
        """The frame with its planes in host memory; one that lies there already needs no driver."""
        if frame.memory is Memory.HOST:
            return frame
        if self._download is None:
            self._download = Download(self._cuda(), self._ledger)
        return self._download.to_host(frame)

    def to_small(self, frame: Frame) -> Frame:
        """On the host in any size from `LONG_SIDE_PX` up, and as little of it as can be copied."""
        if frame.memory is Memory.HOST or max(frame.width, frame.height) <= LONG_SIDE_PX:
            return self.to_host(frame)
        try:
            if self._may_shrink:
                self._miniature = self._miniature or Miniature(self._cuda(), self._cubins, self._ledger)
                return self._miniature.small(frame)
        except GpuLostError:
            raise
        except ModelError as error:
            self._may_shrink = False
            log.warning("cameras' views are examined on whole pictures of the GPU: %s", error)
        return self.to_host(frame)

    def _cuda(self) -> CudaDriver:
        if self._driver is None:
            self._driver = self._opener()
        return self._driver
