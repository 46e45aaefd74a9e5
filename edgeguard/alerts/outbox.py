"""Messages that must arrive, on disk: from `commit` on, one is never lost unless room has to be made.

Invariants, at every moment and after a power cut (`edgeguard outbox check` verifies them):

I1. Every `message` has one `place` and every `place` its `message`: it waits in its class, or it was
    delivered and is kept only to be replayed.
I2. `seq` rises by one per message and is never given twice, through deletions and restarts: the file's own
    counter is at least every `seq` in it, and `<outbox>.seq` holds a number that is at least that counter.
I3. A body says of itself the `seq` and `boot_id` under which it is kept.
I4. A number that was given and has no message is explained: it was delivered and has expired, or it lies in
    a `gap`; gaps do not overlap, and no message lies in one.
I5. What waits is within its limits, class by class and as a whole.

Commit:   1. Reserve numbers (`SeqFloor`), so that I2 outlives a lost file.
          2. In one transaction (WAL, `synchronous=FULL`: on the disk when it returns) insert each message
             with its final body, let the companion keep its books, and make room where there is too much.
          3. On a full disk drop the ballast, then let the least important go, and do 2 again.
Deliver:  4. The caller sends what is `due`, says `sent`, and sends again what is due again.
          5. Once in other hands, `done` turns it into history. That need not be on the disk at once: a cut
             sends it again, under the same `seq`, alert id and revision.
Replay:   6. Asked for, history is due once more, after all that waits; a restart forgets the request.
Open:     7. `quick_check`. A damaged file is set aside under another name, and a new one starts above the
             reserved numbers, with what can still be read of the old one, and a gap for the rest.

When and how often something was sent concerns this run only and is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from edgeguard.alerts import gaps
from edgeguard.alerts.attempts import Attempts
from edgeguard.alerts.bounds import ROW_BYTES, Limits, Removed, Stock, give_way, measure, trim
from edgeguard.alerts.durable import WAITING, Companion, Draft, Entry, MessageClass
from edgeguard.alerts.exchange import Unavailable
from edgeguard.alerts.making_room import Batch, with_room
from edgeguard.alerts.messages import Message
from edgeguard.alerts.numbers import count_on, highest_of, renumber
from edgeguard.alerts.older import has_older_tables, take_over_older
from edgeguard.alerts.outbox_file import Database, OutboxFile
from edgeguard.alerts.replays import Replays
from edgeguard.alerts.rescue import give_up, is_whole, take_over
from edgeguard.alerts.reserve import SeqFloor
from edgeguard.alerts.sqlite import size_of
from edgeguard.alerts.tables import PROBES, SCHEMA
from edgeguard.clock import Clock

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

_FILE_OVERHEAD = 3
"""How much larger than its messages the file may be: SQLite's pages are not filled to the brim."""


class Outbox:
    """The file `path`, its `.seq` and its `.ballast`; every method raises StorageError."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        companion: Companion,
        limits: Limits | None = None,
        ballast_bytes: int = 16 << 20,
    ) -> None:
        self._clock = clock
        self._companion = companion
        self._limits = limits or Limits()
        self._floor = SeqFloor(path.with_name(path.name + ".seq"))
        self.seq_high = 0
        """The highest `seq` given out."""
        self.shed: dict[MessageClass, int] = dict.fromkeys(WAITING, 0)
        """Messages that gave way since the start, by class."""
        self._missing: list[str] = []
        self._stock = Stock()
        self._attempts = Attempts()
        self._replays = Replays()
        self._left_out: list[Removed] = []
        self._earlier_high = self._sent_high = 0
        max_bytes = _FILE_OVERHEAD * (self._limits.bytes + self._limits.history_bytes)
        schema = SCHEMA + self._companion.schema
        self._file = OutboxFile(path, schema, self._opened, self._take_over, max_bytes, ballast_bytes)

    @property
    def pending(self) -> int:
        """Messages not delivered yet."""
        return self._stock.waiting

    @property
    def pending_by_class(self) -> dict[MessageClass, int]:
        return {worth: self._stock.rows[worth] for worth in WAITING}

    @property
    def set_aside(self) -> list[Path]:
        """The damaged files that this one replaces, in this run."""
        return self._file.set_aside

    @property
    def replaced(self) -> list[str]:
        """Why earlier files had to be replaced, in this run."""
        return self._missing + self._file.replaced

    @property
    def alerts_shed(self) -> int:
        """Warnings and alarms that gave way since the start."""
        return self.shed[MessageClass.WARNING] + self.shed[MessageClass.ALARM]

    @property
    def ballast_used(self) -> bool:
        """The disk was full and the reserve was given up; it is taken again once there is room."""
        return self._file.ballast_used

    def transaction(self, step: Callable[[Database], ResultT], *, durable: bool = True) -> ResultT:
        """`step(db)` whole or not at all, for the companion's own work. `step` may run twice."""
        return self._file.transaction(step, durable=durable)

    def commit(self, items: Sequence[ItemT], draft: Callable[[ItemT, int, Database], Draft]) -> None:
        """Store `draft(item, seq, db)` of every item, or none of them; makes room where it is needed.

        On a full disk what counts less than all that waits is shed at once, so that the rest can be stored.
        """
        batch = Batch()

        def insert(db: Database) -> tuple[Stock, list[Removed]]:
            self._floor.reserve(self.seq_high + len(items))
            stock = self._stock.copy()
            drafts = [draft(item, seq, db) for seq, item in enumerate(items, self.seq_high + 1)]
            batch.worths = [made.worth for made in drafts]
            refused = self._insert_all(db, drafts, batch, stock)
            return stock, refused + trim(db, stock, self._limits)

        stock, removed = with_room(self._file, insert, batch, self._give_way)
        self.seq_high += len(items)
        self._floor.mark(self.seq_high)
        self._settle(stock, removed)

    def due(self, now_ns: int, limit: int) -> list[Entry]:
        """What to send now: first what this run never sent, then what is due again, then replays."""
        entries = self._file.read(lambda db: self._due(db, now_ns, limit))
        new = (entry for entry in entries if entry.late and not entry.attempts)
        damaged = [entry for entry in new if not is_whole(entry.body, entry.seq, entry.boot_id)]
        if damaged:
            self._give_up(damaged)
            return self.due(now_ns, limit)
        return entries

    def sent(self, entry: Entry, next_try_ns: int) -> None:
        """It was sent; it is due again at `next_try_ns`, unless `done` comes first."""
        self._sent_high = max(entry.seq, self._sent_high)
        if not self._replays.drop(entry.seq):
            self._attempts.sent(entry.seq, entry.topic, next_try_ns)

    def postpone(self, seq: int, next_try_ns: int) -> None:
        """It was not taken; it is due again at `next_try_ns`."""
        self._attempts.postpone(seq, next_try_ns)

    def hurry(self, topic: str | None = None, but: Collection[int] = ()) -> None:
        """Everything, or everything for one topic, is due now; without `but`, which is on its way."""
        self._attempts.hurry(topic, but)

    def done(self, delivered: Iterable[tuple[str, int]]) -> int:
        """These (boot_id, seq) are in other hands. Returns how many of them waited."""
        named = [(boot_id, seq) for boot_id, seq in delivered if seq <= self.seq_high]

        def keep_as_history(db: Database) -> tuple[Stock, list[int]]:
            stock = self._stock.copy()
            moved = [seq for boot_id, seq in named if self._deliver(db, boot_id, seq, stock)]
            trim(db, stock, self._limits)
            return stock, moved

        self._stock, moved = self._file.transaction(keep_as_history, durable=False)
        for seq in moved:
            self._attempts.forget(seq)
        return len(moved)

    def replay(self, from_seq: int, to_seq: int) -> tuple[int, list[Unavailable]]:
        """Send from..to once more, `MOST_REPLAYED` of them at most; how many come, and why others do not."""
        return self._file.read(
            lambda db: self._replays.ask(db, self._attempts, from_seq, to_seq, self.seq_high)
        )

    def left_open(self) -> list[Message]:
        """The latest messages of the alerts that go on, as far as was told."""
        return self._file.read(self._companion.left_open)

    def oldest_wait_ns(self) -> int:
        """How long the oldest message has waited in this run; 0 if none waits."""
        query = "SELECT seq, waits_since_ns FROM place WHERE rank = ? ORDER BY seq LIMIT 1"
        rows = self._file.read(lambda db: [db.execute(query, (worth,)).fetchone() for worth in WAITING])
        since = [self._opened_ns if seq <= self._earlier_high else ns for seq, ns in filter(None, rows)]
        return self._clock.monotonic_ns() - min(since) if since else 0

    def restore_ballast(self) -> None:
        """Take the reserve again, if there is plenty of room."""
        self._file.restore_ballast()

    def close(self) -> None:
        self._file.close()
        with suppress(OSError):  # then the next run leaves some numbers out
            self._floor.settle(self.seq_high)
        self._floor.close()

    def _take_over(self, db: Database, lost: Database, room_bytes: int) -> None:
        """The file is replaced: keep what can be read of it."""
        self._companion.take_over(db, lost)
        room_bytes -= size_of(db)
        self._left_out = take_over(db, lost, self._clock.monotonic_ns(), room_bytes)
        renumber(db, 1, self._floor.above(highest_of(db)), [one.seq for one in self._left_out])

    def _opened(self, db: Database, fresh: bool) -> None:
        """Begin with what the file holds."""
        if has_older_tables(db):
            fresh = False
            unread = take_over_older(db, self._clock.monotonic_ns())
            self._missing += [f"{unread} messages of an older outbox cannot be read"] if unread else []
        if fresh and self._floor.value:
            self._missing.append("the outbox's file is gone, though it held messages before")
        for query in PROBES:
            db.execute(query)
        known = highest_of(db)
        self._missing += self._floor.faults(known)
        self.seq_high = self._floor.resume(known)
        renumber(db, known + 1, self.seq_high)
        self._attempts = Attempts()
        self._replays = Replays()
        self._settle(measure(db), self._left_out)
        self._left_out = []
        self._earlier_high, self._sent_high = self.seq_high, 0
        self._opened_ns = self._clock.monotonic_ns()

    def _insert_all(self, db: Database, drafts: Sequence[Draft], batch: Batch, stock: Stock) -> list[Removed]:
        """Returns what there was no room for."""
        refused = []
        for index, made in enumerate(drafts):
            seq = self.seq_high + 1 + index
            entered = self._companion.enter(db, made)
            batch.worths[index] = entered.worth
            if entered.worth in batch.refused:
                gaps.add(db, seq, seq, gaps.SHED)
                refused.append(Removed(seq, entered.worth))
            else:
                self._insert(db, seq, entered, stock)
        if refused:
            count_on(db, self.seq_high + len(drafts))
        return refused

    def _insert(self, db: Database, seq: int, made: Draft, stock: Stock) -> None:
        size = len(made.body) + len(made.topic) + ROW_BYTES
        boot_id = made.message["boot_id"]
        db.execute("INSERT INTO message VALUES (?, ?, ?, ?)", (seq, boot_id, made.topic, made.body))
        since_ns = self._clock.monotonic_ns()
        db.execute("INSERT INTO place VALUES (?, ?, ?, ?, ?)", (seq, boot_id, made.worth, size, since_ns))
        stock.add(made.worth, size)

    def _give_way(self, rows: int, highest: MessageClass) -> bool:
        """First history, then what the companion can do without, then what waits."""
        if self._stock.lowest is not MessageClass.DELIVERED and self._file.transaction(
            self._companion.give_way, durable=False
        ):
            return True

        def remove(db: Database) -> tuple[Stock, list[Removed]]:
            stock = self._stock.copy()
            return stock, give_way(db, stock, rows, highest)

        stock, removed = self._file.transaction(remove, durable=False)
        self._settle(stock, removed)
        return bool(removed)

    def _settle(self, stock: Stock, removed: Iterable[Removed]) -> None:
        """A transaction succeeded: what is known in memory follows."""
        self._stock = stock
        for one in removed:
            self._attempts.forget(one.seq)
            if one.worth is not MessageClass.DELIVERED:
                self.shed[one.worth] += 1

    def _give_up(self, damaged: Sequence[Entry]) -> None:
        stock = self._stock.copy()
        self._file.transaction(lambda db: give_up(db, stock, damaged))
        self._stock = stock
        self._missing.append(f"{len(damaged)} messages, the first number {damaged[0].seq}, were damaged")

    def _deliver(self, db: Database, boot_id: str, seq: int, stock: Stock) -> bool:
        place = "SELECT rank, size FROM place WHERE seq = ? AND boot_id = ? AND rank > 0"
        found = db.execute(place, (seq, boot_id)).fetchone()
        if found is None:
            return False
        db.execute("UPDATE place SET rank = 0 WHERE seq = ?", (seq,))
        rank, size = found
        stock.add(MessageClass(rank), -size, -1)
        stock.add(MessageClass.DELIVERED, size)
        return True

    def _due(self, db: Database, now_ns: int, limit: int) -> list[Entry]:
        fresh = db.execute(
            "SELECT seq, boot_id, topic, body FROM place JOIN message USING (seq, boot_id)"
            " WHERE seq > ? AND rank > 0 ORDER BY seq LIMIT ?",
            (self._sent_high, limit),
        ).fetchall()
        again = self._rows(db, self._attempts.due(now_ns, limit - len(fresh)))
        asked = self._replays.first(limit - len(fresh) - len(again))
        replays = self._rows(db, asked)
        for seq in set(asked).difference(row[0] for row in replays):
            self._replays.drop(seq)
        return [self._entry(row) for row in fresh + again + replays]

    def _rows(self, db: Database, seqs: Sequence[int]) -> list[tuple[int, str, str, bytes]]:
        wanted = "SELECT seq, boot_id, topic, body FROM message WHERE seq = ?"
        rows = (db.execute(wanted, (seq,)).fetchone() for seq in seqs)
        return [row for row in rows if row is not None]

    def _entry(self, row: tuple[int, str, str, bytes]) -> Entry:
        seq = row[0]
        late = seq <= self._earlier_high or seq in self._replays
        return Entry(*row, attempts=self._attempts.count(seq), late=late)
