"""Strangers at the gate: every refusal counted, audited and answered where it can be, and nothing changed."""

from __future__ import annotations

import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeguard.alerts.escalation import Escalation
from edgeguard.alerts.inbound import MAX_BYTES, MOST_WAITING
from edgeguard.alerts.messages import encode
from tests.support.alerts import moment
from tests.support.desk import TOPICS, DeskBench, ack, command

ALERT_ID = "019b0000-0000-7000-8000-000000000001"
HOUR_NS = 3600 * 10**9


@pytest.fixture
def bench(tmp_path: Path) -> DeskBench:
    return DeskBench(tmp_path, Escalation(60.0))


def refused(bench: DeskBench) -> dict[str, int]:
    bench.run(after_s=1)
    told = bench.desk.report.inbound
    return {name.removeprefix("refused_"): told[name] for name in told if name.startswith("refused_")}


def an_ack(bench: DeskBench, **other: Any) -> dict[str, Any]:
    return ack(ALERT_ID, bench.clock.utc_ns(), **other)


DEEP = b'{"a":' * 40 + b"1" + b"}" * 40


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"null",
        b"[]",
        b"{}",
        b'{"schema": "edgeguard.ack.v1"}',
        DEEP,
        b"[" * 30_000,
        b'{"schema": NaN}',
        b'{"schema": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("topic", [TOPICS.ack, TOPICS.command("ping"), TOPICS.command("replay")])
def test_what_is_no_message(bench: DeskBench, topic: str, body: bytes) -> None:
    bench.say(topic, body)
    assert refused(bench) == {"malformed": 1}
    assert bench.results == []
    (line,) = bench.audited
    assert (line["what"], line["outcome"], line["reason"]) == (topic, "refused", "malformed")


@pytest.mark.parametrize(
    "change",
    [
        {"alert_id": "../../etc/passwd"},
        {"alert_id": "+"},
        {"ack_id": "#"},
        {"by": None},
        {"by": "x" * 101},
        {"by": "eva\x00"},
        {"by": "eva\x1b[2J"},
        {"note": "a\x7fb"},
        {"note": "n" * 501},
        {"verdict": "perhaps"},
        {"verdict": True},
        {"at": "2026-02-30T00:00:00.000000Z"},
        {"at": "2026-01-01T25:00:00.000000Z"},
        {"at": "0000-01-01T00:00:00.000000Z"},
        {"at": 5},
        {"schema": "edgeguard.ack.v2"},
    ],
)
def test_an_acknowledgement_that_does_not_fit(bench: DeskBench, change: dict[str, Any]) -> None:
    bench.say(TOPICS.ack, encode({**an_ack(bench), **change}))
    assert refused(bench) == {"malformed": 1}


def test_a_note_may_have_lines(bench: DeskBench) -> None:
    bench.say(TOPICS.ack, {**an_ack(bench), "note": "first\nsecond\tthird"})
    assert refused(bench) == {}


def test_a_retained_message_is_nobodys_request(bench: DeskBench) -> None:
    bench.say(TOPICS.command("ping"), command("ping", bench.clock.utc_ns()), retained=True)
    assert refused(bench) == {"retained": 1}
    assert bench.results == []


@pytest.mark.parametrize(
    "topic",
    [
        TOPICS.command("reboot"),
        TOPICS.ack + "/x",
        TOPICS.ack + "/",
        TOPICS.status,
        "edgeguard/v1/depot/gate-2/down/ack",
        "edgeguard/v1/depot/gate-1/down/" + "x" * 60_000,
        "",
    ],
)
def test_a_topic_where_nothing_is_to_be_said(bench: DeskBench, topic: str) -> None:
    bench.say(topic, an_ack(bench))
    assert refused(bench) == {"unknown_topic": 1}
    assert len(json.dumps(bench.audited)) < 2000


def test_what_is_too_large_is_not_read(bench: DeskBench) -> None:
    padding = "x" * MAX_BYTES
    bench.say(TOPICS.ack, {**an_ack(bench), "padding": padding})
    assert refused(bench) == {"too_large": 1}


@pytest.mark.parametrize("member", ["site", "device"])
def test_another_devices_name(bench: DeskBench, member: str) -> None:
    message = an_ack(bench, **{member: "other"})
    bench.say(TOPICS.ack, message)
    assert refused(bench) == {"wrong_address": 1}
    assert not bench.result(message["ack_id"])["ok"]


def test_another_verb_than_that_of_the_topic(bench: DeskBench) -> None:
    message = command("replay", bench.clock.utc_ns(), from_seq=1, to_seq=2)
    bench.say(TOPICS.command("ping"), message)
    assert refused(bench) == {"verb_mismatch": 1}
    assert not bench.result(message["command_id"])["ok"]


def test_what_has_expired_where_the_clock_can_be_trusted(tmp_path: Path) -> None:
    for quality, ok in (("synced", False), ("unsynced", True), ("unknown", True)):
        (tmp_path / quality).mkdir()
        bench = DeskBench(tmp_path / quality, quality=quality)
        expires = "2023-11-14T22:13:19.999999Z"
        answer = bench.command("ping", expires_at=expires)
        assert answer["ok"] is ok
        assert answer["reason"] == (None if ok else "it has expired")


def test_an_id_that_was_seen_is_answered_again_and_not_done_again(bench: DeskBench) -> None:
    bench.run(moment())
    message = command("replay", bench.clock.utc_ns(), from_seq=1, to_seq=1)
    for correlation in (b"1", b"2"):
        bench.say(TOPICS.command("replay"), message, correlation=correlation)
    assert [result["replayed"] for result in bench.results] == [1, 1]
    answers = bench.publications(lambda one: "/result/" in one.topic)
    assert [one.correlation for one in answers] == [b"1", b"2"]
    assert len(bench.told) == 2
    bench.run(after_s=1)
    assert bench.desk.report.inbound == {"done_replay": 1, "repeated": 1}


def test_ids_are_not_remembered_for_ever(bench: DeskBench) -> None:
    first = command("ping", bench.clock.utc_ns())
    bench.say(TOPICS.command("ping"), first)
    for _ in range(1000):
        bench.clock.advance(1)
        bench.say(TOPICS.command("ping"), command("ping", bench.clock.utc_ns()))
    bench.say(TOPICS.command("ping"), first)
    bench.run(after_s=1)
    assert "repeated" not in bench.desk.report.inbound
    assert len(bench.desk._inbound._outcomes) == 1000


def test_too_many_requests_wait_for_better_times_and_leave_acknowledgements_alone(bench: DeskBench) -> None:
    bench.run(moment(alert_id=ALERT_ID))
    answers = [bench.command("ping") for _ in range(25)]
    assert [answer["ok"] for answer in answers] == [True] * 20 + [False] * 5
    assert "try again later" in answers[-1]["reason"]
    assert bench.ack(ALERT_ID)["ok"]
    bench.run(after_s=5)
    assert bench.command("ping")["ok"]


def test_a_flood_is_neither_answered_nor_written_down_line_by_line(bench: DeskBench) -> None:
    for _ in range(2 * MOST_WAITING):
        bench.link.deliver(TOPICS.command("ping"), encode(command("ping", bench.clock.utc_ns())))
    one = moment()
    bench.run(one)
    assert bench.told[-1]["alert_id"] == one.alert_id
    for _ in range(40):
        bench.run()
    counts = refused(bench)
    assert counts == {"overrun": MOST_WAITING, "rate_limited": MOST_WAITING - 20}
    assert len(bench.results) <= 201
    bench.run(after_s=61)
    summed = [line["count"] for line in bench.audited if "count" in line]
    assert len(bench.audited) <= 20 + 100 + len(summed)
    assert sum(summed) == MOST_WAITING - 20 - 100


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(st.characters(codec=None), max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=15,
)
MEMBERS = {
    "ack": ("schema", "site", "device", "ack_id", "alert_id", "by", "at", "verdict", "note"),
    "command": (
        *("schema", "site", "device", "command_id", "verb", "by"),
        *("issued_at", "expires_at", "from_seq", "to_seq"),
    ),
    "receipt": ("schema", "site", "device", "collector", "at", "committed"),
}
GOOD: dict[str, dict[str, Any]] = {
    "ack": ack(ALERT_ID, 10**18),
    "command": command("ping", 10**18),
    "receipt": {
        "schema": "edgeguard.receipt.v1",
        "site": "depot",
        "device": "gate-1",
        "collector": "c",
        "at": "2026-01-01T00:00:00.000000Z",
        "committed": [{"boot_id": str(uuid.UUID(int=0)), "seqs": [1]}],
    },
}
SUBSCRIBED = {
    TOPICS.ack: "ack",
    TOPICS.command("ping"): "command",
    TOPICS.command("replay"): "command",
    TOPICS.receipt: "receipt",
}


@st.composite
def spoilt(draw: st.DrawFn, name: str) -> bytes:
    """A message that is nearly right: some of its members are anything at all."""
    members = draw(st.lists(st.sampled_from(MEMBERS[name]), min_size=1, max_size=3, unique=True))
    message = {**GOOD[name], **{member: draw(JSON) for member in members}}
    return json.dumps(message).encode()


def bodies(name: str) -> st.SearchStrategy[bytes]:
    deep = st.integers(0, 3000).map(lambda depth: b'{"a":[' * depth)
    return st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()) | spoilt(name) | deep


@st.composite
def said(draw: st.DrawFn) -> tuple[str, bytes, dict[str, Any]]:
    known = st.sampled_from([*SUBSCRIBED])
    topic = draw(known | st.text(max_size=30).map(lambda rest: TOPICS.down_filter.removesuffix("#") + rest))
    properties = {
        "retained": draw(st.booleans()),
        "response_topic": draw(st.none() | st.text(max_size=30) | st.just(TOPICS.status)),
        "correlation": draw(st.none() | st.binary(max_size=2000)),
    }
    return topic, draw(bodies(SUBSCRIBED.get(topic, "ack"))), properties


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(said(), min_size=1, max_size=25))
def test_nothing_crashes_nothing_changes_and_every_refusal_is_counted(
    sayings: list[tuple[str, bytes, dict[str, Any]]],
) -> None:
    """All that can be said on every subscribed topic, short of what is right in every point."""
    with tempfile.TemporaryDirectory() as folder:
        bench = DeskBench(Path(folder), Escalation(60.0))
        bench.run(moment(alert_id=ALERT_ID))
        before = bench.known(ALERT_ID)
        seq_high = bench.publisher.delivery.seq_high
        for topic, body, properties in sayings:
            bench.say(topic, body, **properties)
            bench.run(after_s=0.5)
        bench.run(after_s=1)
        told = bench.desk.report.inbound
        assert sum(told.values()) + bench.publisher.delivery.bad_receipts + _taken(sayings) == len(sayings)
        assert bench.publisher.delivery.storage_error is None
        if not any(name.startswith("done_ack") for name in told):
            assert (bench.known(ALERT_ID), bench.publisher.delivery.seq_high) == (before, seq_high)
        allowed = (
            TOPICS.result("-").removesuffix("-"),
            TOPICS.status,
            TOPICS.health,
            TOPICS.alert("dock", "loitering"),
        )
        assert all(one.topic.startswith(allowed) for one in bench.link.publications)
        bench.publisher.stop(0)


def _taken(sayings: list[tuple[str, bytes, dict[str, Any]]]) -> int:
    """Receipts that are right in form; they name numbers of another run, so they change nothing."""
    from edgeguard.alerts.parse import parse

    def is_right(topic: str, body: bytes, properties: dict[str, Any]) -> bool:
        if topic != TOPICS.receipt or properties["retained"]:
            return False
        try:
            receipt = parse(body, "receipt")
        except ValueError:
            return False
        return (receipt["site"], receipt["device"]) == ("depot", "gate-1")

    return sum(is_right(*saying) for saying in sayings)
