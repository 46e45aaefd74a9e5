from __future__ import annotations

from edgeguard.clock import ManualClock
from edgeguard.runtime.coverage import Notice
from edgeguard.runtime.heed import Heed, Lapse, Strides

S = 1_000_000_000


def heed(causes: dict[str, Lapse]) -> Heed:
    made = Heed(["gate", "yard"], lambda: causes)
    for name in ("gate", "yard"):
        assert made.joined(Notice(name, None, 0)) == Notice(name, None, 0)
    return made


def test_what_nobody_looks_at_is_lost_since_then_and_back_when_somebody_does() -> None:
    causes = {"gate": Lapse("unwatched")}
    made = heed(causes)
    assert made.tick(10 * S) == []
    assert made.tick(14 * S) == []
    assert made.tick(15 * S) == [Notice("gate", "unwatched", 10 * S)]
    assert made.tick(16 * S) == []
    causes.clear()
    assert made.tick(20 * S) == [Notice("gate", None, 20 * S)]
    assert made.tick(21 * S) == []


def test_a_loss_begins_when_the_last_step_was_over() -> None:
    clock = ManualClock(10 * S)
    strides = Strides(clock)
    assert strides.standing_since_ns is None
    strides.took()
    clock.advance(1)
    assert strides.standing_since_ns is None
    clock.advance(2)
    assert strides.standing_since_ns == 10 * S
    made = heed({"gate": Lapse("unwatched", strides.standing_since_ns)})
    assert made.tick(13 * S) == []
    assert made.tick(15 * S) == [Notice("gate", "unwatched", 10 * S)]


def test_a_detector_that_is_loaded_is_no_loss() -> None:
    causes = {"gate": Lapse("unwatched")}
    made = heed(causes)
    made.tick(10 * S)
    causes.clear()
    assert made.tick(12 * S) == []
    causes["gate"] = Lapse("unwatched")
    assert made.tick(16 * S) == []


def test_a_source_that_is_silent_has_its_own_cause_and_comes_back_unheeded() -> None:
    made = heed({"gate": Lapse("unwatched")})
    assert made.joined(Notice("gate", "stalled", 5 * S)).cause == "stalled"
    made.tick(10 * S)
    assert made.tick(15 * S) == []
    assert made.joined(Notice("gate", None, 30 * S)) == Notice("gate", "unwatched", 30 * S)


def test_what_comes_to_be_heeded_while_it_is_silent_just_comes_back() -> None:
    causes = {"gate": Lapse("unwatched")}
    made = heed(causes)
    made.tick(10 * S)
    made.tick(15 * S)
    made.joined(Notice("gate", "stalled", 16 * S))
    causes.clear()
    assert made.tick(20 * S) == []
    assert made.joined(Notice("gate", None, 30 * S)) == Notice("gate", None, 30 * S)
