"""What is known of each alert that was told: its latest revision, and whether it still waits for something.

The tables live in the outbox's file and change in the transaction that commits the message they speak of, so
that ledger and outbox can never tell different stories. `db` is the outbox's connection.

L1. `revision` rises by one with each message of an alert, whoever causes it: policy, acknowledgement,
    escalation. Where the file was lost, the next one is far above what may have been told before.
L2. An alert with a deadline is neither acknowledged nor escalated.
L3. `verdict` counts each alert that has a verdict once, under its rule; it counts on when an alert is
    forgotten.
L4. An alert that is open or has a deadline is never forgotten; of the others the newest `most_over` are kept.
L5. The times that a revision takes over from the one before are moved by the steps of the clock in between:
    all times of a message are then told by one clock.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from edgeguard.alerts import ledger_rescue, parcels
from edgeguard.alerts.durable import Draft, worth_of
from edgeguard.alerts.escalation import Escalation
from edgeguard.alerts.ledger_rescue import LEAP, readable
from edgeguard.alerts.messages import Message
from edgeguard.alerts.outbox_file import Database
from edgeguard.alerts.times import moved_times
from edgeguard.clock import Clock
from edgeguard.types import Severity

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS told (
    alert_id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    open INTEGER NOT NULL,
    body BLOB NOT NULL,
    deadline_ns INTEGER,
    deadline_utc_ns INTEGER
);
CREATE INDEX IF NOT EXISTS told_open ON told (seq) WHERE open;
CREATE INDEX IF NOT EXISTS told_over ON told (seq) WHERE NOT open AND deadline_ns IS NULL;
CREATE INDEX IF NOT EXISTS told_waiting ON told (deadline_ns) WHERE deadline_ns IS NOT NULL;
CREATE TABLE IF NOT EXISTS verdict (
    rule TEXT NOT NULL, verdict TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (rule, verdict)
);
CREATE TABLE IF NOT EXISTS clock_step (seq INTEGER PRIMARY KEY, boot_id TEXT NOT NULL, step_ms REAL NOT NULL);
"""
_FORGET_EVERY = 500
_STEPS_KEPT = 200
_MOST_KEPT = 200


class Ledger:
    """A `Companion` of the outbox; owned by one thread.

    `boot_id` is that of this run. Without `escalation` no alert gets a deadline.
    """

    schema = _SCHEMA + parcels.SCHEMA

    def __init__(
        self, boot_id: str, clock: Clock, escalation: Escalation | None = None, most_over: int = 10_000
    ) -> None:
        self._boot_id = boot_id
        self._clock = clock
        self._escalation = escalation
        self._most_over = most_over
        self._entered = 0
        self._unreadable: set[str] = set()
        self._kept: dict[str, tuple[bytes, Message]] = {}
        """Of alerts that go on, what was written last: where that is what stands there, it is not parsed."""

    @property
    def unreadable(self) -> int:
        """Alerts that damage made unreadable and that were forgotten for it, in this run."""
        return len(self._unreadable)

    def enter(self, db: Database, draft: Draft) -> Draft:
        """The alert's next revision as it goes out: numbered, and with what others did to the alert kept."""
        if draft.message["schema"] == "edgeguard.clock.v1":
            _note_step(db, draft.message)
        if draft.message["schema"] != "edgeguard.alert.v1":
            return draft
        before = self.find(db, draft.message["alert_id"])
        message = _continued(before, draft.message)
        if before is not None:
            message |= moved_times(before, message, _steps_since(db, before))
        entered = Draft(draft.topic, message, worth_of(message))
        self._keep(db, entered)
        self._judge(db, before, message)
        self._watch(db, before, message)
        self._entered += 1
        if self._entered % _FORGET_EVERY == 0:
            self.forget(db, self._most_over)
        return entered

    def left_open(self, db: Database) -> list[Message]:
        """The latest revisions of the alerts that were going on when an earlier run ended."""
        rows = db.execute("SELECT alert_id, body FROM told WHERE open ORDER BY seq").fetchall()
        messages = [self._read(db, alert_id, body) for alert_id, body in rows]
        return [message for message in messages if message and message["boot_id"] != self._boot_id]

    def take_over(self, db: Database, lost: Database) -> None:
        """Go on with what can be read of a damaged file."""
        ledger_rescue.take_over(db, lost)

    def give_way(self, db: Database) -> bool:
        """The disk is full: forget the older half of what is over. Whether there was something to forget."""
        count = "SELECT count(*) FROM told WHERE NOT open AND deadline_ns IS NULL"
        (over,) = db.execute(count).fetchone()
        return self.forget(db, over // 2) > 0

    def find(self, db: Database, alert_id: str) -> Message | None:
        """The latest revision of an alert; None if it was never told, or long ago, or is unreadable."""
        row = db.execute("SELECT body FROM told WHERE alert_id = ?", (alert_id,)).fetchone()
        return self._read(db, alert_id, row[0]) if row else None

    def verdicts(self, db: Database) -> Mapping[str, int]:
        """How many alerts of each rule were judged how: `<rule>.true`, `<rule>.false_alarm`."""
        rows = db.execute("SELECT rule, verdict, count FROM verdict ORDER BY rule, verdict")
        return {f"{rule}.{verdict}": count for rule, verdict, count in rows}

    def forget(self, db: Database, most_over: int) -> int:
        """Keep only the newest of what is over. Returns how many were forgotten."""
        surplus = (
            "SELECT seq FROM told WHERE NOT open AND deadline_ns IS NULL ORDER BY seq DESC LIMIT 1 OFFSET ?"
        )
        newest = db.execute(surplus, (most_over,)).fetchone()
        if newest is None:
            return 0
        delete = "DELETE FROM told WHERE NOT open AND deadline_ns IS NULL AND seq <= ?"
        return db.execute(delete, newest).rowcount

    def overdue(self, db: Database, now_ns: int, limit: int) -> list[str]:
        """Whose deadline has passed, the longest first."""
        query = "SELECT alert_id, body FROM told WHERE deadline_ns <= ? ORDER BY deadline_ns LIMIT ?"
        rows = db.execute(query, (now_ns, limit)).fetchall()
        return [alert_id for alert_id, body in rows if self._read(db, alert_id, body)]

    def waiting(self, db: Database) -> int:
        """How many alerts have a deadline."""
        row = db.execute("SELECT count(*) FROM told WHERE deadline_ns IS NOT NULL").fetchone()
        return int(row[0])

    def resume(self, db: Database) -> None:
        """A new run: what waited goes on waiting, for no longer than from the start of an alert."""
        if self._escalation is None:
            db.execute("UPDATE told SET deadline_ns = NULL, deadline_utc_ns = NULL")
            return
        now_ns, utc_ns = self._clock.monotonic_ns(), self._clock.utc_ns()
        db.execute(
            "UPDATE told SET deadline_ns = ? + max(0, min(?, deadline_utc_ns - ?))"
            " WHERE deadline_ns IS NOT NULL",
            (now_ns, self._escalation.after_ns, utc_ns),
        )

    def follow_clock(self, db: Database) -> None:
        """UTC was stepped: what waits has as long to wait as before."""
        offset_ns = self._clock.utc_ns() - self._clock.monotonic_ns()
        change = "UPDATE told SET deadline_utc_ns = deadline_ns + ? WHERE deadline_ns IS NOT NULL"
        db.execute(change, (offset_ns,))

    def _read(self, db: Database, alert_id: str, body: object) -> Message | None:
        """What a row holds; one that damage has come over is forgotten, so that it stands in nobody's way."""
        written, kept = self._kept.get(alert_id, (None, None))
        if written == body:
            return kept
        message = readable(body, alert_id)
        if message is None:
            db.execute("DELETE FROM told WHERE alert_id = ?", (alert_id,))
            if alert_id not in self._unreadable:
                log.error("ledger: what it held of alert %s was unreadable and is forgotten", alert_id)
            self._unreadable.add(alert_id)
        return message

    def _keep(self, db: Database, draft: Draft) -> None:
        message = draft.message
        self._kept.pop(message["alert_id"], None)
        if message["closed_at"] is None and len(self._kept) < _MOST_KEPT:
            self._kept[message["alert_id"]] = draft.body, message
        db.execute(
            "INSERT INTO told VALUES (?, ?, ?, ?, NULL, NULL) ON CONFLICT (alert_id)"
            " DO UPDATE SET seq = excluded.seq, open = excluded.open, body = excluded.body",
            (message["alert_id"], message["seq"], message["closed_at"] is None, draft.body),
        )

    def _watch(self, db: Database, before: Message | None, message: Message) -> None:
        """Give an alert its deadline once it is bad enough, and take it from one that needs it no more."""
        if message["acknowledged"] or message["escalated_at"]:
            self._set_deadline(db, message, None, None)
        elif self._escalation is not None and self._escalation.begins(before, message):
            after_ns = self._escalation.after_ns
            now_ns, utc_ns = self._clock.monotonic_ns(), self._clock.utc_ns()
            self._set_deadline(db, message, now_ns + after_ns, utc_ns + after_ns)

    def _set_deadline(
        self, db: Database, message: Message, deadline_ns: int | None, deadline_utc_ns: int | None
    ) -> None:
        change = "UPDATE told SET deadline_ns = ?, deadline_utc_ns = ? WHERE alert_id = ?"
        db.execute(change, (deadline_ns, deadline_utc_ns, message["alert_id"]))

    def _judge(self, db: Database, before: Message | None, now: Message) -> None:
        """Move the rule's count from the old verdict to the new one."""
        old, new = _verdict(before), _verdict(now)
        if old == new:
            return
        change = (
            "INSERT INTO verdict VALUES (?, ?, ?)"
            " ON CONFLICT (rule, verdict) DO UPDATE SET count = count + excluded.count"
        )
        moves = [(now["rule"], verdict, step) for verdict, step in ((old, -1), (new, 1)) if verdict]
        db.executemany(change, moves)


def _continued(before: Message | None, message: Message) -> Message:
    if before is None:
        first = message["revision"] == 1
        return message if first else {**message, "revision": message["revision"] + LEAP}
    escalated_at = message["escalated_at"] or before["escalated_at"]
    return {
        **message,
        "revision": before["revision"] + 1,
        "severity": Severity.CRITICAL.value if escalated_at else message["severity"],
        "acknowledged": message["acknowledged"] or before["acknowledged"],
        "escalated_at": escalated_at,
    }


def _note_step(db: Database, step: Message) -> None:
    row = (step["seq"], step["boot_id"], step["step_ms"])
    db.execute("INSERT OR REPLACE INTO clock_step VALUES (?, ?, ?)", row)
    surplus = (
        "DELETE FROM clock_step WHERE seq <= (SELECT seq FROM clock_step ORDER BY seq DESC LIMIT 1 OFFSET ?)"
    )
    db.execute(surplus, (_STEPS_KEPT,))


def _steps_since(db: Database, told: Message) -> float:
    """Milliseconds by which the clock was stepped forward in the run that told a message, since it did."""
    query = "SELECT total(step_ms) FROM clock_step WHERE seq > ? AND boot_id = ?"
    (step_ms,) = db.execute(query, (told["seq"], told["boot_id"])).fetchone()
    return float(step_ms)


def _verdict(message: Message | None) -> str | None:
    acknowledged = message and message["acknowledged"]
    return acknowledged["verdict"] if acknowledged else None
