from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.config import Config, load
from edgeguard.runtime.assembly.syncing import syncing_of
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.hearing import HearingStage
from edgeguard.runtime.syncing import Pair, Syncing
from edgeguard.sync import DRIFT, SyncCheck
from edgeguard.types import AudioChunk, Frame, Observation, Phase
from tests.runtime.test_hearing import Bench
from tests.sync.staged import Staged
from tests.vision.test_sanity import frame_of


@pytest.fixture
def board() -> HealthBoard:
    return HealthBoard(ManualClock())


def pair_of(board: HealthBoard, limit_ms: int = 500) -> Pair:
    return Pair(
        "hall", "hall-mic", SyncCheck("hall", "hall-mic", limit_ms), board.part("microphone/hall-mic")
    )


def as_it_is(frame: Frame) -> Frame:
    return frame


def watch(syncing: Syncing, staged: Staged) -> list[Observation]:
    """Frames whose brightness differs by what moves, and the sound beside them."""
    moves, noticed, level = [*staged.motion()], [], 128.0
    for chunk in staged.chunks():
        while moves and moves[0][1] <= chunk.pts_ns:
            _, end_ns, energy = moves.pop(0)
            level += energy if level < 128 else -energy
            picture = np.full((90, 160, 3), level, np.float32)
            syncing.saw(replace(frame_of(picture, end_ns / 1e9), source="hall"), as_it_is)
        noticed += syncing.heard(chunk)
    return noticed


def test_a_drift_is_told_and_stands_in_health(board: HealthBoard) -> None:
    syncing = Syncing([pair_of(board)])
    assert syncing.drift("hall-mic") is None
    assert [seen.phase for seen in watch(syncing, Staged(700, 800, 3))] == [Phase.BEGAN]
    report = board.report()["microphone/hall-mic"]
    assert abs(report["sync_offset_ms"] - 800) <= 100
    assert report["sync_quality"] >= 5
    assert str(syncing.drift("hall-mic")).endswith(" ms behind the picture of hall")


def test_a_source_without_the_other_costs_nothing_and_a_picture_that_fails_costs_no_analysis(
    board: HealthBoard, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(frame: Frame) -> Frame:
        raise RuntimeError("copy failed")

    frame = frame_of(np.zeros((90, 160, 3), np.float32), 0.0, camera="hall")
    Syncing().saw(frame, refuse)
    assert Syncing().heard(next(Staged(1, 0, 1).chunks())) == []
    syncing = Syncing([pair_of(board)])
    syncing.saw(frame, refuse)
    syncing.saw(frame, refuse)
    assert [record.message for record in caplog.records] == [
        "hall cannot be compared with what belongs to it"
    ]


def test_changes_that_no_sound_asks_for_do_not_pile_up(board: HealthBoard) -> None:
    pair = pair_of(board)
    syncing = Syncing([pair])
    for number in range(2000):
        syncing.saw(frame_of(np.zeros((9, 16, 3), np.float32), number / 5, camera="hall"), as_it_is)
    assert len(pair.moved) <= 600


def config(folder: Path, microphone: str) -> Config:
    path = folder / "guard.yaml"
    path.write_text(
        "site: s\ndevice: d\nmqtt: {host: 127.0.0.1}\n"
        "cameras: {hall: {url: 'rtsp://192.0.2.1/a'}, shop: {url: 'file://a.mp4', pace: fast}}\n"
        f"microphones: {{mic: {{url: 'rtsp://192.0.2.1/a', {microphone}}}}}\n"
    )
    (folder / "a.mp4").touch()
    return load(path)


@pytest.mark.parametrize(
    ("microphone", "pairs"),
    [
        ("camera: hall", 1),
        ("camera: hall, sync_limit_ms: 0", 0),
        ("camera: hall, enabled: false", 0),
        ("camera: shop", 0),
        ("speech: true", 0),
    ],
)
def test_pairs_are_microphones_with_a_camera_in_the_same_time(
    tmp_path: Path, board: HealthBoard, microphone: str, pairs: int
) -> None:
    syncing_of(config(tmp_path, microphone), board)
    assert len(board.report()) == pairs


class Drifting(Syncing):
    """One that finds a drift in the first chunk."""

    def heard(self, chunk: AudioChunk) -> list[Observation]:
        return [Observation(DRIFT, chunk.source, chunk.end_ns, chunk.end_ns, 1.0, Phase.BEGAN)]

    def drift(self, microphone: str) -> str | None:
        return "800 ms behind the picture of hall"


def test_the_hearing_stage_passes_a_drift_on_and_is_degraded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stage = HearingStage(
        bench.chunks,
        bench.observations,
        bench.stage._ears,
        bench.part,
        bench.clock,
        syncing=Drifting(),
    )
    stage.open()
    bench.chunks.put(AudioChunk("hall", 0, 0, 0, 0, np.zeros(1600, np.float32), 16_000))
    stage.step()
    assert [seen.kind for seen in bench.observations.get_all(0)] == [DRIFT]
    assert bench.part.state is State.DEGRADED
    assert bench.part.reason == "microphone hall: 800 ms behind the picture of hall"
