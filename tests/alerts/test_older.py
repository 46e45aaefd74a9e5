from __future__ import annotations

import sqlite3
from pathlib import Path

from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.messages import ClockQuality, alert_message, encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_check import check
from edgeguard.clock import ManualClock
from edgeguard.types import AlertState
from tests.support.alerts import IDENTITY, alert


def test_what_waits_and_what_is_open_in_an_older_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE alert (seq INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL,"
        " body BLOB NOT NULL, waits_since_ns INTEGER NOT NULL);"
        "CREATE TABLE open_alert (alert_id TEXT PRIMARY KEY, body BLOB NOT NULL);"
    )
    for seq in (3, 4, 5):
        told = alert(state=AlertState.OPENED, closed_utc_ns=None)
        message = alert_message(told, IDENTITY, seq, 0, ClockQuality())
        del message["acknowledged"], message["escalated_at"]
        db.execute("INSERT INTO alert VALUES (?, 'topic', ?, 0)", (seq, encode(message)))
        db.execute("INSERT INTO open_alert VALUES (?, ?)", (told.alert_id, encode(message)))
    db.execute("INSERT INTO alert VALUES (6, 'topic', ?, 0)", (b"no JSON",))
    db.commit()
    db.close()
    (tmp_path / "outbox.db.seq").write_text("1005")
    outbox = Outbox(path, ManualClock(), Ledger("boot-1", ManualClock()), ballast_bytes=0)
    assert [entry.seq for entry in outbox.due(0, 9)] == [3, 4, 5]
    assert [message["seq"] for message in outbox.left_open()] == [3, 4, 5]
    assert outbox.seq_high == 1005
    assert "1 " in outbox.replaced[0]
    outbox.close()
    assert check(path).sound
    again = Outbox(path, ManualClock(), Ledger("boot-2", ManualClock()), ballast_bytes=0)
    assert (again.pending, again.replaced) == (3, [])
    again.close()
