"""What an outbox's file of before the message classes still holds."""

from __future__ import annotations

import json

from edgeguard.alerts.bounds import ROW_BYTES
from edgeguard.alerts.durable import worth_of
from edgeguard.alerts.messages import Message, encode
from edgeguard.alerts.outbox_file import Database


def has_older_tables(db: Database) -> bool:
    return db.execute("SELECT 1 FROM sqlite_master WHERE name = 'alert'").fetchone() is not None


def take_over_older(db: Database, now_ns: int) -> int:
    """Move what waits, and what was open, into today's tables; how many bodies could not be read."""
    unread = 0
    for seq, topic, body in db.execute("SELECT seq, topic, body FROM alert ORDER BY seq").fetchall():
        try:
            message = _today(body)
            boot_id, worth, body = message["boot_id"], worth_of(message), encode(message)
        except (ValueError, TypeError, KeyError):
            unread += 1
            continue
        db.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (seq, boot_id, topic, body))
        size = len(body) + len(topic) + ROW_BYTES
        db.execute("INSERT INTO place VALUES (?, ?, ?, ?, ?)", (seq, boot_id, worth, size, now_ns))
    if db.execute("SELECT 1 FROM sqlite_master WHERE name = 'told'").fetchone():
        unread += _take_over_open(db)
        db.execute("DROP TABLE open_alert")
    db.execute("DROP TABLE alert")
    return unread


def _take_over_open(db: Database) -> int:
    unread = 0
    for alert_id, body in db.execute("SELECT alert_id, body FROM open_alert").fetchall():
        try:
            message = _today(body)
            row = (alert_id, message["seq"], encode(message))
        except (ValueError, TypeError, KeyError):
            unread += 1
            continue
        db.execute("INSERT OR IGNORE INTO told VALUES (?, ?, 1, ?, NULL, NULL)", row)
    return unread


def _today(body: bytes) -> Message:
    message: Message = json.loads(body)
    return {**message, "acknowledged": None, "escalated_at": None, "replayed": message["replayed"]}
