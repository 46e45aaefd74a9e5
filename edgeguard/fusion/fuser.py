"""Passes every observation on, followed by what it completes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edgeguard.types import Observation


class FusionRule(Protocol):
    """Joins observations of several sources; all its times come from them."""

    name: str

    def update(self, observation: Observation) -> list[Observation]:
        """Take one observation, in about the order of time; returns what it completes."""


class Fuser:
    """All fusion rules of the site."""

    def __init__(self, rules: Sequence[FusionRule]) -> None:
        self._rules = rules

    def update(self, observation: Observation) -> list[Observation]:
        """The observation itself, then what it completes."""
        return [observation, *(joined for rule in self._rules for joined in rule.update(observation))]
