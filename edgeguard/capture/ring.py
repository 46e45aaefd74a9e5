"""The last seconds of a camera as it encoded them."""

from __future__ import annotations

from collections import deque

from edgeguard.types import Packet


class EncodedRing:
    """Keeps the newest packets within `max_bytes` and `max_s`, always from a keyframe on.

    Time is the arrival: cameras stamp as they like. What is too old goes a whole group of pictures at a time,
    so that the seconds asked for are always there; only the bytes may cost some of them. One thread's.
    """

    def __init__(self, max_bytes: int, max_s: float) -> None:
        if max_bytes < 1 or max_s <= 0:
            raise ValueError(f"a ring of {max_bytes} bytes and {max_s} s holds nothing")
        self._max_bytes = max_bytes
        self._max_ns = round(max_s * 1e9)
        self._groups: deque[_Group] = deque()
        self.bytes = 0
        self.dropped = 0
        """Packets that came without a keyframe before them, or whose group was too large to be kept."""

    def put(self, packet: Packet) -> None:
        """Take the next packet in the order of the stream."""
        if packet.keyframe:
            self._groups.append(_Group())
        elif not self._groups:
            self.dropped += 1
            return
        self._groups[-1].add(packet)
        self.bytes += packet.size
        self._let_go(packet.arrived_ns)

    def since(self, arrived_ns: int) -> list[Packet]:
        """From the last keyframe that came no later than `arrived_ns`, or from the first that is left."""
        first = 0
        for number, group in enumerate(self._groups):
            if group.packets[0].arrived_ns <= arrived_ns:
                first = number
        return [packet for group in list(self._groups)[first:] for packet in group.packets]

    def clear(self) -> None:
        """Forget everything: what comes now is another stream."""
        self._groups.clear()
        self.bytes = 0

    def reaches_back(self, first_ns: int, lasting_ns: int) -> bool:
        """Whether it holds the keyframe that came at `first_ns`, and keeps one for `lasting_ns`, if the
        bytes allow that."""
        return bool(self._groups) and (
            self._groups[0].packets[0].arrived_ns <= first_ns and self._max_ns >= lasting_ns
        )

    @property
    def seconds(self) -> float:
        """From the first packet's arrival to the last's."""
        if not self._groups:
            return 0.0
        return (self._groups[-1].packets[-1].arrived_ns - self._groups[0].packets[0].arrived_ns) / 1e9

    def __len__(self) -> int:
        return sum(len(group.packets) for group in self._groups)

    def _let_go(self, now_ns: int) -> None:
        while len(self._groups) > 1 and now_ns - self._groups[1].packets[0].arrived_ns >= self._max_ns:
            self.bytes -= self._groups.popleft().bytes
        while self._groups and self.bytes > self._max_bytes:
            group = self._groups.popleft()
            self.bytes -= group.bytes
            if not self._groups:  # a single group is larger than the ring: what follows has no keyframe
                self.dropped += len(group.packets)


class _Group:
    """A keyframe and what depends on it."""

    __slots__ = ("bytes", "packets")

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.bytes = 0

    def add(self, packet: Packet) -> None:
        self.packets.append(packet)
        self.bytes += packet.size
