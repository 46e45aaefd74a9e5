from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.evidence import EvidenceStore
from edgeguard.runtime import alerting
from edgeguard.runtime.alerting import AlertStage, Witness
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.journal import Journal
from edgeguard.runtime.shelf import Shelf, View
from edgeguard.types import Alert, AlertState, ClipRef, ModelRef, Observation
from edgeguard.vision.snapshot import Overlay
from tests.support.alerts import alert, seen
from tests.support.pictures import grey
from tests.support.tracks import tracks

MODEL = ModelRef("yolox-nano-416", "ab" * 32, "onnxruntime-cpu")


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerting, "STEP_S", 0.001)


class Echo:
    """Fuses nothing and decides that every observation is an alert; says what it was asked."""

    def __init__(self) -> None:
        self.taken: list[Observation] = []
        self.silent: list[Alert] = []
        self.open: list[Alert] = []
        self.fault: Exception | None = None
        self.attached: list[tuple[str, tuple[ClipRef, ...], str | None]] = []

    def update(self, observation: Observation) -> list[Any]:
        self.taken.append(observation)
        if self.fault:
            raise self.fault
        return [alert(source=observation.source)]

    def tick(self) -> list[Alert]:
        ready, self.silent = self.silent, []
        return ready

    def close_all(self) -> list[Alert]:
        return self.open

    def attach(self, alert_id: str, evidence: tuple[ClipRef, ...], error: str | None = None) -> None:
        self.attached.append((alert_id, evidence, error))


class Pass:
    """A fuser that joins nothing."""

    late = crowded = 0

    def update(self, observation: Observation) -> list[Observation]:
        return [observation]

    def tick(self, _now_ns: int, _utc_ns: int) -> list[Observation]:
        return []

    def finish(self) -> list[Observation]:
        return []


class Bench:
    """An alerts stage with everything around it in reach."""

    def __init__(self, folder: Path, *, beside: dict[str, str] | None = None, journal: bool = False) -> None:
        self.clock = ManualClock()
        self.board = HealthBoard(self.clock)
        self.observations: Channel[Observation] = Channel(3)
        self.policy = Echo()
        self.shelf = Shelf()
        self.told: list[Alert] = []
        self.folder = folder / "evidence"
        self.evidence = self.board.part("evidence")
        store = EvidenceStore(self.folder, self.clock, max_bytes=10**9, max_days=30)
        overlays = {"dock": Overlay(masks=[((0, 0), (1, 0), (1, 0.5), (0, 0.5))])}
        self.witness = Witness(self.shelf, store, overlays, beside or {}, self.evidence, 640, 85)
        self.stage = AlertStage(
            self.observations,
            Pass(),
            self.policy,
            self.witness,
            self.told.append,
            lambda alert: (MODEL,) if alert.source == "dock" else (),
            Journal(folder / "observations", self.board.part("journal")) if journal else None,
            self.board.part("alerts"),
            self.clock,
        )

    def show(self, source: str = "dock", sequence: int = 0, value: int = 90, noticed: bool = True) -> None:
        """Put an analysed frame on the shelf."""
        self.shelf.put(View(grey(source=source, sequence=sequence, value=value), tracks(0.0)), keep=noticed)

    def run(self, *observations: Observation) -> list[Alert]:
        for observation in observations:
            self.observations.put(observation)
        for _ in range(len(observations) or 1):
            self.stage.step()
        return self.told

    def picture(self, told: Alert) -> np.ndarray[Any, Any]:
        (proof,) = told.evidence
        picture = cv2.imread(str(self.folder / proof.path))
        assert picture is not None
        return picture


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.stage.open()
    return made


def test_an_alert_carries_its_picture_and_the_model_that_saw(bench: Bench) -> None:
    bench.show()
    (told,) = bench.run(seen(sequence=0))
    assert told.models == (MODEL,)
    assert told.evidence[0].alert_id == told.alert_id
    assert bench.policy.attached[-1] == (told.alert_id, told.evidence, None)
    assert bench.picture(told)[200, 100].tolist() == pytest.approx([90] * 3, abs=3)
    assert bench.board.part("alerts").report()["opened"] == 1


def test_the_picture_is_that_of_the_frame_and_not_the_newest(bench: Bench) -> None:
    bench.show(sequence=4, value=200)
    bench.show(sequence=5, value=20, noticed=False)
    (told,) = bench.run(seen(sequence=4))
    assert bench.picture(told)[200, 100, 0] > 150


def test_what_is_masked_is_black(bench: Bench) -> None:
    bench.show(value=200)
    (told,) = bench.run(seen(sequence=0))
    assert bench.picture(told)[:110].max() < 12


def test_what_is_heard_is_proved_by_the_camera_beside_it_under_its_mask(tmp_path: Path) -> None:
    bench = Bench(tmp_path, beside={"dock-mic": "dock"})
    bench.stage.open()
    bench.show(sequence=3, value=20)
    bench.show(sequence=700, value=200, noticed=False)
    (told,) = bench.run(seen(source="dock-mic", sequence=3))  # a chunk's number says nothing of frames
    assert bench.picture(told)[200, 100, 0] > 150
    assert bench.picture(told)[:110].max() < 12


def test_a_source_without_pictures_has_no_evidence_and_no_fault(bench: Bench) -> None:
    (told,) = bench.run(seen(source="dock-mic"))
    assert told.evidence == ()
    assert told.evidence_error is None
    assert bench.evidence.state is State.OK


def test_a_disk_that_refuses_costs_the_picture_and_not_the_alert(bench: Bench) -> None:
    bench.show()
    bench.folder.rmdir()
    bench.folder.write_text("not a folder")
    (told,) = bench.run(seen(sequence=0))
    assert told.evidence == ()
    assert told.evidence_error
    assert str(bench.folder) in told.evidence_error
    assert (bench.evidence.state, bench.evidence.reason) == (State.DEGRADED, told.evidence_error)
    bench.folder.unlink()
    assert bench.run(seen(sequence=0))[-1].evidence_error is None
    assert bench.evidence.state is State.OK


def test_a_nearly_full_disk_is_said_while_there_is_still_evidence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        EvidenceStore, "_make_room", lambda store, _: setattr(store, "disk_nearly_full", True)
    )
    bench.show()
    (told,) = bench.run(seen(sequence=0))
    assert told.evidence
    assert told.evidence_error is None
    assert bench.evidence.state is State.DEGRADED
    assert "nearly full" in (bench.evidence.reason or "")


def test_a_bug_in_drawing_costs_the_picture_and_not_the_alert(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(*_: object, **__: object) -> bytes:
        raise OverflowError("cannot convert float infinity to integer")

    monkeypatch.setattr(alerting, "snapshot", draw)
    bench.show()
    (told,) = bench.run(seen(sequence=0))
    assert told.evidence_error
    assert "infinity" in told.evidence_error
    assert bench.evidence.state is State.DEGRADED


def test_only_the_opening_of_an_alert_takes_a_picture(bench: Bench) -> None:
    bench.show()
    bench.policy.silent = [alert(state=AlertState.UPDATED, revision=2), alert(state=AlertState.CLOSED)]
    assert [told.evidence for told in bench.run()] == [(), ()]


def test_an_observation_that_cannot_be_taken_costs_no_other(bench: Bench) -> None:
    bench.policy.fault = ZeroDivisionError("oops")
    for key in ("1", "2"):
        bench.observations.put(seen(key=key))
    with pytest.raises(ZeroDivisionError):
        bench.stage.step()
    bench.policy.fault = None
    bench.stage.step()
    assert [observation.key for observation in bench.policy.taken] == ["1", "2"]
    assert len(bench.told) == 1


def test_observations_that_were_lost_are_a_fault(bench: Bench) -> None:
    for number in range(5):
        bench.observations.put(seen(key=str(number)))
    bench.run()
    part = bench.board.part("alerts")
    assert part.state is State.DEGRADED
    assert "2 observations were lost" in (part.reason or "")


def test_at_the_end_what_waits_is_taken_and_what_is_open_is_closed(bench: Bench) -> None:
    bench.observations.put(seen())
    bench.policy.open = [alert(state=AlertState.CLOSED)]
    bench.stage.finish()
    assert [told.state for told in bench.told] == [AlertState.OPENED, AlertState.CLOSED]


def test_evidence_is_pruned_once_a_minute(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    pruned: list[int] = []

    def prune(_store: EvidenceStore) -> int:
        pruned.append(bench.clock.now_ns)
        return 2

    monkeypatch.setattr(EvidenceStore, "prune", prune)
    for _ in range(130):
        bench.run()
        bench.clock.advance(1)
    assert len(pruned) == 2
    assert bench.evidence.report()["pruned"] == 4


def test_what_is_noticed_is_written_down_where_asked_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path, journal=True)
    bench.run(seen(), seen())
    assert sum(len(path.read_text().splitlines()) for path in (tmp_path / "observations").iterdir()) == 2


def test_nobody_needs_a_witness(tmp_path: Path) -> None:
    told: list[Alert] = []
    board = HealthBoard(ManualClock())
    observations: Channel[Observation] = Channel(3)
    out: Callable[[Alert], object] = told.append
    stage = AlertStage(
        observations, Pass(), Echo(), None, out, lambda _: (), None, board.part("alerts"), ManualClock()
    )
    stage.open()
    observations.put(seen())
    stage.step()
    assert [(one.evidence, one.models) for one in told] == [((), ())]


def test_evidence_recovers_without_waiting_for_an_alert(bench: Bench) -> None:
    bench.show()
    bench.folder.rmdir()
    bench.folder.write_text("not a folder")
    bench.run(seen(sequence=0))
    assert bench.evidence.state is State.DEGRADED
    bench.folder.unlink()
    bench.clock.advance(61)
    bench.stage.step()
    assert bench.evidence.state is State.OK
