"""Alerts on Frigate's `events` and `reviews`."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.bridges import FrigateBridge
from edgeguard.types import Alert, AlertState, Severity
from tests.bridges.told import Message, Told, alert_body, health, messages, status
from tests.support.alerts import UTC_NS, alert, moment

EVENTS, REVIEWS = "frigate/events", "frigate/reviews"
SECOND = 10**9
OPENED = alert(alert_id="019b0200-0000-7000-8000-000000000007")

FIELDS = {
    *("id", "camera", "frame_time", "snapshot", "snapshot_clean", "label", "sub_label", "top_score"),
    *(
        "false_positive",
        "start_time",
        "end_time",
        "score",
        "computed_score",
        "box",
        "area",
        "ratio",
        "region",
    ),
    *("active", "stationary", "motionless_count", "position_changes", "current_zones", "entered_zones"),
    *("has_clip", "has_snapshot", "attributes", "current_attributes", "pending_loitering", "max_severity"),
    *("current_estimated_speed", "average_estimated_speed", "velocity_angle", "path_data"),
    *("recognized_license_plate", "edgeguard"),
}
"""What Frigate says of a tracked object, and what EdgeGuard adds."""


def bridge(**options: Any) -> Told:
    return Told(lambda clock: FrigateBridge(clock, names="{camera}", **options))


def updated(at_s: float = 1.0, revision: int = 2, **other: Any) -> Alert:
    observed_ns = UTC_NS + round(at_s * SECOND)
    return replace(OPENED, revision=revision, state=AlertState.UPDATED, observed_utc_ns=observed_ns, **other)


def closed(at_s: float = 2.0, revision: int = 3) -> Alert:
    return replace(
        updated(at_s, revision), state=AlertState.CLOSED, closed_utc_ns=UTC_NS + round(at_s * SECOND)
    )


def tell(told: Told, one: Alert, topic: str = EVENTS, **other: Any) -> list[Message]:
    return messages(told.tell({**alert_body(one), **other}), topic)


def test_an_alert_lives_from_new_to_end() -> None:
    told = bridge()
    lives = [tell(told, one)[0] for one in (OPENED, updated(confidence=0.5), closed())]
    assert [message["type"] for message in lives] == ["new", "update", "end"]
    (new, update, end) = (message["after"] for message in lives)
    assert new["id"] == update["id"] == end["id"]
    assert (new["start_time"], new["end_time"]) == (UTC_NS / SECOND, None)
    assert (update["frame_time"], update["score"], update["top_score"]) == (UTC_NS / SECOND + 1, 0.5, 0.87)
    assert end["end_time"] == UTC_NS / SECOND + 2
    assert [message["before"] for message in lives[1:]] == [new, update]


def test_an_object_has_all_of_frigates_fields_and_nothing_made_up() -> None:
    (message,) = tell(bridge(), OPENED)
    after = message["after"]
    assert after.keys() == FIELDS
    assert re.fullmatch(r"1800000000\.000000-[a-z0-9]{6}", after["id"])
    assert (after["camera"], after["label"]) == ("dock", "person")
    assert after["current_zones"] == after["entered_zones"] == ["yard"]
    assert after["max_severity"] == "alert"
    assert {name for name, value in after.items() if value is None} == {
        *("snapshot", "snapshot_clean", "sub_label", "computed_score", "box", "area", "ratio", "region"),
        *("active", "stationary", "motionless_count", "position_changes", "pending_loitering"),
        *("current_estimated_speed", "average_estimated_speed", "velocity_angle"),
        *("recognized_license_plate", "end_time"),
    }
    own = after["edgeguard"]
    assert (own["alert_id"], own["kind"], own["rule"]) == (OPENED.alert_id, "loitering", "stay")
    assert own["summary"] == OPENED.summary


def test_its_review_names_the_object() -> None:
    told = bridge()
    said = told.tell(alert_body(OPENED))
    (event,), (review,) = messages(said, EVENTS), messages(said, REVIEWS)
    assert review["type"] == "new"
    assert review["after"]["id"] != event["after"]["id"]
    data = review["after"]["data"]
    assert data["detections"] == [event["after"]["id"]]
    assert (data["objects"], data["zones"], data["audio"]) == (["person"], ["yard"], [])
    assert review["after"]["severity"] == "alert"


def test_an_instant_alert_begins_and_ends_at_once() -> None:
    new, end = tell(bridge(), moment(kind="zone_entered"))
    assert (new["type"], new["after"]["end_time"]) == ("new", None)
    assert (end["type"], end["after"]["end_time"]) == ("end", UTC_NS / SECOND)


def test_what_is_heard_is_reviewed_but_no_object() -> None:
    told = bridge()
    said = told.tell(alert_body(moment(kind="sound", source="hall", label="glass", zone=None)))
    assert messages(said, EVENTS) == []
    new, end = messages(said, REVIEWS)
    assert (new["type"], end["type"]) == ("new", "end")
    assert (new["after"]["data"]["audio"], new["after"]["data"]["objects"]) == (["glass"], [])


def test_a_line_is_no_zone() -> None:
    new, _ = tell(bridge(), moment(kind="line_crossed", zone="west"))
    assert new["after"]["current_zones"] == new["after"]["entered_zones"] == []
    assert new["after"]["edgeguard"]["zone"] == "west"


def test_who_left_a_zone_is_not_in_it() -> None:
    new, _ = tell(bridge(), moment(kind="zone_left"))
    assert (new["after"]["current_zones"], new["after"]["entered_zones"]) == ([], ["yard"])


def test_only_info_is_a_mere_detection() -> None:
    for severity in Severity:
        (review,) = tell(bridge(), replace(OPENED, severity=severity), REVIEWS)
        assert review["after"]["severity"] == ("detection" if severity is Severity.INFO else "alert")


def test_copies_and_late_revisions_are_no_news() -> None:
    told = bridge()
    for one in (OPENED, updated()):
        tell(told, one)
    assert tell(told, OPENED) == tell(told, updated()) == []
    tell(told, closed())
    assert tell(told, updated(revision=2)) == []


def test_an_acknowledgement_after_the_end_does_not_bring_it_back() -> None:
    told = bridge()
    for one in (OPENED, closed()):
        tell(told, one)
    assert tell(told, closed(revision=4)) == []


def test_what_is_old_when_it_is_first_heard_of_begins_nothing() -> None:
    told = bridge(max_age_s=300)
    told.clock.advance(301)
    assert tell(told, OPENED) == []
    assert told.bridge.notes["too_old"] == 1
    (message,) = tell(told, updated(at_s=2))
    assert message["type"] == "new"


def test_age_is_by_the_clock_of_the_device() -> None:
    """Whose clock was never set, and is a year behind."""
    told = bridge(max_age_s=300)
    told.clock.advance(365 * 86_400)
    assert tell(told, OPENED) == []
    told.tell(status())
    told.tell(health())
    (message,) = tell(told, OPENED)
    assert message["type"] == "new"


def test_the_stopping_bridge_ends_what_goes_on() -> None:
    told = bridge()
    tell(told, OPENED)
    tell(told, updated(at_s=5))
    said = told.bridge.farewell()
    for topic in (EVENTS, REVIEWS):
        (message,) = messages(said, topic)
        assert (message["type"], message["after"]["end_time"]) == ("end", UTC_NS / SECOND + 5)
    assert said[-1].payload == "stopped"
    assert messages(told.bridge.farewell(), EVENTS) == []


def test_the_daemons_own_alerts_are_no_objects() -> None:
    told = bridge()
    assert told.tell(alert_body(moment(rule="system", kind="outbox_damaged", source="outbox"))) == []


def test_an_exercise_and_that_it_was_missed_are_no_cameras() -> None:
    told = bridge()
    assert told.tell(alert_body(moment(drill=True))) == []
    assert told.tell(alert_body(moment(rule="drill-missed", kind="drill_missed", source="system"))) == []


def test_a_date_that_is_none_is_refused_and_changes_nothing() -> None:
    told = bridge()
    for field in ("opened_at", "observed_at"):
        try:
            tell(told, OPENED, **{field: "2026-13-99T99:99:99.000000Z"})
        except ValueError:
            continue
        raise AssertionError(field)
    assert [message["type"] for message in tell(told, OPENED)] == ["new"]


def test_more_lives_than_can_be_remembered_end_oldest_first(monkeypatch: Any) -> None:
    monkeypatch.setattr("edgeguard.bridges.frigate_events._MOST_LIVES", 2)
    told = bridge()
    first = tell(told, alert())[0]["after"]["id"]
    tell(told, alert())
    new, end = tell(told, alert())
    assert (new["type"], end["type"], end["after"]["id"]) == ("new", "end", first)


revisions = st.builds(
    lambda number, revision, at_s, state, severity, kind: (number, revision, at_s, state, severity, kind),
    st.integers(0, 3),
    st.integers(1, 5),
    st.floats(0, 600),
    st.sampled_from(["opened", "updated", "closed", "instant"]),
    st.sampled_from(list(Severity)),
    st.sampled_from(["loitering", "line_crossed", "zone_left", "sound", "keyword", "something_new"]),
)


def as_alert(number: int, revision: int, at_s: float, state: str, severity: Severity, kind: str) -> Alert:
    """Revision `revision` of alert `number`; alerts 2 and 3 are of what is heard."""
    over = state in ("closed", "instant")
    observed_ns = UTC_NS + round(at_s * SECOND)
    return replace(
        OPENED,
        alert_id=f"019b0200-0000-7000-8000-00000000000{number}",
        revision=revision,
        kind=("sound" if kind in ("sound", "keyword") else "keyword") if number > 1 else "loitering",
        state=AlertState("opened" if state == "instant" else state),
        severity=severity,
        observed_utc_ns=observed_ns,
        closed_utc_ns=observed_ns if over else None,
    )


@given(st.lists(st.one_of(revisions, st.floats(0, 400)), max_size=40))
def test_whatever_comes_each_new_has_one_end_and_what_lies_between_fits(steps: list[Any]) -> None:
    told = bridge(max_age_s=300)
    for step in steps:
        if isinstance(step, float):
            told.after(step)
        else:
            told.tell(alert_body(as_alert(*step)))
    said = [*told.said, *told.bridge.farewell()]
    for topic in (EVENTS, REVIEWS):
        lives: dict[str, list[Message]] = {}
        for message in messages(said, topic):
            lives.setdefault(message["after"]["id"], []).append(message)
        for life in lives.values():
            _assert_is_a_life(life)


def _assert_is_a_life(life: list[Message]) -> None:
    types = [message["type"] for message in life]
    assert types == ["new", *["update"] * (len(life) - 2), "end"]
    assert all(later["before"] == earlier["after"] for earlier, later in pairwise(life))
    assert all((message["after"]["end_time"] is None) == (message["type"] != "end") for message in life)
    assert len({message["after"]["start_time"] for message in life}) == 1
    revisions = [message["after"]["edgeguard"]["revision"] for message in life]
    assert revisions == sorted(revisions)


def test_the_example_conversation_can_be_bridged() -> None:
    """Every message of the shipped conversation."""
    text = (resources.files("edgeguard.alerts") / "examples" / "conversation.jsonl").read_text("utf-8")
    told = bridge(max_age_s=86_400)
    for line in map(json.loads, text.splitlines()):
        if "/up/" in line["topic"]:
            told.tell(line["message"])
    kinds = [(one["type"], one["after"]["edgeguard"]["kind"]) for one in messages(told.said, EVENTS)]
    assert kinds == [
        *(("new", "line_crossed"), ("end", "line_crossed")),
        *(("new", "loitering"), ("update", "loitering"), ("end", "loitering")),
    ]
    assert [one.payload for one in told.said if one.topic == "frigate/available"][-1] == "stopped"
