from __future__ import annotations

from edgeguard.capture.timeline import Timeline

SECOND = 10**9


def test_times_that_go_on_are_passed_on_whatever_they_do() -> None:
    timeline = Timeline()
    times = [5, 7, 6, 10**15, 0, 1]
    assert [timeline.running(time, n * SECOND) for n, time in enumerate(times)] == times
    assert timeline.stopped == 0


def test_times_that_stand_still_are_no_times_until_they_go_on() -> None:
    timeline = Timeline()
    passed = [timeline.running(5, n * SECOND // 4) for n in range(10)]
    assert passed == [5] * 4 + [None] * 6
    assert timeline.running(6, 3 * SECOND) == 6
    assert timeline.stopped == 1


def test_a_source_without_times_has_none() -> None:
    timeline = Timeline()
    assert [timeline.running(None, n * SECOND) for n in range(5)] == [None] * 5
    assert timeline.stopped == 0
