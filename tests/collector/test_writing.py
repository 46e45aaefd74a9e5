"""What arrives, into a real SQLite file and a real PostgreSQL server."""

from __future__ import annotations

import random

import pytest

from edgeguard.collector.database import Database
from edgeguard.collector.intake import MOST
from edgeguard.collector.reading import Filter, Reader
from edgeguard.collector.tables import (
    alert,
    clock_step,
    coverage,
    device,
    health,
    quarantine,
    result,
    revision,
    run,
    seen,
    unavailable,
)
from edgeguard.collector.writing import Stored, Writer
from edgeguard.errors import StorageError
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS
from tests.support.centre import (
    a_day,
    a_health,
    a_result,
    a_status,
    a_step,
    an_alert,
    arrivals,
    other_device,
    rows,
)

HOUR_MS, HOUR_NS = 3_600_000.0, 3_600 * 10**9
REQUEST = "6f1c2d3e-0000-4000-8000-000000000001"
IDS = [f"019b0000-0000-7000-8000-00000000000{digit}" for digit in range(1, 10)]


@pytest.fixture
def writer(database: Database) -> Writer:
    return Writer(database)


def test_an_alert_is_kept_as_it_came_and_to_search_by(database: Database, writer: Writer) -> None:
    told = an_alert(7)
    assert writer.store(arrivals([told]), 5) == Stored(new=1)
    assert rows(database, revision, "seq", "body", "received_ns") == [(7, told.body.decode(), 5)]
    columns = ("severity", "kind", "rule", "state", "acknowledged", "opened_ns")
    assert rows(database, alert, *columns) == [("warning", "loitering", "stay", "opened", False, UTC_NS)]


def test_what_comes_again_changes_nothing(database: Database, writer: Writer) -> None:
    batch = arrivals([an_alert(1), an_alert(2), a_step(3, 5.0), a_health(3, seq=4)])
    assert writer.store([*batch, batch[0]], 1) == Stored(new=4, duplicates=1)
    assert writer.store(batch, 2) == Stored(duplicates=4)
    assert Writer(database).store(batch, 3) == Stored(duplicates=4), "another collector, or after a restart"
    assert [len(rows(database, table, "seq")) for table in (seen, revision, clock_step, health)] == [
        4,
        2,
        1,
        1,
    ]


def test_the_newest_revision_stands_whatever_the_order(database: Database, writer: Writer) -> None:
    revisions = [
        an_alert(number, alert_values={"alert_id": IDS[0], "revision": number}, summary=f"{number}")
        for number in range(1, 8)
    ]
    random.Random(3).shuffle(revisions)
    for part in (revisions[:3], revisions[3:4], revisions[4:]):
        writer.store(arrivals(part), 1)
    assert rows(database, alert, "revision", "seq") == [(7, 7)]
    assert len(rows(database, revision, "seq")) == 7


def test_two_devices_with_one_alert_id_do_not_touch_each_other(database: Database, writer: Writer) -> None:
    squatter = other_device("gate-2")
    ids = {"alert_values": {"alert_id": IDS[0]}}
    stored = writer.store(arrivals([an_alert(1, squatter, **ids), an_alert(1, **ids)]), 1)
    assert stored == Stored(new=2)
    assert len(rows(database, alert, "id")) == 2


def test_one_revision_under_two_numbers_is_put_aside(database: Database, writer: Writer) -> None:
    one = {"alert_values": {"alert_id": IDS[0], "revision": 1}}
    writer.store(arrivals([an_alert(1, **one)]), 1)
    assert writer.store(arrivals([an_alert(2, **one), an_alert(3, **one)]), 1) == Stored(2, 0, 2)
    assert sorted(rows(database, quarantine, "seq")) == [(2,), (3,)]
    assert rows(database, alert, "seq") == [(1,)]


def test_what_breaks_its_schema_is_put_aside_once(database: Database, writer: Writer) -> None:
    poison = an_alert(1, severity="terrible")
    assert writer.store(arrivals([poison, an_alert(2)]), 1) == Stored(new=2, quarantined=1)
    assert writer.store(arrivals([poison]), 1) == Stored(duplicates=1)
    assert rows(database, quarantine, "seq", "body") == [(1, poison.body)]
    assert "severity" in rows(database, quarantine, "reason")[0][0]


@pytest.mark.parametrize(
    "members",
    [
        {"kind": "\0" * 5, "rule": "\0", "source": "a\0b", "summary": "\0"},
        {"kind": "k" * 100_000, "rule": "r" * 100_000},
        {"revision": MOST},
        {"opened_at": "1970-01-01T00:00:00.000000Z"},
        {"text": "\N{OLD ITALIC LETTER A}\u2028"},
    ],
    ids=["nul", "long", "large", "old", "strange"],
)
def test_what_fits_the_schema_fits_the_database(database: Database, writer: Writer, members: object) -> None:
    assert writer.store(arrivals([an_alert(MOST, **members)]), 1) == Stored(new=1)  # type: ignore[arg-type]
    assert len(rows(database, alert, "id")) == 1


def test_what_the_database_itself_refuses_is_put_aside_alone(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeguard.collector.alert_rows.word", lambda text: None if text == "bad" else text)
    batch = [an_alert(seq, rule="bad" if seq == 3 else "good") for seq in range(1, 6)]
    assert writer.store(arrivals(batch), 1) == Stored(new=4, quarantined=1)
    assert rows(database, quarantine, "seq") == [(3,)]
    assert [seq for (seq,) in rows(database, alert, "seq")] == [1, 2, 4, 5]


def test_a_database_that_is_away_stores_nothing_and_later_everything(
    database: Database, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageError("away")

    with monkeypatch.context() as patch:
        patch.setattr("edgeguard.collector.writing.store_results", fail)
        with pytest.raises(StorageError):
            writer.store(arrivals([an_alert(1)]), 1)
    assert rows(database, seen, "seq") == []
    assert rows(database, device, "id") == []
    assert writer.store(arrivals([an_alert(1)]), 1) == Stored(new=1)


@pytest.mark.parametrize("step_first", [True, False])
def test_times_are_corrected_by_later_steps_of_the_run(
    database: Database, writer: Writer, step_first: bool
) -> None:
    told = [an_alert(1), an_alert(4), an_alert(5, NEXT_RUN)]
    steps = [a_step(2, HOUR_MS), a_step(3, -1.0)]
    for batch in (steps, told) if step_first else (told, steps):
        writer.store(arrivals(batch), 1)
    writer.store(arrivals(steps), 2)
    opened = sorted(rows(database, alert, "seq", "opened_ns", "step_ns"))
    corrected = HOUR_NS - 1_000_000
    assert opened == [(1, UTC_NS + corrected, corrected), (4, UTC_NS, 0), (5, UTC_NS, 0)]


@pytest.mark.parametrize("step_first", [True, False])
@pytest.mark.parametrize("step_ms", [4.6e12, -4.6e12])
def test_steps_that_add_up_to_no_time_hinder_nobody(
    database: Database, writer: Writer, step_first: bool, step_ms: float
) -> None:
    steps = [a_step(seq, step_ms) for seq in (2, 3, 4)]
    told = [*steps, an_alert(1)] if step_first else [an_alert(1), *steps]
    for one in (*told, an_alert(1, other_device("gate-2"))):
        assert writer.store(arrivals([one]), 0) == Stored(1, 0, 0)
    shown = Reader(database).alerts(Filter(), 10).alerts
    assert sorted(one["device"] for one in shown) == ["gate-1", "gate-2"]


def presence(database: Database) -> tuple[object, ...]:
    return rows(database, device, "state", "boot_id", "seq_high", "line")[0]


def test_presence_follows_the_newest_run(database: Database, writer: Writer) -> None:
    def after(*received: object) -> tuple[object, ...]:
        writer.store(arrivals(received), 1)  # type: ignore[arg-type]
        return presence(database)[:2]

    assert after(a_status()) == ("online", IDENTITY.boot_id)
    assert after(a_status("offline")) == ("offline", IDENTITY.boot_id)
    assert after(a_status(identity=NEXT_RUN)) == ("online", NEXT_RUN.boot_id)
    assert after(a_status("offline")) == ("online", NEXT_RUN.boot_id), "an old will"
    assert after(a_status("stopped", retained=True)) == ("online", NEXT_RUN.boot_id), "an old farewell"
    assert after(a_status("stopped", NEXT_RUN)) == ("stopped", NEXT_RUN.boot_id)


def test_only_a_living_word_is_a_sign_of_life(database: Database, writer: Writer) -> None:
    writer.store(arrivals([a_status()]), 1)
    writer.store(arrivals([a_status("offline"), a_status(retained=True)]), 2)
    assert rows(database, device, "last_seen_ns") == [(1,)]
    writer.store(arrivals([a_health()]), 3)
    assert rows(database, device, "last_seen_ns") == [(3,)]


def test_the_highest_number_told_rises(database: Database, writer: Writer) -> None:
    writer.store(arrivals([a_health(9)]), 1)
    assert presence(database)[2] == 0, "of which run, is not known yet"
    writer.store(arrivals([a_status(seq_high=4)]), 2)
    writer.store(arrivals([a_health(9), a_health(6)]), 3)
    assert rows(database, device, "seq_high", "told_high_ns") == [(9, 3)]


def test_another_box_under_the_old_name_begins_a_new_line(database: Database, writer: Writer) -> None:
    writer.store(arrivals([a_status(seq_high=49), an_alert(50)]), 1)
    writer.store(arrivals([an_alert(2, NEXT_RUN), a_status(identity=NEXT_RUN, seq_high=1)]), 2)
    assert presence(database) == ("online", NEXT_RUN.boot_id, 1, 2)
    assert sorted(rows(database, run, "line", "boot_id")) == [(1, IDENTITY.boot_id), (2, NEXT_RUN.boot_id)]


def test_a_restart_that_counts_on_stays_in_line(database: Database, writer: Writer) -> None:
    writer.store(arrivals([a_status(seq_high=0), an_alert(50)]), 1)
    writer.store(arrivals([an_alert(51, NEXT_RUN), a_status(identity=NEXT_RUN, seq_high=50)]), 2)
    assert presence(database)[2:] == (50, 1)


def test_answers_and_what_they_explain_are_kept(database: Database, writer: Writer) -> None:
    answer = a_result(REQUEST, (3, 9, "shed"), (5, 4, "shed"))
    for now_ns in (1, 2):
        writer.store(arrivals([answer]), now_ns)
    assert rows(database, result, "request_id", "received_ns") == [(REQUEST, 1)]
    assert rows(database, unavailable, "line", "from_seq", "to_seq", "reason") == [(1, 3, 9, "shed")]


def test_a_day_is_kept_as_it_was_told_last(database: Database, writer: Writer) -> None:
    first, again = a_day(5, "2027-01-14", blind_s=20), a_day(9, "2027-01-14", blind_s=30)
    other = a_day(6, "2027-01-15")
    assert writer.store(arrivals([again, first, other]), 1) == Stored(new=3)
    assert writer.store(arrivals([first, again]), 2) == Stored(duplicates=2)
    late = a_day(4, "2027-01-14", blind_s=10)
    writer.store(arrivals([late]), 3)
    assert sorted(rows(database, coverage, "day", "seq", "received_ns", "body")) == [
        ("2027-01-14", 9, 1, again.body.decode()),
        ("2027-01-15", 6, 1, other.body.decode()),
    ]


def test_health_is_kept_when_it_changes(database: Database, writer: Writer) -> None:
    first, same, worse = a_health(1), a_health(2), a_health(3, state="degraded")
    kept = []
    for told in (first, same, worse):
        writer.store(arrivals([told]), 1)
        kept.append(rows(database, device, "health")[0][0].encode())
    assert kept == [first.body, first.body, worse.body]
