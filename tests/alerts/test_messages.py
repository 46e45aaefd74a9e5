from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.blind import coverage_message
from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    alert_message,
    closing_message,
    encode,
    health_message,
    rfc3339,
    status_message,
)
from edgeguard.types import (
    AlertState,
    BlindTime,
    ClipRef,
    CoverageDay,
    Measure,
    ModelRef,
    Severity,
    SourceDay,
    Stages,
)
from tests.alerts.strict import assert_valid
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS, alert

SYNCED = ClockQuality("synced", 0.25, "ntp", 12.5)
texts = st.one_of(st.none(), st.text(max_size=20))
numbers = st.floats(allow_nan=True, allow_infinity=True)
times_ns = st.integers(0, 4_000_000_000 * 10**9)
maybe_ns = st.one_of(st.none(), st.integers(0, 2**62))
alerts = st.builds(
    alert,
    revision=st.integers(1, 9),
    state=st.sampled_from(AlertState),
    severity=st.sampled_from(Severity),
    kind=st.text(max_size=10),
    source=st.text(max_size=10),
    opened_utc_ns=times_ns,
    observed_utc_ns=times_ns,
    closed_utc_ns=st.one_of(st.none(), times_ns),
    confidence=numbers,
    summary=st.text(max_size=50),
    zone=texts,
    label=texts,
    text=texts,
    track_ids=st.lists(st.integers(0, 2**40), max_size=3).map(tuple),
    measures=st.lists(
        st.builds(Measure, st.text(max_size=9), numbers | st.text(max_size=9), threshold=st.none() | numbers),
        max_size=3,
    ).map(tuple),
    media_ns=maybe_ns,
    stages=st.builds(Stages, maybe_ns, maybe_ns, maybe_ns, maybe_ns),
    decided_ns=maybe_ns,
    evidence_error=texts,
    drill=st.booleans(),
)


@given(alerts)
def test_every_alert_becomes_a_valid_message(one: Any) -> None:
    message = alert_message(one, IDENTITY, 5, 6, SYNCED)
    assert_valid("alert", json.loads(encode(message)))


def test_an_alert_says_all_that_is_known() -> None:
    clip = ClipRef("id", "image/jpeg", "2027/a.jpg", "cd" * 32, 4711)
    one = alert(evidence=(clip,), text="who is there", media_ns=12)
    message = alert_message(one, IDENTITY, 42, 6, SYNCED)
    assert message == {
        "schema": "edgeguard.alert.v1",
        "site": "depot",
        "device": "gate-1",
        "boot_id": IDENTITY.boot_id,
        "alert_id": one.alert_id,
        "revision": 1,
        "state": "opened",
        "kind": "loitering",
        "severity": "warning",
        "seq": 42,
        "source": "dock",
        "opened_at": "2027-01-15T08:00:00.000000Z",
        "observed_at": "2027-01-15T08:00:00.000000Z",
        "closed_at": None,
        "clock": {"quality": "synced", "source": "ntp", "offset_ms": 0.25, "max_error_ms": 12.5},
        "rule": "stay",
        "zone": "yard",
        "label": "person",
        "text": "who is there",
        "tracks": [7],
        "confidence": 0.87,
        "why": [{"measure": "dwell_s", "value": 12.3, "comparison": ">=", "threshold": 10}],
        "joined": [],
        "blind": [],
        "summary": "person 7 stayed 12.3 s in yard (limit 10 s)",
        "media_ns": 12,
        "stages": {
            "sensor_ns": None,
            "received_ns": 1,
            "arrived_ns": 1,
            "infer_start_ns": 2,
            "infer_end_ns": 3,
            "ruled_ns": 4,
            "decided_ns": 5,
            "committed_ns": 6,
            "published_ns": None,
        },
        "models": [{"name": "yolox_nano_416", "sha256": "ab" * 32, "backend": "onnxruntime-cpu"}],
        "evidence": [
            {"media_type": "image/jpeg", "path": "2027/a.jpg", "sha256": "cd" * 32, "size_bytes": 4711}
        ],
        "evidence_error": None,
        "drill": False,
        "acknowledged": None,
        "escalated_at": None,
        "replayed": False,
    }


def test_an_alert_says_when_nobody_watched_around_it() -> None:
    gaps = (BlindTime("dock", "stalled", UTC_NS, UTC_NS + 10**9), BlindTime("dock", "power", UTC_NS, None))
    message = alert_message(alert(blind=gaps), IDENTITY, 42, 6, SYNCED)
    assert_valid("alert", message)
    assert message["blind"] == [
        {
            "source": "dock",
            "cause": "stalled",
            "from": "2027-01-15T08:00:00.000000Z",
            "to": "2027-01-15T08:00:01.000000Z",
        },
        {"source": "dock", "cause": "power", "from": "2027-01-15T08:00:00.000000Z", "to": None},
    ]


def test_a_day_that_is_over() -> None:
    gap = BlindTime("dock", "stalled", UTC_NS, UTC_NS + 20 * 10**9)
    sources = (SourceDay("dock", 86400.0, 20.0, (gap,)), SourceDay("gone", 0.0, 0.0, ()))
    day = CoverageDay("2027-01-15", "UTC", UTC_NS, UTC_NS + 86_400 * 10**9, sources)
    message = coverage_message(day, IDENTITY, 42, UTC_NS, SYNCED)
    assert_valid("coverage", json.loads(encode(message)))
    dock, gone = message["sources"]
    assert (dock["watched_share"], dock["blind_s"], dock["gaps"][0]["cause"]) == (0.999769, 20.0, "stalled")
    assert gone["watched_share"] is None


def test_numbers_of_numpy_go_as_numbers_and_what_json_lacks_as_words() -> None:
    measures = (Measure("count", np.int64(5), ">=", np.float32(0.1)), Measure("gap_s", math.nan))
    message = alert_message(alert(measures=measures, confidence=np.float32(0.9)), IDENTITY, 1, 1, SYNCED)
    assert [(why["value"], why["threshold"]) for why in message["why"]] == [(5, 0.1), ("nan", None)]
    assert json.loads(encode(message))["confidence"] == 0.9


def test_a_method_without_weights_has_no_checksum() -> None:
    one = alert(models=(ModelRef("motion", None, "opencv"),))
    assert_valid("alert", alert_message(one, IDENTITY, 1, 1, SYNCED))


def test_the_last_word_on_an_alert_that_a_dead_daemon_left_open() -> None:
    left = alert_message(alert(), IDENTITY, 3, 6, SYNCED)
    last = closing_message(left, NEXT_RUN, 9)
    assert_valid("alert", last)
    assert (last["state"], last["revision"], last["seq"]) == ("closed", 2, 9)
    assert last["closed_at"] == left["observed_at"]
    assert last["boot_id"] == NEXT_RUN.boot_id
    assert set(last["stages"].values()) == {None}, "monotonic times of another run would mislead"


@pytest.mark.parametrize("state", ["online", "stopped"])
def test_status(state: str) -> None:
    message = status_message(state, IDENTITY, UTC_NS, 17)
    assert_valid("status", message)
    assert (message["state"], message["seq_high"], message["custody"]) == (state, 17, "puback")


def test_a_last_will_knows_neither_time_nor_seq() -> None:
    message = status_message("offline", IDENTITY)
    assert_valid("status", message)
    assert (message["at"], message["seq_high"]) == (None, None)


def test_health_takes_the_parts_as_they_report() -> None:
    parts: dict[str, dict[str, Any]] = {
        "camera.dock": {
            "state": "ok",
            "reason": None,
            "since_utc_ns": UTC_NS,
            "rate_per_s": 9.8,
            "age_s": 0.1,
            "frames": 7,
        },
        "publisher": {
            "state": "degraded",
            "reason": "no broker",
            "code": "disconnected",
            "since_utc_ns": UTC_NS,
            "note": object,
        },
    }
    message = health_message(HealthReport("degraded", parts), IDENTITY, UTC_NS, None, ClockQuality())
    assert_valid("health", json.loads(encode(message)))
    assert message["parts"]["camera.dock"] == {
        "state": "ok",
        "reason": None,
        "code": None,
        "since": "2027-01-15T08:00:00.000000Z",
        "rate_per_s": 9.8,
        "age_s": 0.1,
        "age_limit_s": None,
        "counters": {"frames": 7},
    }
    assert message["parts"]["publisher"]["code"] == "disconnected"


@pytest.mark.parametrize(
    ("utc_ns", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_999, "1970-01-01T00:00:00.000001Z"),
        (UTC_NS + 999_999_999, "2027-01-15T08:00:00.999999Z"),
    ],
)
def test_times(utc_ns: int, text: str) -> None:
    assert rfc3339(utc_ns) == text


def test_half_a_character_does_not_stop_an_alert() -> None:
    assert json.loads(encode({"text": "a\ud800b"})) == {"text": "a?b"}
