"""The oracle of the torture finds what is lost and what is invented, and takes nothing else for it."""

from __future__ import annotations

from typing import Any

import pytest
from _verdict import Intent, judge

INTENTS = [Intent(1, "a", "opened"), Intent(2, "b", "opened"), Intent(3, "a", "updated")]


def told(number: int, alert_id: str, state: str) -> dict[str, Any]:
    return {"tracks": [number], "alert_id": alert_id, "state": state}


ALL = [told(1, "a", "opened"), told(2, "b", "opened"), told(3, "a", "updated")]


def test_all_is_there() -> None:
    verdict = judge(INTENTS, [1, 2, 3], ALL)
    assert (verdict.committed, verdict.collected, verdict.lost, verdict.invented) == (3, 3, [], [])


def test_what_was_committed_and_is_not_there_is_lost() -> None:
    verdict = judge(INTENTS, [1, 2, 3], ALL[:2])
    assert (verdict.committed, verdict.collected, verdict.lost) == (3, 2, [3])


def test_what_was_only_intended_may_be_there_or_not() -> None:
    assert judge(INTENTS, [1], ALL[:1]).lost == []
    verdict = judge(INTENTS, [1], ALL)
    assert (verdict.committed, verdict.collected, verdict.lost) == (3, 3, [])


def test_a_start_closes_what_was_going_on() -> None:
    verdict = judge(INTENTS, [1, 2, 3], [*ALL, told(3, "a", "closed")])
    assert (verdict.committed, verdict.collected, verdict.invented) == (4, 4, [])


@pytest.mark.parametrize(
    "stranger",
    [told(4, "a", "updated"), told(3, "b", "updated"), told(3, "a", "opened"), told(3, "b", "closed")],
    ids=["number", "alert", "state", "closing"],
)
def test_what_nobody_was_going_to_tell_is_invented(stranger: dict[str, Any]) -> None:
    verdict = judge(INTENTS, [1, 2, 3], [*ALL, stranger])
    assert (verdict.invented, verdict.committed, verdict.lost) == ([stranger["alert_id"]], 3, [])


def test_the_same_revision_twice_under_two_numbers_is_invented() -> None:
    assert judge(INTENTS, [1], [ALL[0], ALL[0]]).invented == ["a"]
