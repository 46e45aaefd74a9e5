from __future__ import annotations

from edgeguard.sync import DRIFT, SyncCheck
from edgeguard.types import Observation, Phase
from tests.sync.staged import Staged


def run(check: SyncCheck, staged: Staged, begin_s: int = 0) -> list[Observation]:
    """Motion comes a second late, as it does from a slow detector."""
    shift_ns = begin_s * 1_000_000_000
    moves = [(start + shift_ns, end + shift_ns, energy) for start, end, energy in staged.motion()]
    noticed: list[Observation] = []
    for chunk in staged.chunks():
        at_ns = chunk.pts_ns + shift_ns
        while moves and moves[0][1] <= at_ns - 1_000_000_000:
            check.saw(*moves.pop(0))
        moved = type(chunk)(chunk.source, chunk.sequence, at_ns, at_ns, at_ns, chunk.samples, chunk.rate_hz)
        noticed += check.heard(moved)
    return noticed


def test_a_drift_begins_once_three_windows_agree_and_ends_when_it_is_mended() -> None:
    check = SyncCheck("hall", "hall-mic", 500)
    (began,) = run(check, Staged(900, 800, 3))
    assert (began.kind, began.source, began.phase) == (DRIFT, "hall-mic", Phase.BEGAN)
    assert (began.key, began.label) == ("hall", "hall")
    assert began.pts_ns >= 360e9
    offset, apart, quality = began.measures
    assert isinstance(offset.value, int)
    assert abs(offset.value - 800) <= 100
    assert (apart.name, apart.comparison, apart.threshold) == ("apart_ms", ">=", 500)
    assert isinstance(quality.value, float)
    assert quality.value >= 5
    assert check.drifting
    (ended,) = run(check, Staged(900, 0, 4), begin_s=900)
    assert ended.phase is Phase.ENDED
    assert check.offset_ms is not None
    assert abs(check.offset_ms) <= 100
    assert not check.drifting


def test_what_keeps_in_time_is_no_observation_but_is_known() -> None:
    check = SyncCheck("hall", "hall-mic", 500)
    assert run(check, Staged(700, 200, 5)) == []
    assert check.offset_ms is not None
    assert abs(check.offset_ms - 200) <= 100
    assert check.quality is not None


def test_an_offset_that_the_configuration_knows_is_taken_out() -> None:
    check = SyncCheck("hall", "hall-mic", 500, (0, 800))
    assert run(check, Staged(700, 800, 3)) == []
    assert check.offset_ms is not None
    assert abs(check.offset_ms) <= 100


def test_hours_of_unrelated_sound_raise_nothing() -> None:
    for seed in range(4):
        check = SyncCheck("hall", "hall-mic", 100)
        assert run(check, Staged(1800, 0, seed, related=False)) == []
        assert check.offset_ms is None
