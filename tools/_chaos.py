"""Kills programs at random moments and starts them again, all from one seed."""

from __future__ import annotations

import random
from collections.abc import Sequence

from _programs import Program

INTERVAL_S = (0.2, 2.8)
"""Between one kill and the next, long enough for some to come back and short enough for some to not."""
PAUSE_S = (0.0, 1.2)
"""How long a program stays dead."""


class Chaos:
    """Call `step` again and again with the time; at most one kill or start happens in each call."""

    def __init__(self, programs: Sequence[Program], seed: int, kills: int, now_s: float) -> None:
        self.kills: dict[str, int] = {program.name: 0 for program in programs}
        """How often each was killed so far."""
        self._programs = programs
        self._random = random.Random(seed)  # noqa: S311  to be repeated, not to be secret
        self._left = kills
        self._dead_until: dict[Program, float] = {}
        self._next_kill_s = now_s + self._random.uniform(*INTERVAL_S)

    @property
    def over(self) -> bool:
        """Every kill was made, and everything runs again."""
        return not self._left and not self._dead_until

    def step(self, now_s: float) -> Program | None:
        """The program that was killed, if one was; RuntimeError if one ended by itself."""
        for program, until_s in self._dead_until.items():
            if now_s >= until_s:
                del self._dead_until[program]
                program.start()
                return None
        if self._left and now_s >= self._next_kill_s:
            self._next_kill_s = now_s + self._random.uniform(*INTERVAL_S)
            return self._kill(now_s)
        return None

    def _kill(self, now_s: float) -> Program | None:
        """One that runs, be it only just starting."""
        alive = [program for program in self._programs if program not in self._dead_until]
        for program in alive:
            if not program.running:
                raise RuntimeError(f"{program.name} ended by itself with exit code {program.exit_code}")
        if not alive:
            return None
        victim = self._random.choice(alive)
        victim.kill9()
        self._left -= 1
        self.kills[victim.name] += 1
        self._dead_until[victim] = now_s + self._random.uniform(*PAUSE_S)
        return victim
