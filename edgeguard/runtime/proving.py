"""Whether what a change touched does as well as before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edgeguard.clock import Clock
from edgeguard.runtime.health import HealthBoard, State

_FINE = (State.OK.value, State.ENDED.value)
_NOT_WANTED = ("not wanted", "no webhook is configured")
"""Why a part may be off although it was well before: nobody asks for it any more."""
_HOLD_S = 3.0


class Proof:
    """Looks at the parts of health that a change touched; owned by one thread.

    A part that was well must be well again, a new one must be well; one that was not may stay as it is.
    """

    def __init__(
        self,
        board: HealthBoard,
        touched: Callable[[str], bool],
        before: Mapping[str, str],
        clock: Clock,
        patience_s: float,
        hold_s: float = _HOLD_S,
    ) -> None:
        """All must be well for `hold_s` without a break, within `patience_s`."""
        self._board = board
        self._touched = touched
        self._before = before
        self._clock = clock
        self._hold_ns = round(min(hold_s, patience_s / 2) * 1e9)
        self._until_ns = clock.monotonic_ns() + round(patience_s * 1e9)
        self._well_ns: int | None = None
        self.reason = ""
        """What is not well."""

    def look(self) -> bool | None:
        """True once it is proved, False once there is no more time, None until then."""
        now_ns = self._clock.monotonic_ns()
        worse = list(self._worse())
        self.reason = "; ".join(worse)
        if worse:
            self._well_ns = None
            return False if now_ns >= self._until_ns else None
        self._well_ns = now_ns if self._well_ns is None else self._well_ns
        return True if now_ns - self._well_ns >= self._hold_ns else None

    def _worse(self) -> Iterable[str]:
        for name, part in self._board.report().items():
            state, reason = part["state"], part["reason"]
            if self._touched(name) and not _is_as_well(state, reason, self._before.get(name)):
                yield f"{name} is {state}" + (f": {reason}" if reason else "")


def states(board: HealthBoard) -> dict[str, str]:
    """How each part does now."""
    return {name: part["state"] for name, part in board.report().items()}


def _is_as_well(state: str, reason: str | None, before: str | None) -> bool:
    if state in _FINE:
        return True
    if state == State.OFF.value:
        return before not in _FINE or reason in _NOT_WANTED
    if state == State.STARTING.value:
        return before == State.STARTING.value
    return before in (State.DEGRADED.value, State.OFF.value)
