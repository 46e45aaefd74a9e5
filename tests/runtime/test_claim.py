from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.errors import StorageError
from edgeguard.runtime.claim import claim


def test_a_folder_is_made_and_closed_to_others(tmp_path: Path) -> None:
    with claim(tmp_path / "var" / "state"):
        assert (tmp_path / "var" / "state").stat().st_mode & 0o007 == 0


def test_only_one_may_use_it_and_then_the_next(tmp_path: Path) -> None:
    with claim(tmp_path), pytest.raises(StorageError, match="another EdgeGuard uses the state folder"):
        claim(tmp_path)
    claim(tmp_path).close()


@pytest.mark.parametrize("below", [".", "state"])
def test_a_folder_that_cannot_be_written_is_named_with_the_way_out(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="set `state_dir` to a folder") as caught:
        claim(tmp_path / "file" / below)
    assert str(tmp_path / "file") in str(caught.value)


def test_a_read_only_folder_is_refused() -> None:
    with pytest.raises(StorageError, match="cannot write to the state folder /proc"):
        claim(Path("/proc"))
