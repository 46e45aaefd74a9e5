"""When what is behind a decoded picture was taken, and when it came."""

from __future__ import annotations

from collections import OrderedDict

_MOST = 256
"""Pictures that a decoder may hold back, and more."""
_OLDEST_NS = 10_000_000_000
"""A camera that says it took a picture longer ago has a clock that is wrong."""
Passed = tuple[int | None, int | None]
"""Monotonic times: taken, by the camera's own word, and received."""


class Way:
    """Remembers packets by their running time, which a decoder hands on to the picture."""

    def __init__(self) -> None:
        self._passed: OrderedDict[int, Passed] = OrderedDict()

    def note(self, running_ns: int | None, received_ns: int, sensor_ns: int | None) -> None:
        """A packet that goes to the decoder; `sensor_ns` is not believed where it cannot be."""
        if running_ns is None:
            return
        believed = sensor_ns is not None and 0 <= received_ns - sensor_ns <= _OLDEST_NS
        self._passed[running_ns] = (sensor_ns if believed else None, received_ns)
        if len(self._passed) > _MOST:
            self._passed.popitem(last=False)

    def of(self, running_ns: int | None) -> Passed:
        """The times of the packet behind a picture."""
        return (None, None) if running_ns is None else self._passed.get(running_ns, (None, None))

    def clear(self) -> None:
        """Running times begin anew."""
        self._passed.clear()
