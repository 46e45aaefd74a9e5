"""The times of a revision after the clock was stepped."""

from __future__ import annotations

from typing import Any

from edgeguard.alerts.messages import ClockQuality, alert_message
from edgeguard.alerts.times import moved_times
from edgeguard.types import Alert, BlindTime
from tests.support.alerts import IDENTITY, UTC_NS, alert

S = 10**9
HOUR_MS = 3_600_000.0


def told(one: Alert, **members: Any) -> dict[str, Any]:
    return {**alert_message(one, IDENTITY, 1, 0, ClockQuality()), **members}


def blind(at_s: float, open_end: bool = False) -> BlindTime:
    begin_ns = UTC_NS + round(at_s * S)
    return BlindTime("dock", "stalled", begin_ns, None if open_end else begin_ns + S)


def test_a_copy_has_all_its_times_by_the_new_clock() -> None:
    before = told(alert(blind=(blind(3), blind(5, open_end=True))))
    moved = moved_times(before, before, HOUR_MS)
    assert moved["opened_at"] == "2027-01-15T09:00:00.000000Z"
    assert [(one["from"][11:19], one["to"] and one["to"][11:19]) for one in moved["blind"]] == [
        ("09:00:03", "09:00:04"),
        ("09:00:05", None),
    ]


def test_without_a_step_nothing_moves() -> None:
    before = told(alert(blind=(blind(3),)))
    assert {**before, **moved_times(before, before, 0.0)} == before


def test_blind_time_that_a_revision_tells_anew_stays() -> None:
    before = told(alert(blind=(blind(3),)))
    later = told(alert(blind=(blind(3603),)))
    assert moved_times(before, later, HOUR_MS)["blind"] == later["blind"]


def test_messages_of_older_versions_have_none() -> None:
    before = told(alert())
    del before["blind"]
    assert "blind" not in moved_times(before, before, HOUR_MS)
    later = told(alert(blind=(blind(3),)))
    assert moved_times(before, later, HOUR_MS)["blind"] == later["blind"]
