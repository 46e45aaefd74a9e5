from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import event

from edgeguard.clock import ManualClock
from edgeguard.collector.database import Database, open_sqlite
from edgeguard.collector.retention import Limits, Retention
from edgeguard.collector.tables import alert, coverage, health, quarantine, revision, seen
from edgeguard.collector.writing import Stored, Writer
from edgeguard.config.collector import CollectorConfig
from edgeguard.runtime.assembly.centre import Centre
from tests.support.alerts import UTC_NS
from tests.support.centre import a_day, a_health, an_alert, arrivals, rows

DAY_S = 86_400
ACKNOWLEDGED = {"by": "ada", "at": "2027-01-15T08:00:00.000000Z", "verdict": "true", "note": None}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_offset_ns=UTC_NS)


def kept(database: Database) -> list[int]:
    return sorted(seq for (seq,) in rows(database, alert, "seq"))


def test_old_alerts_go_and_unacknowledged_alarms_stay_longer(database: Database, clock: ManualClock) -> None:
    retention = Retention(database, Limits(10, 100, 5, 1000), clock)
    told = [
        an_alert(1, severity="info"),
        an_alert(2, severity="alarm"),
        an_alert(3, severity="critical"),
        an_alert(4, severity="alarm", acknowledged=ACKNOWLEDGED),
        an_alert(5, severity="alarm", drill=True),
        a_health(5, seq=6),
        an_alert(7, severity="terrible"),
    ]
    writer = Writer(database)
    writer.store(arrivals(told), clock.utc_ns())
    remains = []
    for days in (4, 2, 5, 88, 2):
        clock.advance(days * DAY_S)
        retention.sweep()
        remains.append(
            (kept(database), len(rows(database, health, "seq") + rows(database, quarantine, "seq")))
        )
    all_of_them = [1, 2, 3, 4, 5]
    assert remains == [(all_of_them, 2), (all_of_them, 0), ([2, 3], 0), ([2, 3], 0), ([], 0)]
    assert rows(database, revision, "seq") == []
    assert len(rows(database, seen, "seq")) == 7, "their numbers were never audited"
    assert writer.store(arrivals(told), clock.utc_ns()) == Stored(duplicates=7)


def test_days_of_coverage_stay_as_long_as_alerts(database: Database, clock: ManualClock) -> None:
    retention = Retention(database, Limits(10, 100, 5, 1000), clock)
    Writer(database).store(arrivals([a_day(1, "2027-01-14"), a_day(2, "2027-01-15")]), clock.utc_ns())
    remains = []
    for days in (9, 2):
        clock.advance(days * DAY_S)
        retention.sweep()
        remains.append(len(rows(database, coverage, "day")))
    assert remains == [2, 0]


def test_beyond_the_most_the_oldest_go_and_unacknowledged_alarms_last(
    database: Database, clock: ManualClock
) -> None:
    retention = Retention(database, Limits(10, 100, 5, most_alerts=3), clock)
    writer = Writer(database)
    for seq, severity in enumerate(("alarm", "info", "warning", "info", "alarm"), 1):
        clock.advance(1)
        writer.store(arrivals([an_alert(seq, severity=severity)]), clock.utc_ns())
    assert not retention.sweep()
    assert kept(database) == [1, 4, 5]


def test_of_what_is_put_aside_there_is_no_more_than_of_alerts(database: Database, clock: ManualClock) -> None:
    retention = Retention(database, Limits(10, 100, 5, most_alerts=3), clock)
    told = arrivals(an_alert(seq, severity="terrible") for seq in range(1, 8))
    assert Writer(database).store(told, clock.utc_ns()).quarantined == 7
    assert not retention.sweep()
    assert [seq for (seq,) in rows(database, quarantine, "seq")] == [5, 6, 7]


def test_positions_of_listeners_rise_even_when_all_alerts_are_gone(
    database: Database, clock: ManualClock
) -> None:
    retention, writer = Retention(database, Limits(1, 1, 1, 1000), clock), Writer(database)
    positions = []
    for seq in (1, 2):
        writer.store(arrivals([an_alert(seq, revision=seq)]), clock.utc_ns())
        positions += [number for (number,) in rows(database, revision, "id")]
        clock.advance(2 * DAY_S)
        retention.sweep()
    assert positions[0] < positions[1]


def test_what_sqlite_deletes_it_finds_by_a_plain_index_search(tmp_path: Path, clock: ManualClock) -> None:
    database = open_sqlite(tmp_path / "collector.db")
    database.prepare()
    Writer(database).store(arrivals([an_alert(1), an_alert(2, severity="terrible")]), clock.utc_ns())
    clock.advance(2 * DAY_S)
    told: list[tuple[str, Any]] = []
    with database.writing() as connection:
        event.listen(connection.engine, "before_cursor_execute", lambda *of: told.append((of[2], of[3])))
    Retention(database, Limits(1, 1, 1, 1000), clock).sweep()
    deletions = [
        (text, values[0] if isinstance(values, list) else values)
        for text, values in told
        if text.startswith("DELETE")
    ]
    assert len(deletions) >= 3
    with database.reading() as connection:
        for text, values in deletions:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all()
            assert all(str(row[3]).startswith("SEARCH") for row in plan), text


def test_it_takes_a_little_at_a_time(
    database: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeguard.collector.retention._AT_ONCE", 4)
    retention = Retention(database, Limits(1, 1, 1, 1000), clock)
    Writer(database).store(arrivals(an_alert(seq) for seq in range(1, 11)), clock.utc_ns())
    clock.advance(2 * DAY_S)
    sweeps = []
    while retention.sweep():
        sweeps.append(len(kept(database)))
    assert sweeps == [6, 2]
    assert kept(database) == []


def test_nothing_goes_for_a_clock_of_the_centre_that_leapt(
    database: Database, clock: ManualClock, tmp_path: Path
) -> None:
    about = {"name": "c", "mqtt": {"host": "::1"}, "state_dir": str(tmp_path)}
    config = CollectorConfig.model_validate(about)
    link: Any = SimpleNamespace(link=SimpleNamespace(publish=lambda *_of, **_more: 1), hears=True)
    audit = Centre(config, clock)._audit(database, link)
    Writer(database).store(arrivals([an_alert(1)]), clock.utc_ns())
    remains = []
    for days in (0, 400):
        clock.utc_offset_ns += days * DAY_S * 10**9
        clock.advance(700)
        audit.step()
        remains.append(kept(database))
    for _ in range(25):
        clock.advance(3600)
        audit.step()
    assert [*remains, kept(database)] == [[1], [1], []], "it stayed so for a day"
