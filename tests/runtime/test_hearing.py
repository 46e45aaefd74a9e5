from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.models import ModelStore, load_catalog
from edgeguard.runtime import hearing
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.ears import Ear, EarMaker, SoundChoice
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.hearing import HearingStage
from edgeguard.runtime.mind import Mind
from edgeguard.runtime.words import SpeechChoice
from edgeguard.speech import Endpointing, SoundRule
from edgeguard.synth import Scene
from edgeguard.types import AudioChunk, Observation, Phase


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "STEP_S", 0.001)


class Bench:
    """One microphone that hears the smoke alarm of the drawn hall, over and over."""

    def __init__(self, folder: Path, *mirrors: Path) -> None:
        self.clock = ManualClock()
        self.board = HealthBoard(self.clock)
        self.chunks: Channel[AudioChunk] = Channel(100)
        self.observations: Channel[Observation] = Channel(1000)
        maker = EarMaker(
            [Ear("hall", True, True, [], [SoundRule("fire", ("smoke_alarm",))])],
            SpeechChoice("zipformer-en-20m", "silero-vad", {}, Endpointing(), ("help",), 1),
            SoundChoice("yamnet", {}, 0.0),
            load_catalog(),
            ModelStore(folder, mirrors),
            Mind(None, self.board.part("understanding")),
            (self.board.part("speech"), self.board.part("sounds")),
            self.clock,
        )
        self.part = self.board.part("hearing")
        self.stage = HearingStage(self.chunks, self.observations, maker, self.part, self.clock)
        self.sequence = 0

    def hear(self, samples: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[Observation]:
        for start in range(0, len(samples) - 1599, 1600):
            pts_ns = self.clock.now_ns
            chunk = samples[start : start + 1600]
            self.chunks.put(AudioChunk("hall", self.sequence, pts_ns, pts_ns, pts_ns, chunk, 16_000))
            self.sequence += 1
            self.clock.advance(0.1)
            self.stage.step()
        return self.observations.get_all(0)


def test_what_has_no_model_is_off_and_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stage.open()
    assert bench.hear(np.zeros(3200, np.float32)) == []
    assert bench.part.state is State.OK
    for name in ("speech", "sounds"):
        part = bench.board.part(name)
        assert part.state is State.OFF
        assert "models" in str(part.reason)


def test_looking_for_a_missing_model_disturbs_nothing_that_is_heard(tmp_path: Path, mirror: Path) -> None:
    bench = Bench(tmp_path, mirror)
    bench.stage.open()
    assert bench.board.part("speech").state is State.OFF
    alarm = Scene.open("scene://hall").sound(30 * 16_000, 6 * 16_000)
    heard = bench.hear(np.tile(alarm, 25))
    assert bench.clock.now_ns > 2 * 60e9, "long enough to look twice"
    phases = [observation.phase for observation in heard]
    assert phases[0] is Phase.BEGAN
    assert set(phases[1:]) == {Phase.CONTINUES}
