"""The simplest companion of an outbox, for messages that need no ledger."""

from __future__ import annotations

import json

from edgeguard.alerts.durable import Draft
from edgeguard.alerts.messages import Message, encode
from edgeguard.alerts.outbox_file import Database


class OpenAlerts:
    """The outbox's companion: an alert is in its table while no closing revision of it was committed."""

    schema = "CREATE TABLE IF NOT EXISTS open_alert (alert_id TEXT PRIMARY KEY, body BLOB NOT NULL);"

    def enter(self, db: Database, draft: Draft) -> Draft:
        message = draft.message
        if message["schema"] != "edgeguard.alert.v1":
            return draft
        if message["closed_at"] is None:
            row = (message["alert_id"], encode(message))
            db.execute("INSERT OR REPLACE INTO open_alert VALUES (?, ?)", row)
        else:
            db.execute("DELETE FROM open_alert WHERE alert_id = ?", (message["alert_id"],))
        return draft

    def left_open(self, db: Database) -> list[Message]:
        return [json.loads(body) for (body,) in db.execute("SELECT body FROM open_alert")]

    def take_over(self, _db: Database, _lost: Database) -> None:
        """What cannot be read is not closed."""

    def give_way(self, _db: Database) -> bool:
        return False
