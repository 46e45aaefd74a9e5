from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edgeguard.alerts.bounds import Limits
from edgeguard.alerts.durable import Draft, Entry, MessageClass
from edgeguard.alerts.exchange import Unavailable
from edgeguard.alerts.messages import encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_check import check
from edgeguard.alerts.outbox_file import OutboxFile
from edgeguard.clock import ManualClock
from edgeguard.errors import DiskFullError, StorageError
from tests.support.companion import OpenAlerts

BOOT, LATER_BOOT = "boot-1", "boot-2"
WORTH = {"h": MessageClass.HEALTH, "i": MessageClass.INFO, "w": MessageClass.WARNING}


def draft(item: str, seq: int, _db: object = None) -> Draft:
    """`a+` is an alert that goes on under the id `a`, `a` one that is over; the letter says its class."""
    message = {
        "schema": "edgeguard.alert.v1",
        "boot_id": BOOT,
        "seq": seq,
        "alert_id": item.rstrip("+"),
        "closed_at": None if item.endswith("+") else "now",
        "replayed": False,
    }
    return Draft(f"topic/{item[0]}", message, WORTH.get(item[0], MessageClass.ALARM))


def body_of(item: str, seq: int) -> bytes:
    return encode(draft(item, seq).message)


def take(outbox: Outbox, seq: int) -> Entry:
    """The entry that is due under that number."""
    return next(entry for entry in outbox.due(outbox._clock.monotonic_ns(), 10_000) if entry.seq == seq)


def done(outbox: Outbox, seqs: Iterable[int]) -> int:
    return outbox.done([(BOOT, seq) for seq in seqs])


def new_outbox(
    folder: Path, clock: ManualClock | None = None, ballast_bytes: int = 0, **limits: int
) -> Outbox:
    clock = clock or ManualClock()
    return Outbox(
        folder / "outbox.db", clock, OpenAlerts(), limits=Limits(**limits), ballast_bytes=ballast_bytes
    )


def seqs(outbox: Outbox, now_ns: int = 0, limit: int = 100) -> list[int]:
    return [entry.seq for entry in outbox.due(now_ns, limit)]


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


def take_all_room(filler: Path) -> None:
    """Every block of the disk, as long as there is one."""
    with suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    box = new_outbox(tmp_path)
    yield box
    box.close()


def test_what_is_committed_is_due_in_order(outbox: Outbox) -> None:
    outbox.commit(["a", "b"], draft)
    outbox.commit(["c"], draft)
    entries = outbox.due(0, 100)
    assert [(entry.seq, entry.body) for entry in entries] == [
        (1, body_of("a", 1)),
        (2, body_of("b", 2)),
        (3, body_of("c", 3)),
    ]
    assert (outbox.pending, outbox.seq_high) == (3, 3)
    assert seqs(outbox, limit=2) == [1, 2]


def test_what_was_sent_is_due_again_later_and_what_is_done_never(outbox: Outbox) -> None:
    outbox.commit(["a", "b"], draft)
    outbox.sent(take(outbox, 1), next_try_ns=50)
    assert seqs(outbox, 49) == [2]
    assert [(entry.seq, entry.attempts) for entry in outbox.due(50, 9)] == [(2, 0), (1, 1)]
    outbox.postpone(1, next_try_ns=70)
    assert seqs(outbox, 69) == [2]
    assert done(outbox, [1, 2, 99]) == 2
    assert seqs(outbox, 1000) == []
    assert outbox.pending == 0


def test_hurry_makes_everything_or_one_topic_due(outbox: Outbox) -> None:
    outbox.commit(["a", "b"], draft)
    outbox.sent(take(outbox, 1), 10**18)
    outbox.sent(take(outbox, 2), 10**18)
    outbox.hurry("topic/b")
    assert seqs(outbox) == [2]
    outbox.hurry()
    assert seqs(outbox) == [1, 2]


def test_a_failing_draft_commits_nothing_of_its_batch(outbox: Outbox) -> None:
    def fail_at_b(item: str, seq: int, _db: object) -> Draft:
        if item == "b":
            raise ValueError(item)
        return draft(item, seq)

    with pytest.raises(ValueError):
        outbox.commit(["a", "b"], fail_at_b)
    assert (outbox.pending, outbox.seq_high, seqs(outbox)) == (0, 0, [])


def test_the_next_run_sends_all_again_and_goes_on_counting(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a", "b", "c"], draft)
    first.sent(take(first, 1), 10**18)
    done(first, [2, 3])
    first.close()
    second = new_outbox(tmp_path)
    second.commit(["d"], draft)
    assert [(entry.seq, entry.late) for entry in second.due(0, 9)] == [(1, True), (4, False)]
    second.close()


def test_the_oldest_wait_counts_from_the_commit_or_the_start_of_this_run(tmp_path: Path) -> None:
    clock = ManualClock()
    first = new_outbox(tmp_path, clock)
    assert first.oldest_wait_ns() == 0
    first.commit(["a"], draft)
    clock.now_ns = 10
    first.commit(["b"], draft)
    assert first.oldest_wait_ns() == 10
    first.close()
    clock.now_ns = 7
    second = new_outbox(tmp_path, clock)
    clock.now_ns = 9
    assert second.oldest_wait_ns() == 2
    second.close()


def test_open_alerts_are_known_to_the_next_run(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a+", "b+", "a+", "b", "c"], draft)
    done(first, range(1, 6))
    first.close()
    second = new_outbox(tmp_path)
    assert second.left_open() == [draft("a+", 3).message]
    second.close()


@pytest.mark.parametrize("damage", ["header", "pages"])
def test_a_damaged_file_is_set_aside_and_numbers_are_not_given_twice(tmp_path: Path, damage: str) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a" * 500] * 200, draft)
    first.close()
    path = tmp_path / "outbox.db"
    content = bytearray(path.read_bytes())
    span = slice(0, 64) if damage == "header" else slice(4096, len(content))
    content[span] = bytes(byte ^ 0xA5 for byte in content[span])
    path.write_bytes(content)
    second = new_outbox(tmp_path)
    assert second.set_aside == [tmp_path / "outbox.db.damaged-1"]
    assert second.set_aside[0].read_bytes() == content
    second.commit(["b"], draft)
    assert seqs(second)[0] > 200
    second.close()


def test_what_a_damaged_file_left_unfinished_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    first._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    first.commit(["a"], draft)
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(tmp_path / f"outbox.db{suffix}", crashed)
    first.close()
    (crashed / "outbox.db").write_bytes(b"no database " * 1000)
    second = new_outbox(crashed)
    assert second.set_aside
    assert (second.pending, second.left_open()) == (0, [])
    second.close()


def test_damage_that_appears_while_running_costs_one_commit(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path)
    outbox.commit(["a" * 500] * 200, draft)
    outbox._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "outbox.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 200_000)
    outbox._file._db.execute("PRAGMA cache_size=0")
    with pytest.raises(StorageError, match="malformed"):
        outbox.commit(["b"], draft)
    outbox.commit(["b"], draft)
    assert outbox.set_aside
    assert len(seqs(outbox)) == 1
    assert seqs(outbox)[0] > 200
    outbox.close()


def test_a_lost_file_does_not_bring_numbers_back(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a"] * 1500, draft)
    first.close()
    (tmp_path / "outbox.db").unlink()
    second = new_outbox(tmp_path)
    assert second.seq_high >= 1500
    second.close()


def test_within_its_limits_nothing_gives_way(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path, rows=10)
    outbox.commit(["a"] * 8 + ["h"], draft)
    assert outbox.pending == 9
    assert set(outbox.shed.values()) == {0}
    outbox.close()


def test_the_least_important_gives_way_first_and_the_oldest_of_it(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path, rows=10)
    outbox.commit(["h", "i", "i", "w", "w", "a", "a", "a", "a", "a"], draft)
    outbox.commit(["a"], draft)
    assert seqs(outbox) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    outbox.commit(["a", "w"], draft)
    assert seqs(outbox) == [4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    outbox.commit(["a"] * 9, draft)
    assert seqs(outbox) == [8, 9, 10, 11, 12, *range(14, 23)][-10:]
    shed = {worth.word: count for worth, count in outbox.shed.items()}
    assert shed == {"health": 1, "transcript": 0, "info": 2, "warning": 3, "alarm": 6}
    outbox.close()


def test_no_class_takes_more_than_its_share(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path, rows=100)
    outbox.commit(["h"] * 50 + ["i"] * 90 + ["w"] * 90, draft)
    rows = {worth.word: count for worth, count in outbox.pending_by_class.items()}
    assert rows["health"] <= 10
    assert rows["info"] <= 60
    assert rows["warning"] == 85
    assert outbox.pending <= 100
    outbox.commit(["a"] * 100, draft)
    assert outbox.pending_by_class[MessageClass.ALARM] == outbox.pending == 100
    outbox.close()


def test_what_is_delivered_is_history_and_comes_again_when_asked_for(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path, history_rows=3, rows=10)
    outbox.commit(["w", "w", "w", "w", "w"], draft)
    for entry in outbox.due(0, 9):
        outbox.sent(entry, 10**18)
    assert done(outbox, [1, 2, 3, 4]) == 4
    count, unavailable = outbox.replay(1, 7)
    assert (count, unavailable) == (4, [Unavailable(1, 1, "expired"), Unavailable(6, 7, "unassigned")])
    outbox.commit(["a"], draft)
    replayed = [(entry.seq, entry.late) for entry in outbox.due(0, 9)]
    assert replayed == [(6, False), (5, False), (2, True), (3, True), (4, True)]
    for entry in outbox.due(0, 9):
        outbox.sent(entry, 10**18)
    assert seqs(outbox) == []
    assert outbox.pending == 2
    outbox.close()


def test_an_answer_with_very_many_gaps_ends_before_it_is_too_long(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path, rows=3000)
    for _ in range(10):
        outbox.commit(["h", "a"] * 300, draft)
    count, unavailable = outbox.replay(1, 6000)
    assert len(unavailable) == 2000
    assert 0 < count <= 2000
    assert unavailable[-1].to_seq < 6000
    outbox.close()


def test_a_request_beyond_all_bounds_is_answered(outbox: Outbox) -> None:
    outbox.commit(["a"], draft)
    assert outbox.replay(1, 10**15) == (1, [Unavailable(2, 10**15, "unassigned")])
    assert outbox.replay(5, 9) == (0, [Unavailable(5, 9, "unassigned")])


def test_a_receipt_from_another_run_or_for_no_number_at_all_changes_nothing(outbox: Outbox) -> None:
    outbox.commit(["a"], draft)
    assert outbox.done([(LATER_BOOT, 1), (BOOT, 2), (BOOT, 10**30), (BOOT, -1)]) == 0
    assert outbox.pending == 1


def test_what_waits_in_a_damaged_file_is_taken_over_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a" * 500] * 200, draft)
    done(first, range(1, 11))
    first.close()
    path = tmp_path / "outbox.db"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    path.write_bytes(content)
    second = new_outbox(tmp_path)
    assert len(second.replaced) == 1
    kept = seqs(second, limit=1000)
    assert 150 < len(kept) < 190
    assert set(kept) <= set(range(11, 201))
    count, unavailable = second.replay(1, 200)
    assert count == len(kept)
    missing = {seq for gap in unavailable for seq in range(gap.from_seq, gap.to_seq + 1)}
    assert {gap.reason for gap in unavailable} == {"renumbered"}
    assert missing == set(range(1, 201)) - set(kept)
    second.close()


def test_a_file_that_is_removed_under_us_costs_nothing_that_waits(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path)
    outbox.commit(["a", "b", "c"], draft)
    for file in tmp_path.glob("outbox.db*"):
        if file.suffix != ".seq":
            file.unlink()
    outbox.commit(["d"], draft)
    assert "removed" in outbox.replaced[0]
    kept = seqs(outbox)
    assert kept[:3] == [1, 2, 3]
    assert kept[3] > 1000
    outbox.close()
    after = new_outbox(tmp_path)
    assert seqs(after) == kept
    assert check(tmp_path / "outbox.db").sound
    after.close()


def test_a_rescue_that_is_cut_short_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a" * 500] * 200, draft)
    first.close()
    path = tmp_path / "outbox.db"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = bytes(4096)
    path.write_bytes(content)
    for step in ("_take_over", "_succeed"):
        with monkeypatch.context() as cut, pytest.raises(StorageError, match="power"):
            cut.setattr(OutboxFile if step == "_succeed" else Outbox, step, power_cut)
            new_outbox(tmp_path)
    second = new_outbox(tmp_path)
    assert second.pending > 150
    assert len(second.replaced) == 1
    assert [one.name for one in second.set_aside] == ["outbox.db.damaged-1"]
    second.close()
    third = new_outbox(tmp_path)
    assert (third.pending, third.replaced) == (second.pending, [])
    third.close()
    assert check(path).sound


def power_cut(*_args: object) -> None:
    raise OSError("power cut")


def test_of_many_damaged_files_the_newest_few_are_kept(tmp_path: Path) -> None:
    for _ in range(8):
        (tmp_path / "outbox.db").write_bytes(b"no database " * 1000)
        new_outbox(tmp_path).close()
    kept = sorted(file.name for file in tmp_path.glob("outbox.db.damaged-?"))
    assert kept == [f"outbox.db.damaged-{number}" for number in range(4, 9)]


def test_messages_that_damage_to_the_wal_rolled_back_are_a_gap(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    for _ in range(150):
        first.commit(["a" * 300], draft)
    after = tmp_path / "after"
    after.mkdir()
    for name in ("outbox.db", "outbox.db-wal", "outbox.db.seq", "outbox.db.seq.last"):
        shutil.copy(tmp_path / name, after)
    first.close()
    wal = bytearray((after / "outbox.db-wal").read_bytes())
    wal[len(wal) // 2 : len(wal) // 2 + 64] = b"\xa5" * 64
    (after / "outbox.db-wal").write_bytes(wal)
    second = new_outbox(after)
    kept = seqs(second, limit=1000)
    assert 0 < len(kept) < 150
    _, unavailable = second.replay(1, 150)
    assert unavailable == [Unavailable(len(kept) + 1, 150, "renumbered")]
    assert second.replaced == [
        f"the outbox lost what it had committed: it ends at {len(kept)}, and 150 was committed"
    ]
    second.commit(["b"], draft)
    assert seqs(second, limit=1000)[-1] > 150
    second.close()


@pytest.mark.parametrize("byte", [0, 18, 19, 44, 47, 56])
def test_whatever_byte_of_the_header_is_wrong_the_box_goes_on(tmp_path: Path, byte: int) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a"], draft)
    first.close()
    data = bytearray((tmp_path / "outbox.db").read_bytes())
    data[byte] = 0xFF
    (tmp_path / "outbox.db").write_bytes(data)
    second = new_outbox(tmp_path)
    second.commit(["b"], draft)
    assert seqs(second)
    second.close()


def test_a_topic_that_is_no_text_any_more_holds_up_no_other_message(tmp_path: Path) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a", "b"], draft)
    first._file._db.execute("UPDATE message SET topic = CAST(x'6564ff' AS TEXT) WHERE seq = 1")
    first.close()
    second = new_outbox(tmp_path)
    assert seqs(second) == [1, 2]
    second.close()


@pytest.mark.parametrize("body", [b"no JSON", "text", body_of("a", 7)], ids=["bytes", "text", "other"])
def test_a_message_that_is_damaged_in_itself_is_given_up_and_told(tmp_path: Path, body: object) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a", "b", "c"], draft)
    first._file._db.execute("UPDATE message SET body = ? WHERE seq = 2", (body,))
    first.close()
    second = new_outbox(tmp_path)
    assert seqs(second) == [1, 3]
    assert second.pending == 2
    assert "damaged" in second.replaced[0]
    assert second.replay(2, 2) == (0, [Unavailable(2, 2, "renumbered")])
    second.close()
    assert check(tmp_path / "outbox.db").sound


@pytest.mark.parametrize("number", [str(2**63 - 1), "9" * 23, "900000000000000000", "-5", "12 34", ""])
def test_a_damaged_number_beside_the_file_is_told_and_none_is_given_twice(
    tmp_path: Path, number: str
) -> None:
    first = new_outbox(tmp_path)
    first.commit(["a"], draft)
    first.close()
    (tmp_path / "outbox.db.seq").write_text(number)
    second = new_outbox(tmp_path)
    assert "damaged" in second.replaced[0]
    second.commit(["b"], draft)
    assert 1000 < second.seq_high < 10_000
    second.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_bytes_are_flipped_it_opens_and_goes_on(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = new_outbox(folder)
        first.commit(["a" * 300] * 40, draft)
        first.close()
        content = bytearray((folder / "outbox.db").read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=20)):
            content[place] ^= data.draw(st.integers(1, 255))
        content = content[: data.draw(st.sampled_from([len(content), len(content) // 2, 100, 0]))]
        (folder / "outbox.db").write_bytes(content)
        second = new_outbox(folder)
        with suppress(StorageError):  # damage that only shows now costs one commit
            second.commit(["b"], draft)
        second.commit(["c"], draft)
        assert second.seq_high > 40
        assert second.seq_high in seqs(second, limit=1000)
        second.close()


def test_an_alarm_stays_while_something_lesser_is_there(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path, rows=12)
    outbox.commit(["h", *["a"] * 13], draft)
    assert outbox.shed[MessageClass.HEALTH] == outbox.shed[MessageClass.ALARM] == 1
    outbox.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_on_a_full_disk_the_ballast_makes_room(small_disk: Path) -> None:
    outbox = new_outbox(small_disk, ballast_bytes=400_000)
    outbox.commit(["a" * 1000] * 10, draft)
    filler = small_disk / "filler"
    with pytest.raises(OSError, match="No space"):
        fill(filler)
    assert not outbox.ballast_used
    outbox.commit(["b" * 1000] * 20, draft)
    assert outbox.ballast_used
    with pytest.raises(StorageError, match="no room"):
        outbox.commit(["i" * 900_000], draft)
    for _ in range(500):
        outbox.commit(["a" * 1000], draft)
    assert outbox.shed[MessageClass.ALARM] == 530 - outbox.pending > 0
    filler.unlink()
    outbox.commit(["d"], draft)
    outbox.close()
    after = new_outbox(small_disk, ballast_bytes=400_000)
    assert not after.ballast_used
    after.close()


def test_a_full_disk_costs_the_least_important_first(small_disk: Path) -> None:
    outbox = new_outbox(small_disk, ballast_bytes=400_000)
    outbox.commit(["h" + "x" * 1000] * 100 + ["w" + "x" * 1000] * 400, draft)
    outbox._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # a ballast holds more than a usual WAL
    with pytest.raises(OSError, match="No space"):
        fill(small_disk / "filler")
    for _ in range(40):
        outbox.commit(["a" * 1000] * 10, draft)
    rows = outbox.pending_by_class
    assert rows[MessageClass.ALARM] == 400
    assert outbox.shed[MessageClass.ALARM] == 0
    assert rows[MessageClass.HEALTH] == 0
    assert outbox.shed[MessageClass.WARNING] > 0
    outbox.close()
    assert check(small_disk / "outbox.db").sound


@pytest.mark.parametrize("steals", [False, True], ids=["keep", "steal"])
@pytest.mark.parametrize("batch", [["a"], ["i", "a"], ["a", "h", "i"]], ids="".join)
def test_on_a_full_disk_alarms_are_stored_for_what_counts_less(
    small_disk: Path, batch: list[str], steals: bool
) -> None:
    outbox = new_outbox(small_disk, ballast_bytes=400_000)
    outbox.commit(["w" + "x" * 1000] * 300, draft)
    outbox._file._db.execute("PRAGMA wal_checkpoint(RESTART)")  # a ballast holds more than a usual WAL
    filler = small_disk / "filler"
    take_all_room(filler)
    for _ in range(200):
        outbox.commit([item + "y" * 1000 for item in batch], draft)
        if steals:
            take_all_room(filler)
    assert outbox.pending_by_class[MessageClass.ALARM] == 200
    assert outbox.shed[MessageClass.ALARM] == 0
    assert outbox.shed[MessageClass.WARNING] > 0
    assert outbox.seq_high == 300 + 200 * len(batch)
    outbox.close()
    assert check(small_disk / "outbox.db").sound


def test_an_outbox_is_opened_on_a_full_disk(small_disk: Path) -> None:
    first = new_outbox(small_disk, ballast_bytes=400_000)
    first.commit(["a" * 1000] * 10, draft)
    first.close()
    take_all_room(small_disk / "filler")
    second = new_outbox(small_disk, ballast_bytes=400_000)
    assert second.ballast_used
    take_all_room(small_disk / "filler")
    second.commit(["b" * 1000] * 3, draft)
    assert len(seqs(second)) == 13
    second.close()


def test_a_file_removed_on_a_full_disk_is_replaced_once_there_is_room(small_disk: Path) -> None:
    outbox = new_outbox(small_disk)
    outbox.commit(["a" * 1000] * 300, draft)
    outbox._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (small_disk / "outbox.db").unlink()
    filler = small_disk / "filler"
    take_all_room(filler)
    for _ in range(8):
        with pytest.raises(DiskFullError):
            outbox.commit(["b"], draft)
    assert (outbox.replaced, list(small_disk.glob("*.damaged-*"))) == ([], [])
    filler.unlink()
    outbox.commit(["b"], draft)
    assert outbox.pending == 301
    assert len(outbox.replaced) == 1
    outbox.close()


def test_a_disk_that_turns_read_only_refuses_in_words_and_works_again_afterwards(small_disk: Path) -> None:
    outbox = new_outbox(small_disk)
    outbox.commit(["a"], draft)
    outbox.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StorageError, match="must exist and be writable"):
        new_outbox(small_disk)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    outbox = new_outbox(small_disk)
    outbox.commit(["b"], draft)
    assert (seqs(outbox), outbox.replaced) == ([1, 2], [])
    outbox.close()


def test_a_file_that_nobody_may_write_is_no_damage(tmp_path: Path) -> None:
    outbox = new_outbox(tmp_path)
    outbox.commit(["a"], draft)
    outbox._file._db.execute("PRAGMA query_only=ON")
    with pytest.raises(StorageError, match="readonly"):
        outbox.commit(["b"], draft)
    outbox._file._db.execute("PRAGMA query_only=OFF")
    outbox.commit(["b"], draft)
    assert (seqs(outbox), outbox.replaced) == ([1, 2], [])
    outbox.close()


def test_a_folder_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="must exist and be writable"):
        new_outbox(tmp_path / "missing")


def test_it_belongs_to_the_thread_that_opened_it(outbox: Outbox) -> None:
    with ThreadPoolExecutor(1) as other, pytest.raises(StorageError, match="thread"):
        other.submit(outbox.commit, ["a"], draft).result()


def test_commits_are_on_the_disk_when_they_return(outbox: Outbox) -> None:
    assert outbox._file._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert outbox._file._db.execute("PRAGMA synchronous").fetchone() == (2,)


WRITER = """
import sys
from pathlib import Path
from tests.support.companion import OpenAlerts
from edgeguard.alerts.outbox import Outbox
from edgeguard.clock import SystemClock
from tests.alerts.test_outbox import done, draft

outbox = Outbox(Path(sys.argv[1]), SystemClock(), OpenAlerts(), ballast_bytes=0)
while True:
    outbox.commit(["a", "b", "c"], draft)
    done(outbox, [outbox.seq_high])
    print(outbox.seq_high, flush=True)
"""


def test_killed_in_the_middle_it_keeps_what_it_committed(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = [int(process.stdout.readline()) for _ in range(30)]
    process.send_signal(signal.SIGKILL)
    told += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    after = new_outbox(tmp_path)
    kept = {entry.seq for entry in after.due(0, 10_000)}
    assert {seq for last in told for seq in (last - 2, last - 1)} <= kept
    assert not kept & set(told)
    high = after.seq_high
    gone = after.replay(1, high + 1)[1]
    assert [numbers.reason for numbers in gone] == ["unassigned"], "no number is skipped"
    assert after.seq_high >= told[-1]
    after.close()


HISTORY, ROWS = 6, 12


class Model(RuleBasedStateMachine):
    """The outbox against three sets of numbers, through restarts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "outbox.db"
        self.clock = ManualClock()
        self.outbox = self.open()
        self.waiting: dict[int, str] = {}
        self.history: list[int] = []
        self.shed: set[int] = set()
        self.next_try_ns: dict[int, int] = {}
        self.count = 0

    def open(self) -> Outbox:
        limits = Limits(rows=ROWS, history_rows=HISTORY)
        return Outbox(self.path, self.clock, OpenAlerts(), limits=limits, ballast_bytes=0)

    def teardown(self) -> None:
        self.outbox.close()
        assert check(self.path, Limits(rows=ROWS, history_rows=HISTORY)).sound
        self.folder.cleanup()

    @rule(items=st.lists(st.sampled_from(["h", "i", "w", "a"]), max_size=5))
    def commit(self, items: list[str]) -> None:
        self.outbox.commit(items, draft)
        for item in items:
            self.count += 1
            self.waiting[self.count] = item
        self.make_room()

    def make_room(self) -> None:
        """What is shed, from what the outbox says: never more than needed, and the right ones."""
        kept = set(self.outbox_rows())
        gone = {seq: self.waiting.pop(seq) for seq in list(self.waiting) if seq not in kept}
        for seq, item in gone.items():
            older = [other for other, its in self.waiting.items() if its == item and other < seq]
            assert not older, "the oldest of a class goes first"
            self.shed.add(seq)
            self.next_try_ns.pop(seq, None)
            assert item != "a" or set(self.waiting.values()) == {"a"}, "alarms go last"
        assert len(self.waiting) <= ROWS

    def outbox_rows(self) -> list[int]:
        rows = self.outbox.transaction(
            lambda db: db.execute("SELECT seq FROM place WHERE rank > 0").fetchall()
        )
        return [seq for (seq,) in rows]

    @rule(limit=st.integers(1, 5), wait_ns=st.integers(0, 20))
    def send_what_is_due(self, limit: int, wait_ns: int) -> None:
        entries = self.outbox.due(self.clock.now_ns, limit)
        now_ns = self.clock.now_ns
        ready = {seq for seq in self.waiting if self.next_try_ns.get(seq, 0) <= now_ns}
        first = entries[: len(ready)]
        assert len(first) == min(limit, len(ready))
        assert {entry.seq for entry in first} <= ready
        assert {entry.seq for entry in entries[len(ready) :]} <= set(self.history), "replays come last"
        for entry in entries:
            self.outbox.sent(entry, now_ns + wait_ns)
            if entry.seq in ready:
                self.next_try_ns[entry.seq] = now_ns + wait_ns

    @rule(seqs=st.sets(st.integers(1, 40), max_size=5), boot_id=st.sampled_from([BOOT, BOOT, LATER_BOOT]))
    def confirm(self, seqs: set[int], boot_id: str) -> None:
        delivered = sorted(seqs & self.waiting.keys()) if boot_id == BOOT else []
        assert self.outbox.done([(boot_id, seq) for seq in seqs]) == len(delivered)
        for seq in delivered:
            del self.waiting[seq]
            self.next_try_ns.pop(seq, None)
        self.history = sorted([*self.history, *delivered])[-HISTORY:]

    @rule(from_seq=st.integers(1, 40), size=st.integers(0, 20))
    def replay(self, from_seq: int, size: int) -> None:
        wanted = range(from_seq, from_seq + size + 1)
        count, unavailable = self.outbox.replay(wanted[0], wanted[-1])
        assert count == len([seq for seq in wanted if seq in self.waiting or seq in self.history])
        for seq in self.waiting:
            if seq in wanted and seq in self.next_try_ns:
                self.next_try_ns[seq] = 0
        reasons = {seq: gap.reason for gap in unavailable for seq in range(gap.from_seq, gap.to_seq + 1)}
        assert {seq for seq, reason in reasons.items() if reason == "shed"} == self.shed & set(wanted)
        assert {seq for seq, reason in reasons.items() if reason == "unassigned"} == {
            seq for seq in wanted if seq > self.count
        }
        assert len(reasons) + count == len(wanted)

    @rule()
    def hurry(self) -> None:
        self.outbox.hurry()
        self.next_try_ns = dict.fromkeys(self.next_try_ns, 0)

    @rule(wait_ns=st.integers(0, 30))
    def wait(self, wait_ns: int) -> None:
        self.clock.now_ns += wait_ns

    @rule()
    def restart(self) -> None:
        self.outbox.close()
        self.outbox = self.open()
        self.next_try_ns.clear()

    @invariant()
    def counts_agree(self) -> None:
        assert self.outbox.pending == len(self.waiting)
        assert self.outbox.seq_high == self.count


TestModel = Model.TestCase
TestModel.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
