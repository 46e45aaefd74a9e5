from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.models import ModelStore, load_catalog
from edgeguard.runtime import hearing
from edgeguard.runtime.assembly.changes import Change
from edgeguard.runtime.assembly.hearing import Hearing
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.coverage import NoCoverage
from edgeguard.runtime.ears import Ear, EarMaker, SoundChoice
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.hearing import HearingStage
from edgeguard.runtime.mind import Mind
from edgeguard.runtime.stage import StageThread
from edgeguard.runtime.syncing import Syncing
from edgeguard.runtime.words import SpeechChoice
from edgeguard.speech import Endpointing, SoundRule
from edgeguard.synth import Scene
from edgeguard.types import AudioChunk, Observation, Phase
from tests.config.trees import built, tree


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


def test_each_of_several_models_may_take_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    thread = StageThread(bench.stage, bench.part, bench.clock)
    beats_s: list[float] = []

    def slow(*_: object) -> None:
        beats_s.append(thread.beat_ns / 1e9)
        bench.clock.advance(200)

    for load in ("_load_words", "_load_sounds"):
        monkeypatch.setattr(EarMaker, load, slow)
    bench.stage.open()
    assert bench.clock.monotonic_ns() == 400 * 10**9
    assert (beats_s, thread.beat_ns) == ([0, 200], 400 * 10**9), "a sign of life after each"


def test_a_rule_that_waits_in_vain_is_a_fault_and_one_that_is_gone_is_none(tmp_path: Path) -> None:
    config = built(
        tree(
            cameras={},
            microphones={"hall": {"url": "alsa://default"}},
            speech={"keywords": [{"phrase": "help me"}], "model": "zipformer-en-20m"},
            rules=[{"kind": "sound", "name": "alarm", "tags": ["smoke_alarm"]}],
            models={"dir": str(tmp_path)},
            state_dir=str(tmp_path),
        )
    )
    board = HealthBoard(ManualClock())
    catalog, store = load_catalog(), ModelStore(tmp_path, ())
    ears = Hearing(config, ManualClock(), board, catalog, store, Channel(10), NoCoverage())
    ears._stage.open()
    speech, sounds = board.part("speech"), board.part("sounds")
    assert speech.state is State.OFF, "no rule asks for it"
    assert (sounds.state, sounds.code) == (State.DEGRADED, "model_unavailable")
    assert "edgeguard models pull yamnet" in str(sounds.reason)
    joined = {"kind": "together", "name": "both", "of": [{"kind": "keyword"}, {"kind": "source_lost"}]}
    after = config.model_copy(update={"rules": (), "patterns": built(tree(patterns=[joined])).patterns})
    ears.refit(after, Change(), Syncing())
    assert (speech.state, sounds.state) == (State.DEGRADED, State.OFF)


def test_sound_that_is_thrown_away_by_a_change_is_not_waited_for(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stage.open()
    bench.hear(np.zeros(3200, np.float32))
    bench.part.asked()
    bench.chunks.put(AudioChunk("hall", 9, 0, 0, 0, np.zeros(1600, np.float32), 16_000))
    bench.stage._ears.refit([])
    bench.stage.refit({"hall"}, {}, Syncing())
    bench.clock.advance(60)
    bench.stage.step()
    bench.board.look()
    assert bench.part.state is State.OK


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
