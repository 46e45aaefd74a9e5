"""What arrived, into the database: a batch in one transaction, each message once, however often it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, tuple_

from edgeguard.client.times import utc_ns
from edgeguard.collector.alert_rows import store_alerts, store_steps
from edgeguard.collector.coverage_rows import store_coverage
from edgeguard.collector.database import BadValueError, Database
from edgeguard.collector.device_rows import Heartbeats, note_progress
from edgeguard.collector.intake import Arrival
from edgeguard.collector.result_rows import store_results
from edgeguard.collector.rows import Row, insert_new, word
from edgeguard.collector.tables import device, health, quarantine, run, seen

Arrived = tuple[int, Arrival]
"""Row id of the device, and what came from it."""
_KNOWN = 100_000


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch; all of it is on the disk."""

    new: int = 0
    """Durable messages that had not come before."""
    duplicates: int = 0
    quarantined: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            self.new + other.new, self.duplicates + other.duplicates, self.quarantined + other.quarantined
        )


class Writer:
    """Owned by one thread. Every method raises StorageError, and then nothing was stored."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._devices: dict[tuple[str, str], int] = {}
        self._runs: set[tuple[int, str]] = set()
        self._heartbeats = Heartbeats()

    def store(self, batch: Sequence[Arrival], now_ns: int) -> Stored:
        """Store the batch; what the database itself cannot take is put aside, message by message."""
        try:
            return self._store(batch, now_ns)
        except (BadValueError, ValueError, OverflowError) as error:
            if len(batch) > 1:
                half = len(batch) // 2
                return self.store(batch[:half], now_ns) + self.store(batch[half:], now_ns)
            return self._set_aside(batch[0], str(error), now_ns)

    def _store(self, batch: Sequence[Arrival], now_ns: int) -> Stored:
        try:
            with self._database.writing() as connection:
                return self._write(connection, batch, now_ns)
        except BaseException:
            self._forget()
            raise

    def _set_aside(self, arrival: Arrival, fault: str, now_ns: int) -> Stored:
        """Keep a durable message as it came; any other is given up."""
        if arrival.seq is None:
            return Stored()
        with self._database.writing() as connection:
            arrived = self._of_devices(connection, [arrival], now_ns)
            self._know_runs(connection, arrived)
            fresh = self._unseen(connection, arrived, now_ns)
            _quarantine(connection, [(device_id, arrival, fault) for device_id, arrival in fresh], now_ns)
        return Stored(quarantined=1)

    def _write(self, connection: Connection, batch: Sequence[Arrival], now_ns: int) -> Stored:
        arrived = self._of_devices(connection, batch, now_ns)
        self._know_runs(connection, arrived)
        fresh = self._unseen(connection, arrived, now_ns)
        readable = [(device_id, arrival) for device_id, arrival in fresh if arrival.fault is None]
        store_steps(connection, _of(readable, "clock"))
        contradicting = store_alerts(connection, _of(readable, "alert"), now_ns)
        store_coverage(connection, _of(readable, "coverage"), now_ns)
        _store_health(connection, _of(readable, "health"), now_ns)
        store_results(connection, _of(arrived, "result"), now_ns)
        self._heartbeats.store(connection, arrived, now_ns)
        note_progress(connection, {device_id for device_id, _ in fresh}, now_ns)
        aside = [(device_id, arrival, arrival.fault) for device_id, arrival in fresh if arrival.fault]
        _quarantine(connection, aside + contradicting, now_ns)
        durable = sum(arrival.seq is not None for arrival in batch)
        return Stored(len(fresh), durable - len(fresh), len(aside) + len(contradicting))

    def _of_devices(self, connection: Connection, batch: Sequence[Arrival], now_ns: int) -> list[Arrived]:
        names = {(arrival.site, arrival.device) for arrival in batch}
        if unknown := names - self._devices.keys():
            rows: list[Row] = [
                {"site": site, "device": name, "first_seen_ns": now_ns, "last_seen_ns": now_ns}
                for site, name in sorted(unknown)
            ]
            insert_new(connection, device, rows, "site", "device")
            query = select(device.c.site, device.c.device, device.c.id)
            for site, name, device_id in connection.execute(
                query.where(tuple_(device.c.site, device.c.device).in_(unknown))
            ):
                self._devices[site, name] = device_id
        return [(self._devices[arrival.site, arrival.device], arrival) for arrival in batch]

    def _know_runs(self, connection: Connection, arrived: Sequence[Arrived]) -> None:
        """A run that is new belongs to the device's newest line, until its status says otherwise."""
        runs = {(device_id, arrival.boot_id) for device_id, arrival in arrived} - self._runs
        for device_id, boot_id in sorted(runs):
            line = connection.execute(select(device.c.line).where(device.c.id == device_id)).scalar_one()
            row = {"device_id": device_id, "boot_id": boot_id, "line": line}
            insert_new(connection, run, [row], "device_id", "boot_id")
        self._runs |= runs

    def _unseen(self, connection: Connection, arrived: Sequence[Arrived], now_ns: int) -> list[Arrived]:
        """The durable messages that come for the first time."""
        durable = {(row[0], row[1].seq, row[1].boot_id): row for row in arrived if row[1].seq is not None}
        key = ("device_id", "seq", "boot_id")
        rows: list[Row] = [dict(zip(key, values, strict=True), received_ns=now_ns) for values in durable]
        new = insert_new(connection, seen, rows, *key)
        return [row for values, row in durable.items() if values in new]

    def _forget(self) -> None:
        """What was learned in a transaction that failed may not be so."""
        self._devices.clear()
        self._runs.clear()
        self._heartbeats = Heartbeats()

    def tidy(self) -> None:
        """Keep what is remembered bounded."""
        if max(len(self._devices), len(self._runs)) > _KNOWN:
            self._forget()


def _of(arrived: Sequence[Arrived], name: str) -> list[Arrived]:
    return [row for row in arrived if row[1].name == name]


def _store_health(connection: Connection, records: Sequence[Arrived], now_ns: int) -> None:
    rows: list[Row] = [
        {
            "device_id": device_id,
            "boot_id": record.boot_id,
            "seq": record.seq,
            "at_ns": utc_ns(record.message["at"]),
            "received_ns": now_ns,
            "body": record.body.decode(),
        }
        for device_id, record in records
    ]
    insert_new(connection, health, rows, "device_id", "boot_id", "seq")


def _quarantine(connection: Connection, aside: Sequence[tuple[int, Arrival, str]], now_ns: int) -> None:
    rows: list[Row] = [
        {
            "device_id": device_id,
            "boot_id": arrival.boot_id,
            "seq": arrival.seq,
            "received_ns": now_ns,
            "topic": word(arrival.topic),
            "reason": word(reason),
            "body": arrival.body,
        }
        for device_id, arrival, reason in aside
    ]
    if rows:
        connection.execute(insert(quarantine), rows)
