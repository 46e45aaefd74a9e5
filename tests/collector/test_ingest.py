"""Receipts follow commits; strangers are refused; hypothesis tries the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import Acked, Disconnected, LinkEvent, Received, Subscribed
from edgeguard.alerts.parse import parse
from edgeguard.clock import ManualClock
from edgeguard.collector.database import Database, open_sqlite
from edgeguard.collector.ingest import Ingest
from edgeguard.collector.intake import MOST, arrival
from edgeguard.collector.tables import alert, clock_step, device, quarantine, seen
from edgeguard.collector.writing import Stored, Writer
from edgeguard.errors import StorageError
from edgeguard.runtime.collecting import Intake
from tests.support.alerts import IDENTITY, NEXT_RUN
from tests.support.centre import a_health, a_result, a_status, a_step, an_alert, other_device, rows

BOOT = IDENTITY.boot_id
REQUEST = "6f1c2d3e-0000-4000-8000-000000000001"


def a_rumour(seq: int, place: str = "gossip", **members: Any) -> Received:
    """A durable message of a version to come."""
    own = {"schema": "edgeguard.gossip.v1", "site": "depot", "device": "gate-1", "boot_id": BOOT, "seq": seq}
    topic = f"edgeguard/v1/depot/gate-1/up/{place}"
    return Received(topic, json.dumps({**own, **members}).encode(), False)


class Centre:
    """Taking in, on a fake link and a real database."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.link = FakeLink(lambda _event: None)
        self.link.connect()
        self.writer = Writer(database)
        self.ingest = Ingest(self.link, self.writer, "centre-1", ManualClock())

    def take(self, *events: LinkEvent) -> set[tuple[str, str, int]]:
        """What is receipted for these: device, run and number."""
        before = len(self.link.publications)
        self.ingest.take(events)
        receipts = [parse(sent.body, "receipt") for sent in self.link.publications[before:]]
        return {
            (receipt["device"], part["boot_id"], seq)
            for receipt in receipts
            for part in receipt["committed"]
            for seq in part["seqs"]
        }


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    database = open_sqlite(tmp_path / "collector.db")
    database.prepare()
    yield Centre(database)
    database.close()


def test_each_device_gets_one_receipt_of_all_that_was_committed(centre: Centre) -> None:
    told = [an_alert(1), a_step(2, 1.0), a_health(2, seq=3), an_alert(4, NEXT_RUN)]
    other = an_alert(1, other_device("gate-2"))
    receipted = centre.take(*told, other, a_status(), a_health(4), a_result(REQUEST))
    mine = {("gate-1", BOOT, 1), ("gate-1", BOOT, 2), ("gate-1", BOOT, 3), ("gate-1", NEXT_RUN.boot_id, 4)}
    assert receipted == {*mine, ("gate-2", BOOT, 1)}
    assert len(centre.link.publications) == 2
    assert centre.take(*told) == mine, "a receipt may have been lost: it is sent again"
    assert centre.ingest.counters.duplicates == 4


def test_a_database_that_refuses_gets_no_receipt_and_nothing_is_forgotten(
    centre: Centre, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Stored:
        raise StorageError("away")

    with monkeypatch.context() as patch:
        patch.setattr(centre.writer, "store", refuse)
        with pytest.raises(StorageError):
            centre.take(an_alert(1), an_alert(2))
    assert centre.link.publications == []
    assert centre.ingest.waiting == 2
    assert centre.take() == {("gate-1", BOOT, 1), ("gate-1", BOOT, 2)}


def test_large_batches_are_cut_and_every_receipt_fits_its_schema(centre: Centre) -> None:
    told = [an_alert(seq) for seq in range(1, 2501)]
    assert len(centre.take(*told)) == 2500


def test_many_runs_at_once_are_receipted_within_the_schema(centre: Centre) -> None:
    boots = [f"00000000-0000-4000-8000-{number:012d}" for number in range(70)]
    told = [an_alert(1, boot_id=boot) for boot in boots]
    assert {boot for _, boot, _ in centre.take(*told)} == set(boots)


@pytest.mark.parametrize(
    ("received", "words"),
    [
        (Received("edgeguard/v1/depot/gate-1/up/gossip", b"{}", False), "unknown topic"),
        (Received("edgeguard/v1/depot/up/status", b"{}", False), "no topic of a device"),
        (a_rumour(1, device="gate-2"), "not that of its topic"),
        (Received(IDENTITY.topics.status, b"", False), "Expecting"),
        (an_alert(1, device="gate-2"), "not that of its topic"),
        (an_alert(1, severity="terrible", device="gate-2"), "not that of its topic"),
        (an_alert(0), "seq"),
        (an_alert(MOST + 1), "a number above"),
        (an_alert(1, boot_id="mine"), "boot_id"),
        (Received(an_alert(1).topic, b"[" * 200_000, False), "nested deeper"),
        (Received(an_alert(1).topic, b"7", False), "not object"),
        (Received(an_alert(1).topic, b"x" * 300_000, False), "at most"),
    ],
)
def test_what_nobody_can_own_is_refused_and_counted(centre: Centre, received: Received, words: str) -> None:
    assert centre.take(received, an_alert(9)) == {("gate-1", BOOT, 9)}
    assert centre.ingest.counters.refused == 1
    assert words in str(centre.ingest.counters.last_refusal)


@pytest.mark.parametrize(
    "members",
    [
        {"severity": "terrible"},
        {"revision": MOST + 1},
        {"opened_at": "2026-13-45T99:00:00.000000Z"},
        {"observed_at": "9999-12-31T23:59:59.999999Z"},
        {"summary": None},
    ],
)
def test_what_names_itself_but_cannot_be_read_is_kept_aside_and_receipted(
    centre: Centre, members: dict[str, Any]
) -> None:
    assert centre.take(an_alert(5, **members)) == {("gate-1", BOOT, 5)}
    assert centre.ingest.counters.quarantined == 1
    assert rows(centre.database, alert, "seq") == []
    assert rows(centre.database, quarantine, "seq") == [(5,)]


def test_what_only_a_later_version_knows_is_kept_aside_and_receipted(
    centre: Centre, caplog: pytest.LogCaptureFixture
) -> None:
    told = [a_rumour(1), a_rumour(2, "gossip/yard"), a_rumour(3, "health/tomorrow"), a_rumour(4)]
    assert centre.take(*told) == {("gate-1", BOOT, seq) for seq in (1, 2, 3, 4)}
    assert (centre.ingest.counters.unknown, centre.ingest.counters.refused) == (4, 0)
    assert rows(centre.database, quarantine, "seq", "body") == [
        (seq, one.body) for seq, one in enumerate(told, 1)
    ]
    assert [record.args[0] for record in caplog.records] == ["gossip", "health"]  # type: ignore[index]
    assert centre.take(told[0]) == {("gate-1", BOOT, 1)}
    assert len(rows(centre.database, quarantine, "seq")) == 4


def test_the_doctors_visit_is_passed_over(centre: Centre) -> None:
    settled: list[int] = []
    visit = Received("edgeguard/v1/depot/gate-1/up/doctor", b"{}", False, settle=lambda: settled.append(1))
    assert centre.take(visit) == set()
    assert (centre.ingest.counters.refused, centre.ingest.counters.unknown, settled) == (0, 0, [1])


@pytest.mark.parametrize("step_ms", [1e300, -1e16, 1e13])
def test_a_step_out_of_this_world_corrects_nothing(centre: Centre, step_ms: float) -> None:
    centre.take(an_alert(1), a_step(2, step_ms))
    assert rows(centre.database, clock_step, "seq") == []
    assert rows(centre.database, alert, "step_ns") == [(0,)]


def test_it_knows_whether_it_hears(centre: Centre) -> None:
    reasons = []
    for event in (Subscribed(("a/#: no",)), Subscribed(), Disconnected("gone")):
        centre.take(event)
        reasons.append(centre.ingest.disconnected)
    assert reasons == ["the broker refused to subscribe a/#: no", None, "gone"]


def test_receipts_that_the_broker_refuses_are_counted(centre: Centre) -> None:
    centre.take(Acked(1, 135, "Not authorized"), Acked(2, 16, "No matching subscribers"))
    assert centre.ingest.counters.receipts_refused == 1
    assert "Not authorized" in str(centre.ingest.counters.last_refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WHOLE = [
    an_alert(1),
    a_step(2, 1.0),
    a_health(1, seq=3),
    a_status(),
    a_health(1),
    a_result(REQUEST, (1, 2, "shed")),
]


@st.composite
def strange(draw: st.DrawFn) -> Received:
    """A message with members missing, replaced or of other kinds; or bytes that are none."""
    one = draw(st.sampled_from(WHOLE))
    if draw(st.booleans()):
        return Received(one.topic, draw(st.binary(max_size=60)), draw(st.booleans()))
    body = json.loads(one.body)
    for key in draw(st.sets(st.sampled_from(sorted(body)), min_size=1, max_size=4)):
        body[key] = draw(JSON)
        if draw(st.booleans()):
            del body[key]
    return Received(one.topic, json.dumps(body).encode(), draw(st.booleans()))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(strange(), max_size=5))
def test_nothing_that_comes_stops_it(centre: Centre, told: list[Received]) -> None:
    refused = centre.ingest.counters.refused
    receipted = {seq for _, _, seq in centre.take(*told)}
    readable = []
    for one in told:
        try:
            readable.append(arrival(one))
        except ValueError:
            refused += 1
    assert centre.ingest.counters.refused == refused
    assert receipted == {one.seq for one in readable if one.seq is not None}
    assert receipted <= {seq for (seq,) in rows(centre.database, seen, "seq")}
    assert {name for (name,) in rows(centre.database, device, "device")} <= {"gate-1"}


def test_what_is_too_much_is_dropped_and_counted_and_connections_are_not() -> None:
    intake = Intake(most_messages=2, most_bytes=10)
    for body in (b"123456", b"123456", b"1"):
        intake.notify(Received("t", body, False))
    intake.notify(Subscribed())
    assert [type(event) for event in intake.get_all(0)] == [Received, Received, Subscribed]
    assert intake.dropped == 1
    for _ in range(3):
        intake.notify(Received("t", b"1", False))
    assert len(intake.get_all(0)) == 2
    assert intake.dropped == 2
