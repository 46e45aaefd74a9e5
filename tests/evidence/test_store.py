from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.evidence import EvidenceStore
from edgeguard.evidence import store as store_module

DAY_S = 86_400
NOW_NS = 1_700_000_000_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(utc_offset_ns=NOW_NS)


def make(root: Path, clock: ManualClock, max_bytes: int = 10**9, max_days: float = 30) -> EvidenceStore:
    store = EvidenceStore(root / "evidence", clock, max_bytes, max_days)
    store.open()
    return store


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root / "evidence")) for path in root.rglob("*") if path.is_file())


def test_what_is_saved_is_what_the_reference_says(tmp_path: Path, clock: ManualClock) -> None:
    data = b"\xff\xd8 a picture"
    reference = make(tmp_path, clock).save("a1", data)
    assert reference.path == "2023-11-14/a1-1.jpg"
    assert (tmp_path / "evidence" / reference.path).read_bytes() == data
    assert reference.sha256 == hashlib.sha256(data).hexdigest()
    assert (reference.alert_id, reference.size_bytes, reference.media_type) == ("a1", len(data), "image/jpeg")


def test_the_second_picture_of_an_alert_does_not_replace_the_first(
    tmp_path: Path, clock: ManualClock
) -> None:
    store = make(tmp_path, clock)
    for data in (b"one", b"two", b"three"):
        store.save("a1", data)
    assert files(tmp_path) == [f"2023-11-14/a1-{n}.jpg" for n in (1, 2, 3)]


def test_others_can_neither_list_nor_enter_the_folder(tmp_path: Path, clock: ManualClock) -> None:
    make(tmp_path, clock).save("a1", b"one")
    for folder in (tmp_path / "evidence", tmp_path / "evidence" / "2023-11-14"):
        assert folder.stat().st_mode & 0o007 == 0


def test_opening_clears_what_a_crash_left_and_nothing_else(tmp_path: Path, clock: ManualClock) -> None:
    store = make(tmp_path, clock)
    kept = store.save("a1", b"one").path
    (tmp_path / "evidence" / "2023-11-14" / "a2-1.jpg.part").write_bytes(b"hal")
    store.open()
    assert files(tmp_path) == [kept]


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_disk_that_refuses_leaves_nothing_half_written(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = make(tmp_path, clock)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        if call == "fsync":
            patch.setattr(store_module.os, "fsync", refuse)
        elif call == "replace":
            patch.setattr(Path, "replace", refuse)
        else:
            patch.setattr(Path, "open", refuse)
        with pytest.raises(StorageError, match="No space left on device"):
            store.save("a1", b"one")
    assert files(tmp_path) == []
    assert store.save("a1", b"one").path.endswith("a1-1.jpg")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "evidence").write_text("a file")
    with pytest.raises(StorageError, match="evidence"):
        make(tmp_path, clock)


def save_over_days(root: Path, clock: ManualClock, store: EvidenceStore, days: int) -> None:
    """A picture of 100 bytes each day."""
    for day in range(days):
        path = root / "evidence" / store.save(f"a{day}", bytes(100)).path
        os.utime(path, ns=(clock.utc_ns(), clock.utc_ns()))
        clock.advance(DAY_S)


def test_what_is_too_old_goes(tmp_path: Path, clock: ManualClock) -> None:
    store = make(tmp_path, clock, max_days=3.5)
    save_over_days(tmp_path, clock, store, 6)
    assert store.prune() == 3
    assert [Path(name).stem for name in files(tmp_path)] == ["a3-1", "a4-1", "a5-1"]
    assert store.prune() == 0


class Disk:
    """What statvfs says of a disk."""

    f_frsize = 1

    def __init__(self, free_bytes: int) -> None:
        self.f_bavail = free_bytes


def test_on_a_nearly_full_disk_new_evidence_takes_the_place_of_the_oldest(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path, clock)
    save_over_days(tmp_path, clock, store, 4)
    assert not store.disk_nearly_full
    monkeypatch.setattr(store_module.os, "statvfs", lambda _: Disk(64_000_000))
    store.save("b0", bytes(150))
    assert store.disk_nearly_full
    assert [Path(name).stem for name in files(tmp_path)] == ["a2-1", "a3-1", "b0-1"]
    monkeypatch.undo()
    store.save("b1", bytes(150))
    assert not store.disk_nearly_full
    assert len(files(tmp_path)) == 4


def test_the_last_of_a_disk_is_not_for_evidence(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path, clock)
    monkeypatch.setattr(store_module.os, "statvfs", lambda _: Disk(16 << 20))
    with pytest.raises(StorageError, match="nearly full"):
        store.save("a1", b"one")
    assert files(tmp_path) == []


def test_a_save_that_cannot_fit_removes_nothing(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path, clock)
    save_over_days(tmp_path, clock, store, 4)
    before = files(tmp_path)
    monkeypatch.setattr(store_module.os, "statvfs", lambda _: Disk(64_000_000))
    with pytest.raises(StorageError, match="too little evidence to replace"):
        store.save("b0", bytes(401))
    assert files(tmp_path) == before
    store.save("b0", bytes(400))
    assert [Path(name).stem for name in files(tmp_path)] == ["b0-1"]


def test_a_check_passes_where_evidence_can_be_saved_and_leaves_nothing(
    tmp_path: Path, clock: ManualClock
) -> None:
    store = make(tmp_path, clock)
    store.check()
    assert files(tmp_path) == []
    (tmp_path / "evidence").rmdir()
    store.check()
    assert (tmp_path / "evidence").is_dir()


def test_a_check_follows_the_room_on_the_disk(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path, clock)
    monkeypatch.setattr(store_module.os, "statvfs", lambda _: Disk(16 << 20))
    with pytest.raises(StorageError, match="nearly full"):
        store.check()
    monkeypatch.setattr(store_module.os, "statvfs", lambda _: Disk(1 << 30))
    store.save("a1", b"one")
    monkeypatch.setattr(store_module.os, "statvfs", lambda _: Disk(16 << 20))
    store.check()
    assert store.disk_nearly_full
    assert files(tmp_path) == ["2023-11-14/a1-1.jpg"], "looking replaces nothing"


@pytest.mark.parametrize("call", ["check", "prune"])
def test_a_folder_that_refuses_is_named(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    store = make(tmp_path, clock, max_bytes=0)
    store.save("a1", b"one")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match=r"evidence.*: Read-only file system"):
        getattr(store, call)()


@given(max_bytes=st.integers(0, 700))
def test_the_oldest_goes_until_the_rest_fits(
    tmp_path_factory: pytest.TempPathFactory, max_bytes: int
) -> None:
    root, clock = tmp_path_factory.mktemp("store"), ManualClock(utc_offset_ns=NOW_NS)
    store = make(root, clock, max_bytes=max_bytes)
    save_over_days(root, clock, store, 5)
    fits = min(5, max_bytes // 100)
    assert store.prune() == 5 - fits
    assert [Path(name).stem for name in files(root)] == [f"a{day}-1" for day in range(5 - fits, 5)]


def test_what_is_no_evidence_or_lies_behind_a_link_is_never_removed(
    tmp_path: Path, clock: ManualClock
) -> None:
    """The folder may be one that others use, or have a link to one that they use."""
    store = make(tmp_path, clock, max_bytes=1, max_days=1)
    root = tmp_path / "evidence"
    for folder in (tmp_path / "photos", root / "backup", root / "2020-01-01" / "deep.d"):
        folder.mkdir(parents=True)
        (folder / "holiday.jpg").write_bytes(b"mine")
        (folder / "holiday.jpg.part").write_bytes(b"mine")
        os.utime(folder / "holiday.jpg", ns=(0, 0))
    for link in ("album", "2020-01-02"):
        (root / link).symlink_to(tmp_path / "photos")
    before = sorted(tmp_path.rglob("*"))
    store.open()
    assert store.prune() == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_what_cannot_be_removed_keeps_nothing_else(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(tmp_path, clock, max_days=3.5)
    save_over_days(tmp_path, clock, store, 6)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.stem == "a0-1":
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(StorageError, match=r"Permission denied.*a0-1"):
        store.prune()
    assert [Path(name).stem for name in files(tmp_path)] == ["a0-1", "a3-1", "a4-1", "a5-1"]
