"""Which camera gives way under overload, and how what was given up comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.clock import ManualClock
from edgeguard.config.cameras import Camera
from edgeguard.runtime.assembly.pacing import pacer_of, patience_s
from edgeguard.runtime.pacing import ROOM, TOO_MUCH, Allowance, Pacer, Wish
from edgeguard.types import Frame, Showing
from tests.support.pictures import grey

WISHES = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(Wish, st.floats(0.5, 30), st.floats(0.2, 10), st.integers(0, 2)),
    min_size=1,
)


def floor(wish: Wish) -> float:
    return min(wish.fps, wish.floor_fps)


@given(WISHES, st.lists(st.floats(0, 1), max_size=60))
def test_nobody_gets_more_than_it_wants_or_less_than_its_floor(
    wishes: dict[str, Wish], loads: list[float]
) -> None:
    allowance = Allowance(wishes)
    for load in loads:
        allowance.adapt(load)
        for name, wish in wishes.items():
            assert floor(wish) <= allowance.fps[name] <= wish.fps


@given(WISHES, st.lists(st.floats(0, 1), max_size=60))
def test_a_higher_rank_gives_way_only_when_all_lower_ones_are_at_their_floor(
    wishes: dict[str, Wish], loads: list[float]
) -> None:
    allowance = Allowance(wishes)
    for load in loads:
        before = dict(allowance.fps)
        allowance.adapt(load)
        cut = [wishes[name].rank for name in wishes if allowance.fps[name] < before[name]]
        for name, wish in wishes.items():
            if cut and wish.rank < min(cut):
                assert before[name] == floor(wish)


@given(WISHES)
def test_everything_comes_back_with_room(wishes: dict[str, Wish]) -> None:
    allowance = Allowance(wishes)
    for _ in range(100):
        allowance.adapt(1.0)
    assert allowance.fps == {name: floor(wish) for name, wish in wishes.items()}
    for _ in range(400):
        allowance.adapt(0.1)
    assert allowance.fps == {name: wish.fps for name, wish in wishes.items()}


@given(st.lists(st.floats(ROOM, TOO_MUCH), max_size=50))
def test_between_the_two_thresholds_nothing_changes(loads: list[float]) -> None:
    allowance = Allowance({"gate": Wish(10, 2, 1)})
    allowance.adapt(1.0)
    for load in loads:
        allowance.adapt(load)
    assert allowance.fps == {"gate": 7.5}


@given(st.floats(0.01, 0.4), st.integers(1, 12), st.floats(1, 30))
def test_a_machine_under_a_steady_load_comes_to_rest(cost_s: float, cameras: int, fps: float) -> None:
    """Rates that swing for ever would be worse than a low one."""
    allowance = Allowance({str(number): Wish(fps, 0.1, number % 3) for number in range(cameras)})
    seen = []
    for _ in range(600):
        allowance.adapt(min(1.0, sum(allowance.fps.values()) * cost_s))
        seen.append(tuple(allowance.fps.values()))
    assert len(set(seen[-50:])) == 1


class Street:
    """Cameras that give 10 pictures a second, and a vision thread that needs a while for each."""

    def __init__(self, cost_s: float, **ranks: int) -> None:
        self.clock = ManualClock()
        self.cost_s = cost_s
        self.pacer = Pacer({name: Wish(10, 2, rank) for name, rank in ranks.items()}, self.clock)
        self.looked = dict.fromkeys(ranks, 0)

    def run(self, seconds: float) -> None:
        """Each tenth of a second, as many pictures are looked at as there is time for."""
        for _ in range(round(seconds * 10)):
            spent = 0.0
            for name in self.looked:
                admitted = self.pacer.admits(picture(name, self.clock))
                if admitted and spent + self.cost_s <= 0.1:
                    spent += self.cost_s
                    self.looked[name] += 1
                    self.pacer.looked([name], round(self.cost_s * 1e9))
            self.clock.advance(0.1)
            self.pacer.tick()

    def fps(self, name: str) -> float:
        return self.pacer.counters(name)["analyse_fps"]


def picture(source: str, clock: ManualClock) -> Frame:
    return grey(8, 8, source=source, pts_ns=clock.monotonic_ns())


def test_with_room_every_picture_is_looked_at() -> None:
    street = Street(0.02, gate=2, yard=0)
    street.run(20)
    assert street.looked == {"gate": 200, "yard": 200}
    assert street.pacer.shortfall("yard") is None
    assert street.pacer.counters("yard") == {"frames_overload": 0, "analyse_fps": 10}


def test_the_lowest_priority_gives_way_and_the_highest_keeps_its_rate() -> None:
    street = Street(0.0499, gate=2, yard=0)
    street.run(60)
    assert street.fps("gate") == 10
    assert 2 <= street.fps("yard") < 10
    before = dict(street.looked)
    street.run(10)
    assert street.looked["gate"] - before["gate"] == 100
    assert street.looked["yard"] - before["yard"] == pytest.approx(10 * street.fps("yard"), abs=2)
    assert street.pacer.counters("yard")["frames_overload"] > 0
    assert "instead of 10.0" in str(street.pacer.shortfall("yard"))
    assert street.pacer.shortfall("gate") is None


def test_what_was_given_up_comes_back_when_the_load_goes() -> None:
    street = Street(0.0499, gate=2, yard=0)
    street.run(30)
    assert street.fps("yard") < 10
    street.cost_s = 0.01
    street.run(120)
    assert street.fps("yard") == 10
    assert street.pacer.shortfall("yard") is None


def test_what_the_gate_asked_for_is_never_skipped() -> None:
    street = Street(0.0499, gate=0)
    street.pacer.looked(["gate"], 3_000_000_000)
    street.clock.advance(2)
    street.pacer.tick()
    assert street.fps("gate") == 7.5
    for showing in (Showing.CATCH_UP, Showing.GLANCE):
        assert all(
            street.pacer.admits(replace(picture("gate", street.clock), showing=showing)) for _ in range(20)
        )
    assert not all(street.pacer.admits(picture("gate", street.clock)) for _ in range(20))


def test_a_camera_whose_times_jump_is_not_skipped_for_ever() -> None:
    street = Street(0.0499, gate=0)
    street.run(2)
    for _ in range(5):
        street.pacer.looked(["gate"], 3_000_000_000)
        street.clock.advance(2)
        street.pacer.tick()
    assert street.pacer.admits(grey(8, 8, pts_ns=10**15))
    assert not street.pacer.admits(grey(8, 8, pts_ns=10**15 + 1))
    assert street.pacer.admits(grey(8, 8, pts_ns=5))


def test_a_file_read_fast_is_none_of_its_business() -> None:
    pacer = Pacer({}, ManualClock())
    assert pacer.admits(grey())
    pacer.looked(["gate"], 10**9)
    assert pacer.counters("gate") == {}
    assert pacer.shortfall("gate") is None


def test_the_cameras_wishes_come_from_the_configuration() -> None:
    clock = ManualClock()
    cameras = {
        "gate": Camera(url="rtsp://192.0.2.1/", analyse_fps=10, priority="high", min_analyse_fps=4),
        "yard": Camera(url="rtsp://192.0.2.2/", analyse_fps=8, priority="low"),
        "clip": Camera(url="file:///clip.mp4", pace="fast"),
    }
    pacer = pacer_of(cameras, clock)
    for _ in range(3):
        pacer.looked(["gate"], 3_000_000_000)
        clock.advance(2)
        pacer.tick()
    assert pacer.counters("yard")["analyse_fps"] == pytest.approx(8 * 0.75**3, abs=0.01)
    assert pacer.counters("gate")["analyse_fps"] == 10
    assert pacer.counters("clip") == {}
    for _ in range(30):
        pacer.looked(["gate"], 3_000_000_000)
        clock.advance(2)
        pacer.tick()
    assert (pacer.counters("gate")["analyse_fps"], pacer.counters("yard")["analyse_fps"]) == (4, 2)
    assert patience_s(cameras) == 0.01
