from __future__ import annotations

import errno
from pathlib import Path

import pytest

from edgeguard.alerts import reserve
from edgeguard.alerts.reserve import SeqFloor


def test_numbers_are_reserved_in_blocks_and_known_to_the_next_run(tmp_path: Path) -> None:
    floor = SeqFloor(tmp_path / "seq")
    floor.reserve(5)
    assert SeqFloor(tmp_path / "seq").value == floor.value >= 5
    before = (tmp_path / "seq").stat().st_mtime_ns
    floor.reserve(floor.value)
    assert (tmp_path / "seq").stat().st_mtime_ns == before


def test_on_a_full_disk_the_number_is_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_path: Path, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    floor = SeqFloor(tmp_path / "seq")
    floor.reserve(5)
    monkeypatch.setattr(reserve, "write_whole", no_room)
    floor.reserve(99_999)
    assert SeqFloor(tmp_path / "seq").value == floor.value >= 99_999


@pytest.mark.parametrize("content", [b"", b"no number", b"\xff" * 9])
def test_what_is_no_number_counts_for_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "seq").write_bytes(content)
    assert SeqFloor(tmp_path / "seq").value == 0
