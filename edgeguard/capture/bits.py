"""Bits of a NAL unit, as H.264 and H.265 write them."""

from __future__ import annotations


class Bits:
    """Reads from the front; raises ValueError past the end.

    `raw` is a NAL unit's payload with its emulation prevention bytes, at least as much as will be read.
    """

    def __init__(self, raw: bytes) -> None:
        plain = raw.replace(b"\x00\x00\x03", b"\x00\x00")
        self._value = int.from_bytes(plain, "big")
        self._left = 8 * len(plain)

    def u(self, count: int) -> int:
        """An unsigned number of `count` bits."""
        self._left -= count
        if self._left < 0:
            raise ValueError("the NAL unit ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def flag(self) -> bool:
        return bool(self.u(1))

    def ue(self) -> int:
        """An unsigned Exp-Golomb number."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("no Exp-Golomb number has so many zeros")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb number."""
        number = self.ue()
        return (number + 1) // 2 if number % 2 else -(number // 2)
