"""Decoders' buffers that are still being read: each goes back as soon as the GPU is done with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from edgeguard.cuda.driver import CudaDriver
from edgeguard.gst import MappedBuffer


class Pending:
    """Buffers that wait for a CUDA event each, in the order in which they were handed in."""

    def __init__(self, driver: CudaDriver) -> None:
        self._driver = driver
        self._waiting: deque[tuple[int, BufferHold]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, stream: int, hold: BufferHold) -> None:
        """Inside `driver.current()`, on any thread; the event is ours, so that the reader may end before."""
        event = self._driver.make_event()
        self._driver.record(event, stream)
        self._waiting.append((event, hold))

    def reap(self) -> None:
        """Give back what is read; inside `driver.current()`, on the camera's thread."""
        while self._waiting and self._is_over(self._waiting[0][0]):
            self._give_back(*self._waiting.popleft())

    def finish(self) -> None:
        """Wait for the rest and give it back; inside `driver.current()`."""
        while self._waiting:
            event, hold = self._waiting.popleft()
            if not self._driver.lost:
                self._driver.wait_for_event(event)
            self._give_back(event, hold)

    def _give_back(self, event: int, hold: BufferHold) -> None:
        if not self._driver.lost:
            self._driver.destroy_event(event)
        hold.release()

    def _is_over(self, event: int) -> bool:
        return bool(self._driver.lost) or self._driver.is_complete(event)


class BufferHold:
    """One buffer, mapped until it is given back; a hold that nobody keeps gives it back, too."""

    def __init__(self, mapped: MappedBuffer, pending: Pending, leave: Callable[[], None]) -> None:
        """`leave` is called once, before the buffer goes back."""
        self._mapped: MappedBuffer | None = mapped
        self._pending = pending
        self._leave = leave

    def until(self, stream: int) -> None:
        self._pending.add(stream, self)

    def release(self) -> None:
        mapped, self._mapped = self._mapped, None
        if mapped is not None:
            self._leave()

    def __del__(self) -> None:
        self.release()
