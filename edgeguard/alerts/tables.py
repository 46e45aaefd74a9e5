"""The outbox's own tables."""

from __future__ import annotations

from edgeguard.alerts import gaps

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    boot_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS place (
    seq INTEGER PRIMARY KEY,
    boot_id TEXT NOT NULL,
    rank INTEGER NOT NULL,
    size INTEGER NOT NULL,
    waits_since_ns INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS place_by_rank ON place (rank);
{gaps.SCHEMA}
"""
PROBES = (
    "SELECT seq, boot_id, topic, body FROM message LIMIT 0",
    "SELECT seq, boot_id, rank, size, waits_since_ns FROM place LIMIT 0",
    "SELECT from_seq, to_seq, reason FROM gap LIMIT 0",
)
"""Refused where damage changed the names of the tables' columns, which SQLite's own check does not see."""
