"""How many messages may be on their way: more while they are confirmed soon, fewer when they are not."""

from __future__ import annotations

_CAREFUL = 200
_SOON = 8
"""Confirmed within this part of the time-out is soon: a window several times as large is in time as well."""


class Window:
    """Begins with 200, or with `most` if that is less; `size` never exceeds `most`.

    It rises by one with each message that is confirmed within an eighth of `timeout_s`, and falls by half,
    not below where it began, when one is not confirmed in time: so a burst on a good line does not wait for
    confirmations, and a thin line is not given more than it can carry before everything is sent again.
    """

    def __init__(self, most: int, timeout_s: float) -> None:
        self._most = most
        self._least = self.size = min(most, _CAREFUL)
        self._soon_ns = round(timeout_s * 1e9) // _SOON

    def reset(self) -> None:
        """A new connection, of which nothing is known."""
        self.size = self._least

    def confirmed(self, after_ns: int) -> None:
        """One message was confirmed so long after it was sent."""
        if after_ns <= self._soon_ns:
            self.size = min(self._most, self.size + 1)

    def late(self) -> None:
        """At least one was not confirmed in time."""
        self.size = max(self._least, self.size // 2)
