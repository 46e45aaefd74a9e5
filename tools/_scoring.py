"""Which raised alerts answer which expected ones, and what that is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

_FORBIDDEN = 1e6
"""Costs more than all allowed pairs together, so that the most pairs are found first, then the nearest."""


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that a person would raise."""

    rule: str
    at_s: float
    """Time in the clip."""
    within_s: float
    """How far from `at_s` an alert may be."""
    note: str = ""
    """Who does it."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that was opened."""

    rule: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Score:
    """How raised alerts compare with expected ones."""

    pairs: tuple[tuple[Expected, Raised], ...] = ()
    missed: tuple[Expected, ...] = ()
    extra: tuple[Raised, ...] = ()

    @property
    def precision(self) -> float:
        """Share of the raised alerts that were expected; 1 if there are none."""
        return _share(len(self.pairs), len(self.pairs) + len(self.extra))

    @property
    def recall(self) -> float:
        """Share of the expected alerts that were raised; 1 if there are none."""
        return _share(len(self.pairs), len(self.pairs) + len(self.missed))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall (van Rijsbergen, Information Retrieval, 1979, ch. 7)."""
        wrong = len(self.missed) + len(self.extra)
        return _share(2 * len(self.pairs), 2 * len(self.pairs) + wrong)

    def figures(self) -> dict[str, float | int]:
        return {
            "expected": len(self.pairs) + len(self.missed),
            "found": len(self.pairs),
            "missed": len(self.missed),
            "extra": len(self.extra),
            "precision": round(self.precision, 3),
            "recall": round(self.recall, 3),
            "f1": round(self.f1, 3),
        }


def match(expected: Sequence[Expected], raised: Sequence[Raised]) -> Score:
    """Pair each expected alert with at most one that the same rule raised within its tolerance.

    Of all ways to do so, one with the most pairs, and among those the least time between partners, is taken
    (assignment problem; Jonker and Volgenant, Computing 38, 1987, as SciPy solves it).
    """
    costs = np.array([[_cost(one, other) for other in raised] for one in expected], np.float64)
    costs = costs.reshape(len(expected), len(raised))
    cells = np.stack(linear_sum_assignment(costs), axis=1).tolist()
    chosen = [(row, column) for row, column in cells if costs[row, column] < _FORBIDDEN]
    answered, used = {row for row, _ in chosen}, {column for _, column in chosen}
    return Score(
        pairs=tuple((expected[row], raised[column]) for row, column in chosen),
        missed=tuple(one for row, one in enumerate(expected) if row not in answered),
        extra=tuple(other for column, other in enumerate(raised) if column not in used),
    )


def total(scores: Iterable[Score]) -> Score:
    """All scores as one."""
    scores = list(scores)
    return Score(
        pairs=tuple(pair for score in scores for pair in score.pairs),
        missed=tuple(one for score in scores for one in score.missed),
        extra=tuple(one for score in scores for one in score.extra),
    )


def _cost(one: Expected, other: Raised) -> float:
    apart_s = abs(other.at_s - one.at_s)
    return apart_s if one.rule == other.rule and apart_s <= one.within_s else _FORBIDDEN


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
