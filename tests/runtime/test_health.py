from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest

from edgeguard.clock import ManualClock
from edgeguard.cuda.driver import GpuLostError
from edgeguard.errors import (
    ConfigError,
    DependencyError,
    DiskFullError,
    ModelError,
    SourceError,
    StorageError,
)
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.http import HealthServer
from edgeguard.runtime.pace import Pace
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


def test_the_summary_names_what_is_degraded() -> None:
    board = HealthBoard(ManualClock())
    board.part("vision").set(State.OK)
    assert board.summary == "ok"
    board.part("camera/gate").set(State.DEGRADED, "no answer", "unreachable")
    board.part("outbox").set(State.DEGRADED, "no room", "disk_full")
    assert board.summary == "degraded: camera/gate unreachable, outbox disk_full"


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


def test_what_is_wrong_has_a_word_and_what_is_well_has_none() -> None:
    part = HealthBoard(ManualClock()).part("camera/gate")
    assert part.report()["code"] is None
    part.set(State.DEGRADED, "away", "unreachable")
    assert (part.code, part.report()["code"]) == ("unreachable", "unreachable")
    part.set(State.DEGRADED, "something else")
    assert part.code == "fault"
    part.set(State.OFF, "not wanted")
    assert part.code == "off"
    part.set(State.OK, None, "unreachable")
    assert part.code is None


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SourceError("no answer", "unreachable"), "unreachable"),
        (DiskFullError("no room"), "disk_full"),
        (StorageError("refused"), "storage"),
        (ModelError("not installed"), "model_unavailable"),
        (GpuLostError("poisoned"), "gpu_lost"),
        (DependencyError("no library"), "missing_dependency"),
        (ConfigError("password"), "config"),
        (ZeroDivisionError("a bug"), "fault"),
    ],
)
def test_an_error_has_a_word(error: Exception, code: str) -> None:
    assert code_of(error) == code


FRAMES = Pace(5.0, "no_frames", "no frame came")
LOOKS = Pace(10.0, "no_inference", "frames come, but none was looked at", on_demand=True)


def paced(pace: Pace) -> tuple[ManualClock, HealthBoard, Part]:
    clock = ManualClock()
    board = HealthBoard(clock)
    part = board.part("camera/gate")
    part.expect(pace)
    part.set(State.OK)
    board.news.clear()
    return clock, board, part


def test_a_part_that_says_it_is_well_and_does_nothing_is_degraded() -> None:
    clock, board, part = paced(FRAMES)
    for _ in range(3):
        clock.advance(4.9)
        part.set(State.OK)
        part.worked()
        board.look()
        assert part.state is State.OK
    clock.advance(5.1)
    part.set(State.OK)
    board.look()
    assert (part.state, part.code) == (State.DEGRADED, "no_frames")
    assert part.reason == "no frame came for more than 5 s"
    assert part.since_utc_ns == clock.utc_ns()
    assert board.state is State.DEGRADED
    assert board.news.is_set()
    report = part.report()
    assert (report["age_s"], report["age_limit_s"], report["state"]) == (5.1, 5.0, "degraded")


def test_the_first_unit_of_work_makes_it_well_again() -> None:
    clock, board, part = paced(FRAMES)
    clock.advance(6)
    board.look()
    board.news.clear()
    clock.advance(60)
    board.look()
    assert not board.news.is_set(), "that it still does nothing is no news"
    part.worked()
    board.look()
    assert part.state is State.OK
    assert board.news.is_set()


def test_its_own_trouble_counts_more_and_the_pause_begins_anew_after_it() -> None:
    clock, board, part = paced(FRAMES)
    part.set(State.DEGRADED, "refused the login", "refused_login")
    clock.advance(600)
    board.look()
    assert part.code == "refused_login"
    part.set(State.OK)
    board.look()
    assert part.state is State.OK
    clock.advance(5.5)
    board.look()
    assert part.code == "no_frames"


@pytest.mark.parametrize("state", [State.STARTING, State.OFF, State.ENDED])
def test_nothing_is_expected_of_one_that_does_not_work(state: State) -> None:
    clock, board, part = paced(FRAMES)
    part.set(state)
    clock.advance(600)
    board.look()
    assert part.state is state


def test_who_works_on_demand_may_rest_until_something_comes() -> None:
    clock, board, part = paced(LOOKS)
    part.worked()
    clock.advance(3600)
    board.look()
    assert part.state is State.OK
    assert part.report()["owed_s"] == 0
    part.asked()
    clock.advance(9)
    part.asked()
    board.look()
    assert part.state is State.OK
    assert part.report()["owed_s"] == 9
    clock.advance(1.5)
    board.look()
    assert (part.state, part.code) == (State.DEGRADED, "no_inference")
    part.worked()
    board.look()
    assert part.state is State.OK
