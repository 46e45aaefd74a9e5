"""The killer does what its seed says, and notices who ends without it."""

from __future__ import annotations

from pathlib import Path

import pytest
from _chaos import Chaos
from _programs import Program


class Puppet(Program):
    """Runs when told, and writes down what was done to it."""

    def __init__(self, name: str, story: list[str]) -> None:
        super().__init__(name, [], Path())
        self.story = story
        self.up = True

    @property
    def running(self) -> bool:
        return self.up

    def start(self) -> None:
        self.up = True
        self.story.append(f"start {self.name}")

    def kill9(self) -> None:
        self.up = False
        self.story.append(f"kill {self.name}")


def rage(seed: int, kills: int) -> list[str]:
    story: list[str] = []
    chaos = Chaos([Puppet(name, story) for name in "abc"], seed, kills, 0.0)
    for step in range(100_000):
        chaos.step(step / 100)
        if chaos.over:
            break
    assert chaos.over
    return story


def test_each_kill_is_followed_by_a_start() -> None:
    story = rage(1, 30)
    kills = [line for line in story if line.startswith("kill")]
    assert len(kills) == 30
    assert len(story) == 60
    assert {line[-1] for line in kills} == set("abc")
    for name in "abc":
        mine = [line.split()[0] for line in story if line.endswith(name)]
        assert mine == ["kill", "start"] * (len(mine) // 2)


def test_the_same_seed_tells_the_same_story() -> None:
    assert rage(5, 20) == rage(5, 20) != rage(6, 20)


def test_who_ends_alone_is_noticed() -> None:
    program = Puppet("a", [])
    chaos = Chaos([program], 1, 3, 0.0)
    program.up = False
    with pytest.raises(RuntimeError, match="a ended by itself"):
        for step in range(1000):
            chaos.step(step / 100)
