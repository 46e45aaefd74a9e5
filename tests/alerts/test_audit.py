from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.audit import BEGINNING, AuditLog, verify
from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path, ManualClock())


def lines(folder: Path) -> list[bytes]:
    return (folder / "audit.jsonl").read_bytes().splitlines()


def rewrite(folder: Path, changed: list[bytes]) -> None:
    (folder / "audit.jsonl").write_bytes(b"".join(line + b"\n" for line in changed))


def test_each_line_follows_the_one_before(log: AuditLog, tmp_path: Path) -> None:
    assert log.head is None
    log.done("ack", by="eva", outcome="done")
    log.refused("topic", "malformed", words="no JSON")
    first, second = (json.loads(line) for line in lines(tmp_path))
    assert first == {
        "at": "2023-11-14T22:13:20.000000Z",
        "what": "ack",
        "by": "eva",
        "outcome": "done",
        "prev": BEGINNING,
    }
    assert (second["outcome"], second["reason"], second["words"]) == ("refused", "malformed", "no JSON")
    found = verify(tmp_path)
    assert (found.lines, found.torn, found.fault) == (2, 0, None)
    assert found.head == log.head


def test_only_the_service_can_read_it(log: AuditLog, tmp_path: Path) -> None:
    log.done("ack")
    assert stat.S_IMODE((tmp_path / "audit.jsonl").stat().st_mode) == 0o600


def test_the_next_run_goes_on_with_the_chain(log: AuditLog, tmp_path: Path) -> None:
    log.done("ack")
    later = AuditLog(tmp_path, ManualClock())
    later.done("ping")
    assert verify(tmp_path).lines == 2
    assert verify(tmp_path).fault is None


@given(st.integers(0, 9), st.sampled_from(["change", "remove", "insert", "swap"]))
def test_whatever_is_done_to_a_line_shows(
    tmp_path_factory: pytest.TempPathFactory, place: int, how: str
) -> None:
    folder = tmp_path_factory.mktemp("audit")
    log = AuditLog(folder, ManualClock())
    for number in range(10):
        log.done("ack", number=number)
    changed = lines(folder)
    if how == "change":
        changed[place] = changed[place].replace(b'"number": ', b'"number": 1')
    elif how == "remove":
        del changed[place]
    elif how == "insert":
        changed.insert(place, changed[place])
    else:
        other = (place + 1) % 10
        changed[place], changed[other] = changed[other], changed[place]
    rewrite(folder, changed)
    found = verify(folder)
    # What is cut off at either end shows against the head and the number of lines, not in the chain.
    assert found.fault is not None or found.head != log.head or (how, place) == ("remove", 0)


def test_a_full_file_is_turned_over_and_the_chain_goes_on(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, ManualClock(), max_bytes=2000)
    for number in range(100):
        log.done("ack", number=number)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.1.jsonl", "audit.jsonl"]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 2 * 2300
    found = verify(tmp_path)
    assert (found.fault, found.head) == (None, log.head)
    assert 10 < found.lines < 100


@pytest.mark.parametrize("torn", [b"", b"{", b'{"at": "2023', b"\x00" * 300])
def test_a_line_that_a_power_cut_tore_is_told_and_chained(tmp_path: Path, torn: bytes) -> None:
    log = AuditLog(tmp_path, ManualClock())
    log.done("ack")
    with (tmp_path / "audit.jsonl").open("ab") as file:
        file.write(torn)
    later = AuditLog(tmp_path, ManualClock())
    later.done("ping")
    later.done("ping")
    found = verify(tmp_path)
    assert (found.lines, found.torn, found.fault) == (3 + bool(torn), int(bool(torn)), None)


def test_a_disk_that_refuses_is_counted_and_harms_nobody(log: AuditLog, tmp_path: Path) -> None:
    log.done("ack")
    (tmp_path / "audit.jsonl").rename(tmp_path / "kept")
    (tmp_path / "audit.jsonl").mkdir()
    log.done("ack")
    log.refused("topic", "malformed")
    assert log.failed == 2
    assert "cannot write" in (log.error or "")
    (tmp_path / "audit.jsonl").rmdir()
    (tmp_path / "kept").rename(tmp_path / "audit.jsonl")
    log.done("ack")
    assert (log.failed, log.error) == (2, None)
    assert verify(tmp_path).fault is None


def test_a_flood_is_summed_up(tmp_path: Path) -> None:
    clock = ManualClock()
    log = AuditLog(tmp_path, clock)
    for _ in range(5000):
        log.refused("topic", "rate_limited")
    assert len(lines(tmp_path)) == 100
    log.tick()
    log.tick()
    assert json.loads(lines(tmp_path)[-1])["count"] == 4900
    for _ in range(100):
        log.refused("topic", "rate_limited")
    log.tick()
    assert len(lines(tmp_path)) == 101
    clock.advance(61)
    log.tick()
    assert json.loads(lines(tmp_path)[-1])["count"] == 100
    assert verify(tmp_path).fault is None


def test_no_log_is_an_empty_log_and_an_unreadable_one_a_plain_error(tmp_path: Path) -> None:
    assert verify(tmp_path).lines == 0
    (tmp_path / "audit.jsonl").mkdir()
    with pytest.raises(StorageError, match="cannot read"):
        verify(tmp_path)
