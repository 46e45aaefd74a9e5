from __future__ import annotations

import pytest

from edgeguard.capture.watchdog import Watchdog
from edgeguard.errors import SourceError

SECOND = 10**9


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic_ns(self) -> int:
        return round(self.now_s * SECOND)

    def utc_ns(self) -> int:
        return self.monotonic_ns()


def watched() -> tuple[Watchdog, Hand]:
    clock = Hand()
    return Watchdog("rtsp://guard:hunter2@cam/1", clock, connect_s=5, stall_s=3), clock


def fault(watchdog: Watchdog) -> SourceError:
    with pytest.raises(SourceError) as caught:
        watchdog.check()
    assert "hunter2" not in str(caught.value)
    return caught.value


def test_nothing_at_all_is_connecting_and_nothing_more_is_stalled() -> None:
    watchdog, clock = watched()
    clock.now_s = 4.9
    watchdog.check()
    clock.now_s = 5.1
    assert fault(watchdog).cause == "connecting"
    watchdog, clock = watched()
    watchdog.packet(True, 0)
    clock.now_s = 3.1
    assert fault(watchdog).cause == "stalled"


def test_data_without_a_keyframe_is_asked_for_one_and_then_given_up() -> None:
    watchdog, clock = watched()
    asked = []
    for tenth in range(30):
        clock.now_s = tenth / 10
        watchdog.packet(False, clock.monotonic_ns())
        watchdog.check()
        if watchdog.wants_keyframe():
            asked.append(clock.now_s)
    assert asked == [2.0]
    clock.now_s = 3.1
    watchdog.packet(False, clock.monotonic_ns())
    error = fault(watchdog)
    assert error.cause == "undecodable"
    assert "no keyframe" in str(error)


def test_what_is_fed_and_never_comes_out_cannot_be_decoded() -> None:
    watchdog, clock = watched()
    for tenth in range(31):
        clock.now_s = tenth / 10
        watchdog.packet(tenth == 0, clock.monotonic_ns())
        watchdog.fed(clock.monotonic_ns())
        watchdog.check()
    clock.now_s = 3.2
    assert "cannot be decoded" in str(fault(watchdog))
    watchdog.decoded()
    watchdog.check()


def test_a_decoder_that_has_to_begin_anew_is_given_a_keyframe_in_time() -> None:
    watchdog, clock = watched()
    watchdog.packet(True, 0)
    asked = False
    for tenth in range(30):
        clock.now_s = tenth / 10
        watchdog.packet(False, clock.monotonic_ns())
        watchdog.starved(clock.monotonic_ns())
        watchdog.check()
        asked = asked or watchdog.wants_keyframe()
    assert asked
    clock.now_s = 3.2
    watchdog.packet(False, clock.monotonic_ns())
    assert "no keyframe" in str(fault(watchdog))


def test_a_decoder_that_rests_is_not_missed() -> None:
    watchdog, clock = watched()
    watchdog.packet(True, 0)
    watchdog.fed(0)
    watchdog.decoded()
    for second in range(60):
        clock.now_s = second
        watchdog.packet(False, clock.monotonic_ns())
        watchdog.check()
        assert not watchdog.wants_keyframe()
