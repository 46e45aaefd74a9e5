"""Is anything missing, is anybody silent? Looks again and again, and asks devices for what is missing.

A gap is found when its time of grace is over (`judging`), asked about while its device is there, 10 s, 20 s,
40 s and at last an hour apart, and closed when its numbers came or the device said why they never will. A
device that said `online` and then nothing for three heartbeats is silent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import uuid4

from sqlalchemy import Connection, select, update

from edgeguard.alerts.exchange import command_message
from edgeguard.alerts.link import Link
from edgeguard.alerts.messages import encode
from edgeguard.alerts.topics import Topics
from edgeguard.client.ranges import Range
from edgeguard.clock import Clock
from edgeguard.collector import gap_rows
from edgeguard.collector.database import Database
from edgeguard.collector.gap_rows import Found
from edgeguard.collector.rows import Row, insert_into
from edgeguard.collector.tables import collector, device

log = logging.getLogger(__name__)

_HEARTBEATS = 3
_COMMAND_LIFE_NS = 60 * 10**9
_MOST_LINES = 20
"""Of each kind, logged at one look."""


class Audit:
    """Owned by one thread. Raises StorageError."""

    def __init__(
        self, database: Database, link: Link, name: str, clock: Clock, *, heartbeat_s: float, gap_s: float
    ) -> None:
        self._database = database
        self._link = link
        self._name = name
        self._clock = clock
        self._silence_ns = round(_HEARTBEATS * heartbeat_s * 1e9)
        self._gap_ns = round(gap_s * 1e9)
        self._started_ns = clock.utc_ns()
        self._hears_since_ns: int | None = None
        self._clocks_apart_ns = self._apart_ns()

    def look(self, hears: bool) -> None:
        """Look once; `hears` says whether there is a subscription. While we are deaf nobody is judged."""
        now_ns = self._clock.utc_ns()
        stepped = self._was_stepped()
        if not hears or self._hears_since_ns is None or stepped:
            self._hears_since_ns = now_ns if hears else None
        with self._database.writing() as connection:
            self._sign(connection, now_ns)
            if stepped:
                _nobody_speaks_from_the_future(connection, now_ns)
            fell_silent = self._find_silent(connection, now_ns)
            found = self._find_gaps(connection, now_ns)
            gap_rows.close(connection)
            wanted = gap_rows.to_ask(connection, now_ns) if hears else []
        self._tell(found, fell_silent)
        for one in wanted:
            for numbers in one.ranges:
                self._ask(one, numbers, now_ns)

    def _was_stepped(self) -> bool:
        """Whether this machine's own clock was set since the last look, by more than a heartbeat."""
        before, self._clocks_apart_ns = self._clocks_apart_ns, self._apart_ns()
        return abs(self._clocks_apart_ns - before) > self._silence_ns // _HEARTBEATS

    def _apart_ns(self) -> int:
        return self._clock.utc_ns() - self._clock.monotonic_ns()

    def _sign(self, connection: Connection, now_ns: int) -> None:
        row: Row = {
            "name": self._name,
            "started_ns": self._started_ns,
            "alive_ns": now_ns,
            "hears_since_ns": self._hears_since_ns,
        }
        statement = insert_into(connection.dialect.name, collector).values(row)
        connection.execute(statement.on_conflict_do_update(index_elements=[collector.c.name], set_=row))

    def _find_silent(self, connection: Connection, now_ns: int) -> Sequence[tuple[str, str]]:
        if self._hears_since_ns is None or now_ns - self._hears_since_ns <= self._silence_ns:
            return []
        silent = (
            device.c.state == "online",
            device.c.silent_since_ns.is_(None),
            device.c.last_seen_ns < now_ns - self._silence_ns,
        )
        names = connection.execute(select(device.c.site, device.c.device).where(*silent)).all()
        if names:
            connection.execute(update(device).where(*silent).values(silent_since_ns=device.c.last_seen_ns))
        return names

    def _find_gaps(self, connection: Connection, now_ns: int) -> list[Found]:
        if self._hears_since_ns is None or now_ns - self._hears_since_ns < self._gap_ns:
            return []
        return gap_rows.find(connection, now_ns, self._gap_ns)

    def _tell(self, found: Sequence[Found], fell_silent: Sequence[tuple[str, str]]) -> None:
        for one in found[:_MOST_LINES]:
            log.warning("%s/%s: messages are missing: %s", one.site, one.device, _words(one.ranges))
        for site, name in fell_silent[:_MOST_LINES]:
            log.warning("%s/%s is silent: it said that it is online, and then nothing", site, name)
        more = max(0, len(found) - _MOST_LINES), max(0, len(fell_silent) - _MOST_LINES)
        if any(more):
            log.warning("and messages of %d more are missing, and %d more are silent", *more)

    def _ask(self, one: Found, numbers: Range, now_ns: int) -> None:
        message = command_message(
            *(one.site, one.device, "replay"),
            command_id=str(uuid4()),
            by=f"collector {self._name}",
            utc_ns=now_ns,
            expires_utc_ns=now_ns + _COMMAND_LIFE_NS,
            from_seq=numbers[0],
            to_seq=numbers[1],
        )
        self._link.publish(Topics(one.site, one.device).command("replay"), encode(message))


def _nobody_speaks_from_the_future(connection: Connection, now_ns: int) -> None:
    """Our clock was set back: what was heard before must not count as heard later than now."""
    for column in (device.c.last_seen_ns, device.c.progress_ns, device.c.told_high_ns):
        connection.execute(update(device).where(column > now_ns).values({column.name: now_ns}))


def _words(ranges: Sequence[Range]) -> str:
    told = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:10]]
    return ", ".join(told) + (f" and {len(ranges) - 10} more" if len(ranges) > 10 else "")
