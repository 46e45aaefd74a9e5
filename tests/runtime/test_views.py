from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.views import Keepsake, TamperRule, View, Views
from edgeguard.types import Frame, Observation, Phase
from edgeguard.vision.sanity import Sanity
from tests.vision.test_sanity import frame_of, yard

RULES = [
    TamperRule("any", None, None),
    TamperRule("gate-moved", "gate", frozenset({"moved"})),
    TamperRule("yard-any", "yard", None),
    TamperRule("gate-dark", "gate", frozenset({"too_dark", "covered"})),
]


@pytest.fixture
def board() -> HealthBoard:
    return HealthBoard(ManualClock())


def views(board: HealthBoard) -> Views:
    return Views({"gate": View(Sanity("gate"), board.part("view/gate"))}, RULES, lambda frame: frame)


def watch(seen_by: Views, begin_s: float, end_s: float, gain: float = 1.0) -> list[Observation]:
    times = np.arange(begin_s, end_s, 0.5)
    return [seen for at_s in times for seen in seen_by.look(frame_of(yard(int(at_s * 2)) * gain, at_s))]


def test_a_dark_camera_is_told_to_all_and_to_the_rules_that_ask(board: HealthBoard) -> None:
    guard = views(board)
    assert watch(guard, 0, 20) == []
    assert board.report()["view/gate"]["learnt"] == "true"
    noticed = watch(guard, 20, 27, gain=0.02)
    assert {seen.phase for seen in noticed} == {Phase.BEGAN}
    assert [seen.rule for seen in noticed] == [None, "any", "gate-dark"]
    report = board.report()["view/gate"]
    assert (report["state"], report["reason"]) == ("degraded", "it looks too dark")
    assert [seen.phase for seen in watch(guard, 27, 40) if seen.rule is None] == [Phase.ENDED]
    assert board.report()["view/gate"]["state"] == "ok"


def test_a_camera_that_is_not_watched_costs_nothing(board: HealthBoard) -> None:
    assert views(board).look(frame_of(yard(0), 0.0, camera="other")) == []


def test_a_picture_that_cannot_be_examined_costs_no_analysis(board: HealthBoard) -> None:
    def refuse(frame: Frame) -> Frame:
        raise RuntimeError("copy failed")

    guard = Views({"gate": View(Sanity("gate"), board.part("view/gate"))}, RULES, refuse)
    assert guard.look(frame_of(yard(0), 0.0)) == []
    part = board.part("view/gate")
    assert part.state is State.DEGRADED
    assert part.reason == "its picture could not be examined: copy failed"


def keepsake(folder: Path, clock: ManualClock, of: str = "rtsp://192.0.2.1/") -> Keepsake:
    return Keepsake(folder / "views" / "gate", of, clock)


def test_the_usual_view_outlasts_a_restart_but_not_an_hour_nor_another_camera(
    board: HealthBoard, tmp_path: Path
) -> None:
    clock = ManualClock()
    first = View(Sanity("gate"), board.part("view/gate"), keepsake(tmp_path, clock))
    watch(Views({"gate": first}, RULES, lambda frame: frame), 0, 20)
    (file,) = (tmp_path / "views").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    again, other, late = Sanity("gate"), Sanity("gate"), Sanity("gate")
    keepsake(tmp_path, clock).recall(again)
    keepsake(tmp_path, clock, "rtsp://192.0.2.2/").recall(other)
    clock.advance(3601)
    keepsake(tmp_path, clock).recall(late)
    assert (again.learnt, other.learnt, late.learnt) == (True, False, False)


@pytest.mark.parametrize("data", [b"", b"x", b"\x00" * 100])
def test_a_damaged_keepsake_is_no_keepsake(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "gate").write_bytes(data)
    sanity = Sanity("gate")
    keepsake(tmp_path, ManualClock()).recall(sanity)
    assert not sanity.learnt


def test_a_folder_that_cannot_be_written_to_costs_nothing_but_the_keepsake(
    board: HealthBoard, tmp_path: Path
) -> None:
    (tmp_path / "views").write_text("in the way")
    view = View(Sanity("gate"), board.part("view/gate"), keepsake(tmp_path, ManualClock()))
    assert watch(Views({"gate": view}, RULES, lambda frame: frame), 0, 20) == []
    assert board.report()["view/gate"]["state"] == "ok"
