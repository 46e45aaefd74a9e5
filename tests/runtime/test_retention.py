"""What is kept stays within its bounds, beside whoever writes it."""

from __future__ import annotations

import os
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from edgeguard.clock import Clock, ManualClock
from edgeguard.errors import StorageError
from edgeguard.evidence import EvidenceStore, Transcripts
from edgeguard.models.engines.shelf import Shelf
from edgeguard.models.spent import spent
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.journal import Journal, surplus
from edgeguard.runtime.retention import Kept, sweep
from edgeguard.types import Observation

NOW = datetime(2026, 6, 15, 12, tzinfo=timezone.utc)
DAY_NS = 86_400 * 10**9


def clock_at(when: datetime) -> ManualClock:
    return ManualClock(0, int(when.timestamp()) * 10**9)


def age(path: Path, days: float) -> Path:
    seconds = NOW.timestamp() - days * 86_400
    os.utime(path, (seconds, seconds))
    return path


def write(path: Path, days: float, size: int = 1000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return age(path, days)


def evidence(root: Path, clock: Clock, max_bytes: int = 10**9, max_days: float = 7) -> EvidenceStore:
    return EvidenceStore(root, clock, max_bytes, max_days, 1)


def test_evidence_that_is_too_old_or_too_much_goes_and_a_dry_run_takes_nothing(tmp_path: Path) -> None:
    old = write(tmp_path / "2026-06-01" / "a-1.jpg", 14)
    middle = write(tmp_path / "2026-06-14" / "b-1.jpg", 1)
    new = write(tmp_path / "2026-06-15" / "c-1.jpg", 0)
    age(tmp_path / "2026-06-01", 14)
    store = evidence(tmp_path, clock_at(NOW), max_bytes=1500)
    kept = Kept("evidence", tmp_path, store.surplus)
    dry = sweep(kept, clock_at(NOW), dry_run=True)
    assert (dry.removed, dry.freed_bytes) == (2, 2000)
    assert old.exists()
    assert sweep(kept, clock_at(NOW)) == dry
    assert [path.exists() for path in (old, middle, new)] == [False, False, True]


def test_a_day_that_is_empty_goes_once_nobody_can_be_about_to_write_to_it(tmp_path: Path) -> None:
    (tmp_path / "2026-06-01").mkdir()
    (tmp_path / "2026-06-15").mkdir()
    age(tmp_path / "2026-06-01", 14)
    age(tmp_path / "2026-06-15", 0)
    sweep(Kept("evidence", tmp_path, list), clock_at(NOW))
    assert [path.name for path in tmp_path.iterdir()] == ["2026-06-15"]


def test_transcripts_of_days_that_are_too_old_go(tmp_path: Path) -> None:
    then = clock_at(NOW)
    transcripts = Transcripts(tmp_path, then, max_days=7)
    for days in (0, 6, 8, 20):
        transcripts.keep("hall", int((NOW - timedelta(days=days)).timestamp()) * 10**9, "hello")
    swept = sweep(Kept("transcripts", tmp_path, transcripts.surplus), then)
    assert swept.removed == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-06-09", "2026-06-15"]


def test_of_a_link_only_the_link_goes_and_counts(tmp_path: Path) -> None:
    notes = write(tmp_path / "elsewhere" / "notes", 9, size=50_000)
    kept = tmp_path / "transcripts"
    kept.mkdir()
    (kept / "2020-01-01").symlink_to(notes.parent)
    swept = sweep(Kept("transcripts", kept, Transcripts(kept, clock_at(NOW), 7).surplus), clock_at(NOW))
    assert swept.removed == 1
    assert swept.freed_bytes < 50_000
    assert list(kept.iterdir()) == []
    assert notes.exists()


def test_logs_go_by_day_and_by_size_and_never_today_s(tmp_path: Path) -> None:
    for days, size in ((20, 10), (3, 400), (2, 400), (0, 400)):
        write(tmp_path / f"{NOW - timedelta(days=days):%Y-%m-%d}.jsonl", days, size)
    utc_ns = clock_at(NOW).utc_ns()
    assert [path.stem for path in surplus(tmp_path, utc_ns, 14, 900)] == ["2026-05-26", "2026-06-12"]
    assert [path.stem for path in surplus(tmp_path, utc_ns, 14, 1)] == [
        "2026-05-26",
        "2026-06-12",
        "2026-06-13",
    ]
    assert surplus(tmp_path / "none", utc_ns, 14, 1) == []


def test_engines_that_nobody_uses_and_what_a_crash_left_go(tmp_path: Path) -> None:
    utc_ns = clock_at(NOW).utc_ns()
    used = write(tmp_path / "yolox" / "engines" / "yolox.fp16.plan", 99)
    spare = write(tmp_path / "nanodet" / "engines" / "nanodet.fp16.plan", 99)
    note = write(tmp_path / "nanodet" / "engines" / "nanodet.fp16.json", 99)
    model = write(tmp_path / "nanodet" / "nanodet.onnx", 99)
    young = write(tmp_path / "other" / "engines" / "other.fp16.plan", 3)
    new = write(tmp_path / "yolox" / "engines" / "yolox.int8.plan.new", 2)
    part = write(tmp_path / "yolox" / "yolox.onnx.part", 8)
    going = write(tmp_path / "nanodet" / "big.onnx.part", 6)
    found = spent(tmp_path, {"yolox"}, utc_ns, 30)
    assert set(found) == {spare, note, new, part}
    assert not {used, model, young, going} & set(found)


def test_what_is_being_built_is_left_alone(tmp_path: Path) -> None:
    new = write(tmp_path / "yolox" / "engines" / "yolox.int8.plan.new", 2)
    with Shelf(tmp_path / "yolox" / "engines", "yolox").building():
        assert spent(tmp_path, {"yolox"}, clock_at(NOW).utc_ns(), 30) == []
    assert spent(tmp_path, {"yolox"}, clock_at(NOW).utc_ns(), 30) == [new]


def test_what_cannot_be_removed_is_said_and_not_raised(tmp_path: Path) -> None:
    def refuse() -> list[Path]:
        raise PermissionError(13, "Permission denied", str(tmp_path / "secret"))

    swept = sweep(Kept("evidence", tmp_path, refuse), clock_at(NOW))
    assert swept.error == f"{tmp_path / 'secret'}: Permission denied"


def test_a_folder_that_is_not_there_is_nothing_to_remove(tmp_path: Path) -> None:
    store = evidence(tmp_path / "none", clock_at(NOW))
    assert sweep(Kept("evidence", tmp_path / "none", store.surplus), clock_at(NOW)).removed == 0


class Sweeping:
    """Sweeps without a pause beside the block."""

    def __init__(self, *kept: Kept) -> None:
        self._kept = kept
        self._stop = threading.Event()
        self.errors: list[str] = []
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            for kept in self._kept:
                error = sweep(kept, clock_at(NOW)).error
                if error:
                    self.errors.append(error)

    def __enter__(self) -> Sweeping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_evidence_and_logs_are_saved_and_pruned_while_somebody_else_prunes(tmp_path: Path) -> None:
    """Neither side ever fails because the other was there first, and what was saved last is there."""
    clock = clock_at(NOW)
    mine, other = (evidence(tmp_path / "evidence", clock, max_bytes=20_000) for _ in range(2))
    mine.open()
    part = HealthBoard(clock).part("journal")
    logs = tmp_path / "observations"
    journal = Journal(logs, part, max_days=2, max_bytes=1_000_000)
    observation = Observation("zone_entered", "yard", 0, clock.utc_ns(), 1.0)
    kept = (
        Kept("evidence", tmp_path / "evidence", other.surplus),
        Kept("observations", logs, lambda: surplus(logs, clock.utc_ns(), 2, 1000)),
    )
    with Sweeping(*kept) as sweeping:
        for number in range(300):
            try:
                last = mine.save(f"alert{number}", b"x" * 3000)
                mine.prune()
                journal.write(observation)
            except StorageError as error:
                pytest.fail(str(error))
    assert sweeping.errors == []
    assert (tmp_path / "evidence" / last.path).exists()
    assert part.state is State.OK


def test_what_cannot_be_removed_does_not_keep_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = write(tmp_path / "2026-05-01.jsonl", 40), write(tmp_path / "2026-05-02.jsonl", 39)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == first:
            raise PermissionError(13, "Permission denied", str(path))
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    swept = sweep(Kept("observations", tmp_path, lambda: [first, second]), clock_at(NOW))
    assert (swept.removed, swept.error) == (1, f"{first}: Permission denied")
    assert not second.exists()
