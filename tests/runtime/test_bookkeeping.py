from __future__ import annotations

from datetime import timezone
from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.coverage import Book, Ledger, read
from edgeguard.runtime import bookkeeping
from edgeguard.runtime.blindness import Blindness, BlindRule
from edgeguard.runtime.bookkeeping import CoverageStage
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.coverage import Notices
from edgeguard.runtime.dailies import Dailies
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.heed import Lapse
from edgeguard.types import CoverageDay, Observation, Phase

RULE = BlindRule("eyes-shut", None, 5.0)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping, "STEP_S", 0.001)


class Keeping:
    """The stage with everything around it."""

    def __init__(
        self,
        folder: Path,
        clock: ManualClock,
        rules: list[BlindRule],
        clips: frozenset[str] = frozenset(),
        unheeded: dict[str, Lapse] | None = None,
        dailies: Dailies | None = None,
        boot: str = "boot",
    ) -> None:
        self.clock = clock
        self.board = HealthBoard(clock)
        self.notices = Notices()
        self.observations: Channel[Observation] = Channel(1000)
        parts = {name: self.board.part(f"camera/{name}") for name in ("gate", "yard")}
        self.stage = CoverageStage(
            self.notices,
            self.observations,
            Blindness(rules, clips),
            Ledger(folder),
            parts,
            self.board.part("coverage"),
            clock,
            timezone.utc,
            boot,
            lambda: unheeded or {},
            dailies=dailies,
        )
        self.stage.open()
        for name in parts:
            self.notices.lost(name, "connecting", clock.monotonic_ns())
        self.step()

    def back(self, name: str = "gate") -> None:
        self.notices.back(name, self.clock.monotonic_ns())

    def lost(self, cause: str, name: str = "gate", ago_s: float = 0) -> None:
        self.notices.lost(name, cause, self.clock.monotonic_ns() - round(ago_s * 1e9))

    def step(self, seconds: float = 0) -> list[Observation]:
        self.clock.advance(seconds)
        self.stage.step()
        while not self.stage.idle:
            self.stage.step()
        return self.observations.get_all(0)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ns=10**12)


@pytest.fixture
def keeping(tmp_path: Path, clock: ManualClock) -> Keeping:
    made = Keeping(tmp_path, clock, [RULE])
    clock.advance(1)
    made.back("gate")
    made.back("yard")
    assert made.step() == []  # opening is no news
    return made


def test_a_loss_and_a_return_are_noticed_with_their_times(keeping: Keeping, clock: ManualClock) -> None:
    clock.advance(1)
    keeping.lost("stalled", ago_s=0.5)
    [gone] = keeping.step()
    assert (gone.kind, gone.source, gone.label, gone.phase) == (
        "source_lost",
        "gate",
        "stalled",
        Phase.INSTANT,
    )
    assert gone.pts_ns == clock.monotonic_ns() - 5 * 10**8
    assert gone.utc_ns - gone.pts_ns == clock.utc_ns() - clock.monotonic_ns()
    keeping.clock.advance(2)
    keeping.back()
    [again] = keeping.step()
    assert (again.kind, again.label) == ("source_back", "stalled")
    assert again.measures[0].value == 2.5


def test_another_cause_is_told_and_the_same_one_is_not(keeping: Keeping) -> None:
    for cause in ("stalled", "connecting", "stalled", "unreachable", "connecting", "unreachable"):
        keeping.lost(cause)
    assert [seen.label for seen in keeping.step()] == ["stalled", "unreachable"]


def test_a_rule_notices_after_its_time_goes_on_and_ends_with_the_return(keeping: Keeping) -> None:
    keeping.lost("unreachable")
    assert [seen.kind for seen in keeping.step(4.9)] == ["source_lost"]
    [began] = keeping.step(0.1)
    assert (began.kind, began.rule, began.phase) == ("blind", "eyes-shut", Phase.BEGAN)
    assert (began.measures[0].value, began.measures[0].threshold) == (5.0, 5.0)
    assert keeping.step(9) == []
    assert [seen.phase for seen in keeping.step(1)] == [Phase.CONTINUES]
    keeping.back()
    assert [(seen.kind, seen.phase) for seen in keeping.step(1)] == [
        ("source_back", Phase.INSTANT),
        ("blind", Phase.ENDED),
    ]
    assert keeping.step(60) == []


def test_a_camera_that_never_came_is_noticed_too(tmp_path: Path, clock: ManualClock) -> None:
    keeping = Keeping(tmp_path, clock, [BlindRule("gate-shut", frozenset({"gate"}), 30.0)])
    assert [(seen.kind, seen.source) for seen in keeping.step(30)] == [("blind", "gate")]


def test_a_clip_that_was_played_is_no_loss_but_a_camera_that_ended_is(
    tmp_path: Path, clock: ManualClock
) -> None:
    keeping = Keeping(tmp_path, clock, [RULE], frozenset({"gate"}))
    keeping.back("gate")
    keeping.back("yard")
    keeping.lost("ended", "gate")
    keeping.lost("ended", "yard")
    assert {seen.source for seen in keeping.step(10)} == {"yard"}


def test_health_sums_the_day_by_source(keeping: Keeping) -> None:
    keeping.lost("stalled")
    keeping.step(20)
    report = keeping.board.report()
    assert report["camera/gate"]["blind"] == "stalled"
    assert report["camera/gate"]["blind_s_today"] == pytest.approx(21, abs=0.2)  # one second to connect
    assert report["camera/yard"]["blind"] == "no"
    assert report["coverage"]["blind_now"] == 1
    assert report["coverage"]["blind_s_today"] == pytest.approx(22, abs=0.2)


def test_the_book_outlives_a_killed_process(keeping: Keeping, tmp_path: Path, clock: ManualClock) -> None:
    keeping.step(40)  # a beat, and then nothing: killed
    Keeping(tmp_path, ManualClock(now_ns=clock.now_ns + 60 * 10**9), [])
    causes = {(one.source, one.cause): one.lasted_s for one in Book(read(tmp_path)).intervals()}
    assert causes["gate", "restarted"] == pytest.approx(60, abs=0.1)


def test_a_disk_that_refuses_turns_health_and_is_made_up_for(keeping: Keeping, tmp_path: Path) -> None:
    def state() -> tuple[State, str | None]:
        part = keeping.board.part("coverage")
        return part.state, part.reason

    away = tmp_path.with_name("away")
    tmp_path.rename(away)
    tmp_path.write_text("no folder")
    keeping.lost("stalled")
    assert [seen.kind for seen in keeping.step()] == ["source_lost"]
    assert state()[0] is State.DEGRADED
    assert "not written down" in str(state()[1])
    tmp_path.unlink()
    away.rename(tmp_path)
    keeping.step(31)
    assert state() == (State.OK, None)
    assert [one.cause for one in Book(read(tmp_path)).intervals() if one.source == "gate"] == [
        "connecting",
        "stalled",
    ]


def test_after_a_failure_it_is_well_as_soon_as_it_is_open_again(keeping: Keeping) -> None:
    part = keeping.board.part("coverage")
    part.set(State.DEGRADED, "the step before raised")
    keeping.stage.close()
    keeping.stage.open()
    assert part.state is State.OK


def test_after_days_without_power_and_a_start_without_a_clock_every_day_is_told(
    tmp_path: Path, clock: ManualClock
) -> None:
    told: list[str] = []

    def dailies() -> Dailies:
        def tell(day: CoverageDay) -> bool:
            told.append(day.day)
            return True

        return Dailies(tmp_path / "told", timezone.utc, tell, lambda: told[-1] if told else None)

    keeping = Keeping(tmp_path, clock, [], dailies=dailies())
    for _ in range(2 * 24):
        keeping.step(3600)
    assert told == ["2023-11-14", "2023-11-15"]
    right_ns = clock.utc_ns() + 5 * 86_400 * 10**9
    clock.now_ns, clock.utc_offset_ns = 30 * 10**9, 0
    keeping = Keeping(tmp_path, clock, [], dailies=dailies(), boot="next")
    keeping.step(40)
    clock.utc_offset_ns = right_ns - clock.now_ns
    for _ in range(30):
        keeping.step(31)
    assert told == [f"2023-11-{day}" for day in range(14, 21)]


def test_a_stop_is_written(keeping: Keeping, tmp_path: Path) -> None:
    keeping.stage.finish()
    assert [*read(tmp_path)][-1].what.value == "stop"


def test_a_camera_that_gives_while_nobody_looks_is_blind(tmp_path: Path, clock: ManualClock) -> None:
    causes: dict[str, Lapse] = {}
    keeping = Keeping(tmp_path, clock, [RULE], unheeded=causes)
    keeping.back("gate")
    keeping.back("yard")
    keeping.step(1)
    causes["gate"] = Lapse("unwatched")
    keeping.step(1)
    noticed = keeping.step(6)
    assert [(seen.kind, seen.source, seen.label) for seen in noticed] == [
        ("source_lost", "gate", "unwatched"),
        ("blind", "gate", "unwatched"),
    ]
    causes.clear()
    assert [seen.kind for seen in keeping.step(2)] == ["source_back", "blind"]
    (lost,) = [one for one in Book(read(tmp_path)).intervals() if one.cause == "unwatched"]
    assert lost.lasted_s == pytest.approx(8)


def test_sources_that_come_and_go_all_the_time_do_not_keep_it_busy_with_sums(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    sums: list[int] = []

    def slow(stage: CoverageStage) -> None:
        sums.append(keeping.clock.monotonic_ns())
        keeping.clock.advance(0.1)

    monkeypatch.setattr(CoverageStage, "_sum_up", slow)
    for _ in range(100):
        keeping.lost("stalled")
        keeping.step(0.05)
        keeping.back()
        keeping.step(0.05)
    assert len(sums) < 5
