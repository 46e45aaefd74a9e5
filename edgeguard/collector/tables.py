"""The database's tables. All times are nanoseconds since 1970 UTC; `device_id` names a row of `device`.

A device numbers its durable messages in one row, `seq`. Where that row began anew (another box under the old
name), `device.line` rises by one, and runs belong to lines: gaps are looked for in the newest line.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

VERSION = "1"
"""Of this layout; a database of another one is refused."""

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")
"""Numbered by the database."""


def _table(name: str, *parts: SchemaItem, **options: Any) -> Table:
    return Table(name, metadata, *parts, **options)


about = _table("about", Column("key", String(40), primary_key=True), Column("value", Text, nullable=False))
"""`version`, and `id`: a name for this database, by which its collectors know that they share it."""

collector = _table(
    "collector",
    Column("name", String(64), primary_key=True),
    Column("started_ns", BigInteger, nullable=False),
    Column("alive_ns", BigInteger, nullable=False),
    Column("hears_since_ns", BigInteger),
)
"""Who works on this database; `hears_since_ns` is null while there is no subscription."""

device = _table(
    "device",
    Column("id", _Id, primary_key=True),
    Column("site", String(64), nullable=False),
    Column("device", String(64), nullable=False),
    Column("first_seen_ns", BigInteger, nullable=False),
    Column("last_seen_ns", BigInteger, nullable=False),
    Column("progress_ns", BigInteger, nullable=False, server_default="0"),
    Column("silent_since_ns", BigInteger),
    Column("boot_id", String(36)),
    Column("started_ns", BigInteger),
    Column("state", String(10)),
    Column("custody", String(10)),
    Column("version", String(64)),
    Column("health", Text),
    Column("seq_high", BigInteger, nullable=False, server_default="0"),
    Column("told_high_ns", BigInteger, nullable=False, server_default="0"),
    Column("line", Integer, nullable=False, server_default="1"),
    Column("audited_to", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("site", "device"),
)
"""`state` is the last status of run `boot_id`; `progress_ns`: a durable message came that was new; up to
`audited_to` every number is here or in `gap`."""

run = _table(
    "run",
    Column("device_id", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("line", Integer, nullable=False),
    PrimaryKeyConstraint("device_id", "boot_id"),
)

seen = _table(
    "seen",
    Column("device_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    PrimaryKeyConstraint("device_id", "seq", "boot_id"),
    Index("seen_by_time", "received_ns"),
)
"""Every durable message that was committed: what comes again is known by it."""

revision = _table(
    "revision",
    Column("id", _Id, primary_key=True),
    Column("device_id", BigInteger, nullable=False),
    Column("alert_id", String(36), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    UniqueConstraint("device_id", "alert_id", "revision"),
    sqlite_autoincrement=True,
)
"""Every revision as it was told; `id` rises in the order of commits and is never used again."""

alert = _table(
    "alert",
    Column("id", _Id, primary_key=True),
    Column("device_id", BigInteger, nullable=False),
    Column("alert_id", String(36), nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("step_ns", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    Column("severity", String(10), nullable=False),
    Column("kind", String(200), nullable=False),
    Column("source", String(200), nullable=False),
    Column("rule", String(200), nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
    Column("verdict", String(20)),
    Column("body", Text, nullable=False),
    UniqueConstraint("device_id", "alert_id"),
    Index("alert_by_time", "opened_ns", "id"),
    Index("alert_by_device", "device_id", "opened_ns"),
    Index("alert_by_id", "alert_id"),
    Index("alert_by_receipt", "received_ns"),
)
"""Each alert at its newest revision; `opened_ns` is corrected by `step_ns`, the clock's later steps."""

clock_step = _table(
    "clock_step",
    Column("device_id", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("step_ms", Float, nullable=False),
    PrimaryKeyConstraint("device_id", "boot_id", "seq"),
)

health = _table(
    "health",
    Column("device_id", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("at_ns", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "boot_id", "seq"),
)
"""Durable records of health, from when nobody could be told."""

coverage = _table(
    "coverage",
    Column("device_id", BigInteger, nullable=False),
    Column("day", String(10), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "day"),
)
"""Each day of each device as it was told last."""

result = _table(
    "result",
    Column("device_id", BigInteger, nullable=False),
    Column("request_id", String(36), nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "request_id"),
)
"""What devices answered to commands and acknowledgements."""

gap = _table(
    "gap",
    Column("id", _Id, primary_key=True),
    Column("device_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("from_seq", BigInteger, nullable=False),
    Column("to_seq", BigInteger, nullable=False),
    Column("noticed_ns", BigInteger, nullable=False),
    Column("reason", String(20)),
    Column("asked", Integer, nullable=False, server_default="0"),
    Column("next_ask_ns", BigInteger, nullable=False, server_default="0"),
    Index("gap_by_device", "device_id", "line", "from_seq"),
)
"""Numbers that are missing; `reason` says why they will never come, null: unexplained."""

unavailable = _table(
    "unavailable",
    Column("device_id", BigInteger, nullable=False),
    Column("line", Integer, nullable=False),
    Column("from_seq", BigInteger, nullable=False),
    Column("to_seq", BigInteger, nullable=False),
    Column("reason", String(20), nullable=False),
    PrimaryKeyConstraint("device_id", "line", "from_seq", "to_seq"),
)
"""Numbers of which the device said that they will never come."""

quarantine = _table(
    "quarantine",
    Column("id", _Id, primary_key=True),
    Column("device_id", BigInteger, nullable=False),
    Column("boot_id", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False),
    Column("topic", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""Durable messages that nobody can read, as they came: so the device need not send them for ever."""
