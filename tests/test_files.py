from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from edgeguard.files import check_private, existing, is_held, places, remove, write_private, write_whole


def refuse(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("before", [None, b"old"])
def test_a_file_is_made_or_replaced_and_nothing_stays_beside_it(tmp_path: Path, before: bytes | None) -> None:
    path = tmp_path / "f.json"
    if before is not None:
        path.write_bytes(before)
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("owner", "call"), [(Path, "open"), (os, "fsync"), (Path, "replace")])
def test_a_refusal_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, call: str
) -> None:
    path = tmp_path / "f.json"
    path.write_bytes(b"old")
    with monkeypatch.context() as patch:
        patch.setattr(owner, call, refuse)
        with pytest.raises(OSError, match="No space left"):
            write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_content_is_on_the_disk_before_the_name_and_the_name_before_the_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    replace = Path.replace

    def renamed(part: Path, target: Path) -> Path:
        done.append("rename")
        return replace(part, target)

    def synced(descriptor: int) -> None:
        done.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    write_whole(tmp_path / "f", b"new")
    assert done == [str(tmp_path / "f.part"), "rename", str(tmp_path)]


def test_a_private_file_is_its_owners_only_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    for before in (path, tmp_path / "secret.part"):
        before.write_bytes(b"old")
        before.chmod(0o666)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_that_cannot_be_written_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secret"
    write_private(path, b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space"):
        write_private(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("mode", "private"), [(0o600, True), (0o640, True), (0o604, False), (0o660, False)])
def test_what_is_private_is_told_by_the_mode(tmp_path: Path, mode: int, private: bool) -> None:
    path = tmp_path / "secret"
    path.touch()
    path.chmod(mode)
    if private:
        check_private(path)
    else:
        with pytest.raises(PermissionError, match=f"chmod 600 {path}"):
            check_private(path)


def test_a_folder_that_goes_away_meanwhile_holds_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a sensor is unplugged while its readings are looked for."""
    (tmp_path / "b").mkdir()
    (tmp_path / "a").mkdir()
    assert places(tmp_path, "*") == [tmp_path / "a", tmp_path / "b"]
    assert places(tmp_path / "none", "*/x") == []

    def gone(*_: object) -> None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))

    monkeypatch.setattr(Path, "glob", gone)
    assert places(tmp_path, "*") == []


def test_a_lock_is_held_until_its_holder_lets_go_and_looking_takes_it_from_nobody(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_held(tmp_path / "lock")
    with (tmp_path / "lock").open("w") as lock:
        assert not is_held(tmp_path / "lock")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "lock")


def test_what_a_link_leads_to_is_not_removed(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inside").mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    remove(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    remove(folder)
    remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    assert existing(tmp_path / "not" / "there") == existing(tmp_path) == tmp_path
