from __future__ import annotations

from edgeguard.alerts.attempts import Attempts


def test_a_storm_of_reconnects_leaves_one_time_for_each() -> None:
    attempts = Attempts()
    for seq in range(2000):
        attempts.sent(seq, "topic", 10**18)
    for _ in range(50):
        attempts.hurry(None, but=())
    assert len(attempts._heap) == 2000
    assert len(attempts.due(0, 5000)) == 2000


def test_what_is_postponed_for_ever_takes_no_more_room() -> None:
    attempts = Attempts()
    attempts.sent(1, "topic", 0)
    for next_try_ns in range(20_000):
        attempts.postpone(1, next_try_ns)
    assert len(attempts._heap) < 2000
    assert attempts.due(10**6, 9) == [1]
