from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edgeguard.alerts.bounds import Limits
from edgeguard.alerts.outbox import Outbox
from edgeguard.clock import ManualClock
from tests.alerts.test_outbox import done, draft
from tests.cli.conftest import Type
from tests.support.companion import OpenAlerts


def change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "outbox.db")) as db, db:
        db.execute(statement)


def said(type_in: Type, *words: str) -> tuple[int, str, str]:
    result = type_in(*words)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder whose outbox holds some of everything."""
    box = Outbox(
        tmp_path / "outbox.db",
        ManualClock(),
        OpenAlerts(),
        limits=Limits(rows=6),
        ballast_bytes=0,
    )
    box.commit(["w", "w", "a", "a", "a", "a"], draft)
    done(box, [3])
    box.commit(["a", "a"], draft)
    box.close()
    return tmp_path


def test_a_sound_outbox_is_said_to_be_so_and_what_waits_is_counted(type_in: Type, state: Path) -> None:
    code, out, _ = said(type_in, "outbox", "check", "--state-dir", str(state))
    assert code == 0, out
    assert out.count("holds") == 5
    assert "waiting: 1 warning, 5 alarm; history: 1" in out
    assert "gap: 1..1 shed" in out
    code, out, _ = said(type_in, "outbox", "check", "--state-dir", str(state), "--json")
    report = json.loads(out)
    assert (report["sound"], report["seq_high"], report["oldest"]["seq"]) == (True, 8, 2)


def test_it_reads_the_outbox_of_a_daemon_that_runs_and_changes_nothing(type_in: Type, state: Path) -> None:
    box = Outbox(state / "outbox.db", ManualClock(), OpenAlerts(), ballast_bytes=0)
    box.commit(["a"], draft)
    before = (state / "outbox.db").read_bytes(), (state / "outbox.db-wal").read_bytes()
    code, out, _ = said(type_in, "outbox", "check", "--state-dir", str(state))
    assert (code, "6 alarm" in out) == (0, True)
    assert before == ((state / "outbox.db").read_bytes(), (state / "outbox.db-wal").read_bytes())
    box.commit(["a"], draft)
    box.close()


@pytest.mark.parametrize(
    ("statement", "name", "fault"),
    [
        ("DELETE FROM place WHERE seq = 4", "I1", "message 4 has no place"),
        ("DELETE FROM message WHERE seq = 4", "I1", "the place of 4 has no message"),
        ("UPDATE sqlite_sequence SET seq = 7 WHERE name = 'message'", "I2", "above the counter"),
        ("UPDATE sqlite_sequence SET seq = 9999 WHERE name = 'message'", "I2", "are reserved"),
        ("UPDATE message SET body = '{}' WHERE seq = 4", "I3", "the body of 4 cannot be read"),
        ("UPDATE message SET body = replace(body, '\"seq\":4', '\"seq\":5')", "I3", "says that it is 5"),
        ("INSERT INTO gap VALUES (4, 4, 'shed')", "I4", "message 4 lies in the gap 4..4"),
        ("INSERT INTO gap VALUES (0, 0, 'shed'), (-1, 0, 'shed')", "I4", "overlaps"),
    ],
)
def test_what_is_broken_is_named(type_in: Type, state: Path, statement: str, name: str, fault: str) -> None:
    change(state, statement)
    code, out, _ = said(type_in, "outbox", "check", "--state-dir", str(state))
    assert code == 1
    assert f"broken  {name}" in out
    assert fault in out


def test_what_cannot_be_read_is_an_error_in_words(type_in: Type, tmp_path: Path) -> None:
    code, _, err = said(type_in, "outbox", "check", "--state-dir", str(tmp_path))
    assert (code, "cannot read" in err) == (1, True)
    (tmp_path / "outbox.db").write_bytes(b"no database" * 999)
    code, _, err = said(type_in, "outbox", "check", "--state-dir", str(tmp_path))
    assert (code, "outbox.db" in err) == (1, True)
    assert said(type_in, "outbox", "check")[0] == 78
