"""A picture from the GPU to the host, where somebody wants to look at it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edgeguard.cuda.driver import CudaDriver
from edgeguard.cuda.ledger import Ledger
from edgeguard.types import DevicePlane, Frame, Memory


class Download:
    """`to_host` for one GPU; each byte of it stands in the ledger."""

    def __init__(self, driver: CudaDriver, ledger: Ledger) -> None:
        self._driver = driver
        self._ledger = ledger

    def to_host(self, frame: Frame) -> Frame:
        """The same frame with planes on the host; itself if it lies there. ModelError if the copy fails.

        The frame's hold stays as it is: whoever has the frame gives the buffer back.
        """
        if frame.memory is Memory.HOST:
            return frame
        luma, chroma = frame.device
        with self._driver.current():
            planes = self._plane(luma, 1)[:, :, 0], self._plane(chroma, 2)
        self._ledger.count(d2h_bytes=sum(plane.nbytes for plane in planes))
        return replace(frame, planes=planes, memory=Memory.HOST, device=(), hold=None)

    def _plane(self, plane: DevicePlane, channels: int) -> NDArray[np.uint8]:
        """(rows, columns, channels), read-only."""
        dense = np.empty((plane.height, plane.width, channels), np.uint8)
        row_bytes = plane.width * channels
        self._driver.copy_plane_out(dense.ctypes.data, row_bytes, plane.height, plane.handle, plane.pitch)
        dense.flags.writeable = False
        return dense
