from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.http import HealthServer
from edgeguard.runtime.rate import Rate


def test_since_moves_with_the_state_and_not_with_the_reason() -> None:
    clock = ManualClock()
    part = HealthBoard(clock).part("camera/gate")
    clock.advance(5)
    part.set(State.DEGRADED, "away")
    since = part.since_utc_ns
    clock.advance(5)
    part.set(State.DEGRADED, "refused")
    assert part.since_utc_ns == since == clock.utc_ns() - 5_000_000_000
    assert part.report()["reason"] == "refused"


def test_a_change_is_news_and_a_repetition_is_not() -> None:
    board = HealthBoard(ManualClock())
    part = board.part("broker")
    part.set(State.OK)
    assert board.news.is_set()
    board.news.clear()
    part.set(State.OK)
    assert not board.news.is_set()


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        ((State.OK, State.OFF, State.ENDED), State.OK),
        ((State.OK, State.STARTING), State.STARTING),
        ((State.OK, State.DEGRADED, State.STARTING), State.DEGRADED),
    ],
)
def test_the_worst_part_is_the_state_of_the_whole(states: tuple[State, ...], whole: State) -> None:
    board = HealthBoard(ManualClock())
    for number, state in enumerate(states):
        board.part(str(number)).set(state)
    assert board.state is whole


def test_rate_is_measured_and_falls_when_work_stops() -> None:
    rate = Rate()
    assert rate.per_second(0) is None
    for n in range(20):
        rate.add(n * 200_000_000)
    last = 19 * 200_000_000
    assert rate.per_second(last) == pytest.approx(5.0)
    assert rate.per_second(last + 10_000_000_000) == pytest.approx(19 / 13.6, rel=0.01)
    assert rate.per_second(last + 60_000_000_000) == 0.0


def get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_health_is_served_on_loopback() -> None:
    report = {"state": "ok", "parts": {}}
    server = HealthServer(0, lambda: report)
    server.start()
    try:
        status, body = get(server.port, "/health")
        assert (status, json.loads(body)) == (200, report)
        report["state"] = "degraded"
        assert get(server.port, "/health")[0] == 503
        assert get(server.port, "/../etc/passwd")[0] == 404
        with pytest.raises(StorageError, match=str(server.port)):
            HealthServer(server.port, lambda: report)
    finally:
        server.stop()
