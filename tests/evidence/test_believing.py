"""A clock that leaps makes nothing old at once, whoever looks, and however often the box starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.evidence import BelievedTime, EvidenceStore

HOUR_S, DAY_S = 3_600, 86_400
NOW_NS = 1_700_000_000_000_000_000


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=10**12, utc_offset_ns=NOW_NS)


@pytest.fixture
def believed(tmp_path: Path, clock: ManualClock) -> BelievedTime:
    made = BelievedTime(tmp_path / "note", clock)
    assert made.utc_ns() == clock.utc_ns()
    return made


def leap(clock: ManualClock, days: float) -> None:
    clock.utc_offset_ns += round(days * DAY_S * 1e9)


def run(clock: ManualClock, believed: BelievedTime, hours: float, every_s: float = 600) -> None:
    for _ in range(round(hours * HOUR_S / every_s)):
        clock.advance(every_s)
        believed.utc_ns()


def test_time_that_passes_is_believed(clock: ManualClock, believed: BelievedTime) -> None:
    for hours in (1, 24 * 40, 24 * 400):
        clock.advance(hours * HOUR_S)
        assert believed.utc_ns() == clock.utc_ns()
        assert believed.doubt() is None


def test_a_leap_is_believed_once_it_stayed_for_a_day_and_is_told_once(
    clock: ManualClock, believed: BelievedTime, caplog: pytest.LogCaptureFixture
) -> None:
    run(clock, believed, 2)
    right_ns = clock.utc_ns()
    leap(clock, 200)
    assert believed.utc_ns() == right_ns
    assert "200.0 days ahead" in str(believed.doubt())
    run(clock, believed, 23.5)
    assert believed.utc_ns() == right_ns + round(23.5 * HOUR_S * 1e9)
    assert len(caplog.records) == 1
    run(clock, believed, 1)
    assert believed.utc_ns() == clock.utc_ns()
    assert believed.doubt() is None


def test_a_clock_that_is_set_right_again_was_never_believed(
    clock: ManualClock, believed: BelievedTime
) -> None:
    leap(clock, 200)
    run(clock, believed, 12)
    leap(clock, -200)
    run(clock, believed, 13)
    assert (believed.utc_ns(), believed.doubt()) == (clock.utc_ns(), None)
    leap(clock, 200)
    assert believed.doubt(), "the day begins anew"


def test_every_start_without_a_battery_goes_on_where_it_was(
    tmp_path: Path, clock: ManualClock, believed: BelievedTime
) -> None:
    run(clock, believed, 3)
    again = ManualClock(now_ns=0, utc_offset_ns=0)
    after = BelievedTime(tmp_path / "note", again)
    assert after.utc_ns() == 0, "nothing is older than the clock says"
    run(again, after, 0.5)
    again.utc_offset_ns = clock.utc_ns() + HOUR_S * 10**9
    assert (after.utc_ns(), after.doubt()) == (again.utc_ns(), None)


def test_a_box_that_was_off_for_long_believes_its_clock_after_a_day(
    tmp_path: Path, clock: ManualClock, believed: BelievedTime
) -> None:
    again = ManualClock(now_ns=0, utc_offset_ns=clock.utc_ns() + 90 * DAY_S * 10**9)
    after = BelievedTime(tmp_path / "note", again)
    run(again, after, 20)
    assert after.doubt()
    run(again, BelievedTime(tmp_path / "note", again), 5)
    assert after.doubt() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is somebody else as well")
def test_root_leaves_the_note_of_another_user_alone(
    tmp_path: Path, clock: ManualClock, believed: BelievedTime
) -> None:
    """Whose it is could not read it any more, and may have laid a link where root would write."""
    precious, note = tmp_path / "precious", tmp_path / "note"
    precious.write_text("precious")
    (tmp_path / "note.part").symlink_to(precious)
    os.chown(tmp_path, 65534, 65534)
    os.chown(note, 65534, 65534)
    leap(clock, 400)
    run(clock, believed, 3)
    assert (note.stat().st_uid, precious.read_text()) == (65534, "precious")
    assert believed.doubt()


@pytest.mark.parametrize(
    "note",
    [
        "",
        "[]",
        '{"utc_ns": 1e999, "monotonic_ns": 1}',
        '{"utc_ns": -1, "monotonic_ns": 1}',
        '{"utc_ns": "x"}',
        "no json",
    ],
)
def test_a_note_that_cannot_be_read_or_written_is_no_fault(
    tmp_path: Path, clock: ManualClock, note: str
) -> None:
    (tmp_path / "note").write_text(note)
    assert BelievedTime(tmp_path / "note", clock).utc_ns() == clock.utc_ns()
    assert BelievedTime(tmp_path / "not" / "there", clock).utc_ns() == clock.utc_ns()


def test_evidence_outlives_a_leap_but_not_its_bounds_of_bytes(
    tmp_path: Path, clock: ManualClock, believed: BelievedTime
) -> None:
    store = EvidenceStore(tmp_path / "evidence", clock, 250, 30, believed=believed)
    store.open()
    for name in ("a1", "a2"):
        saved = store.save(name, b"x" * 100)
        os.utime(tmp_path / "evidence" / saved.path, ns=(clock.utc_ns(), clock.utc_ns()))
    leap(clock, 400)
    assert len(EvidenceStore(tmp_path / "evidence", clock, 250, 30).surplus()) == 2
    assert store.surplus() == []
    store.save("a3", b"x" * 100)
    assert len(store.surplus()) == 1


def test_evidence_from_before_the_clock_was_set_outlives_its_setting(
    tmp_path: Path, clock: ManualClock, believed: BelievedTime
) -> None:
    """Who cuts the power first is seen by a box that takes it for 1970."""
    run(clock, believed, 3)
    again = ManualClock(now_ns=0, utc_offset_ns=0)
    after = BelievedTime(tmp_path / "note", again)
    store = EvidenceStore(tmp_path / "evidence", again, 10**6, 30, believed=after)
    store.open()
    again.advance(60)
    saved = store.save("a1", b"x" * 100)
    again.utc_offset_ns = clock.utc_ns() + HOUR_S * 10**9
    again.advance(60)
    assert after.utc_ns() == again.utc_ns()
    assert store.surplus() == []
    dated_ns = (tmp_path / "evidence" / saved.path).stat().st_mtime_ns
    assert 0 <= dated_ns - clock.utc_ns() <= 60 * 10**9


def test_evidence_of_a_box_that_was_off_for_long_is_of_now(
    tmp_path: Path, clock: ManualClock, believed: BelievedTime
) -> None:
    store = EvidenceStore(tmp_path / "evidence", clock, 10**6, 30, believed=believed)
    store.open()
    leap(clock, 40)
    saved = store.save("a1", b"x" * 100)
    assert (tmp_path / "evidence" / saved.path).stat().st_mtime_ns == clock.utc_ns()
    run(clock, believed, 25)
    assert (believed.doubt(), store.surplus()) == (None, [])
