"""UTC as far as things may be given up by their age: a clock that leaps is not believed at once.

A clock that runs months ahead, by a wrong time server or without a battery, would make everything too old.
Whether it does cannot be asked: the kernel calls it right as long as some server answers, and a box without a
server may have the right time nevertheless. So a leap against the time that passed is believed once the clock
stayed by it for a day of running. What is old goes a day later then, and until then the time before goes on.
"""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.files import text_of, write_whole

log = logging.getLogger(__name__)

_HOUR_NS = 3_600 * 10**9
_DAY_NS = 24 * _HOUR_NS
"""Smaller leaps are believed at once, longer ones after so much time of running."""
_LATEST_NS = 1 << 62
"""In the year 2116."""


@dataclass(frozen=True, slots=True)
class _Belief:
    """As it is on the disk, for the next look of whatever process."""

    utc_ns: int
    monotonic_ns: int
    doubted_ns: int | None = None
    """For how long the clock was by another time; None: it was not."""


class BelievedTime:
    """`note` is a small file that the processes of a site share. Never raises: where it cannot be written,
    the last one counts."""

    def __init__(self, note: Path, clock: Clock) -> None:
        self._note = note
        self._clock = clock

    def utc_ns(self) -> int:
        """What ages count to, never later than the clock."""
        return min(self._clock.utc_ns(), self._look().utc_ns)

    def date_ns(self) -> int:
        """Of what is kept now, never earlier than the clock: it may not be set yet since the start."""
        return max(self._clock.utc_ns(), self._look().utc_ns)

    def _look(self) -> _Belief:
        before, utc_ns = self._read(), self._clock.utc_ns()
        belief = self._judged(before, utc_ns)
        if before is None or _is_news(before, belief):
            self._write(belief)
            if belief.doubted_ns == 0 and (doubt := _doubt(belief, utc_ns)):
                log.warning("%s", doubt)
        return belief

    def doubt(self) -> str | None:
        """Why things go by another time than the clock's; None: they go by it. Writes nothing."""
        utc_ns = self._clock.utc_ns()
        return _doubt(self._judged(self._read(), utc_ns), utc_ns)

    def _judged(self, before: _Belief | None, utc_ns: int) -> _Belief:
        now_ns = self._clock.monotonic_ns()
        return _Belief(utc_ns, now_ns) if before is None else _judge(before, utc_ns, now_ns)

    def _read(self) -> _Belief | None:
        try:
            belief = _Belief(**{key: int(value) for key, value in json.loads(text_of(self._note)).items()})
        except (ValueError, TypeError, AttributeError, OverflowError):
            return None
        return belief if 0 <= belief.utc_ns <= _LATEST_NS else None

    def _write(self, belief: _Belief) -> None:
        """Not as root in a folder of the guard's, who could not read it then, or had laid a link there."""
        known = {key: value for key, value in asdict(belief).items() if value is not None}
        with suppress(OSError):
            if os.geteuid() == 0 and self._note.parent.stat().st_uid != 0:
                return
            write_whole(self._note, json.dumps(known).encode())


def _judge(before: _Belief, utc_ns: int, now_ns: int) -> _Belief:
    passed_ns = max(0, now_ns - before.monotonic_ns)  # after another start it tells too little, which is safe
    expected_ns = before.utc_ns + passed_ns
    doubted_ns = 0 if before.doubted_ns is None else before.doubted_ns + passed_ns
    if abs(utc_ns - expected_ns) <= _DAY_NS or doubted_ns >= _DAY_NS:
        return _Belief(utc_ns, now_ns)
    return _Belief(expected_ns, now_ns, doubted_ns)


def _doubt(belief: _Belief, utc_ns: int) -> str | None:
    """Only of leaps ahead: a clock that was set back makes nothing older."""
    if belief.utc_ns >= utc_ns:
        return None
    days = (utc_ns - belief.utc_ns) / _DAY_NS
    return f"the clock leapt {days:.1f} days ahead: nothing is removed for that until it stayed so for a day"


def _is_news(before: _Belief, belief: _Belief) -> bool:
    """Whether the disk should have it: seldom, or a doubt begins or ends, or the machine was started anew."""
    passed_ns = belief.monotonic_ns - before.monotonic_ns
    turned = (before.doubted_ns is None) is not (belief.doubted_ns is None)
    return turned or not 0 <= passed_ns < _HOUR_NS
