"""One thread that hears many microphones, and what it does when it is late."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.runtime import hearing
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.ears import EarMaker
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.hearing import HearingStage
from edgeguard.runtime.strain import Strain
from edgeguard.speech import (
    Effort,
    FakeVad,
    Limits,
    Listener,
    MicrophoneCheck,
    PhraseMatcher,
    SherpaRecogniser,
    Transcriber,
)
from edgeguard.types import AudioChunk, Observation, Phase
from tests.support.sound import Sound, at, chunks, join, silence, tone
from tests.support.tone_models import tone_ctc

HELP, FIRE = tone(1000, 0.3), tone(2000, 0.3)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "STEP_S", 0.001)


@pytest.fixture(scope="module")
def ctc(tmp_path_factory: pytest.TempPathFactory) -> SherpaRecogniser:
    files = tone_ctc(Path(tmp_path_factory.mktemp("models")), {1000: "▁help", 2000: "▁fire"})
    return SherpaRecogniser.from_nemo_ctc(files.tokens, files.model)


class Ears:
    """What a stage needs of an EarMaker, with one recogniser for all microphones."""

    def __init__(self, recogniser: SherpaRecogniser, names: list[str], clock: ManualClock) -> None:
        self.recogniser = recogniser
        self.loads = [False]
        self.batches: list[int] = []
        self._names = names
        self._clock = clock

    def load(self, _live: Callable[[], object]) -> bool:
        return self.loads.pop() if self.loads else False

    def listeners(self) -> dict[str, Listener]:
        return {name: self._listener(name) for name in self._names}

    def decode(self) -> None:
        self.recogniser.decode()

    def _listener(self, name: str) -> Listener:
        return Listener(
            name,
            self._clock,
            transcriber=Transcriber(name, self.recogniser, FakeVad(), settle_s=0.3),
            matcher=PhraseMatcher(["help", "fire"]),
            check=MicrophoneCheck(Limits(after_s=3, clear_s=1)),
            keep_text=True,
        )


class Bench:
    def __init__(self, ctc: SherpaRecogniser, names: list[str], strain: Strain | None = None) -> None:
        self.clock = ManualClock(now_ns=at(0))
        self.board = HealthBoard(self.clock)
        self.chunks: Channel[AudioChunk] = Channel(50 * len(names))
        self.observations: Channel[Observation] = Channel(10_000)
        self.ears = Ears(ctc, names, self.clock)
        self.parts = {name: self.board.part(f"microphone/{name}") for name in names}
        self.part = self.board.part("hearing")
        self.stage = HearingStage(
            self.chunks,
            self.observations,
            cast(EarMaker, self.ears),
            self.part,
            self.clock,
            strain=strain,
            microphones=self.parts,
        )
        self.stage.open()

    def hear(self, sounds: dict[str, Sound], each: Callable[[], object] = lambda: None) -> list[Observation]:
        rows = zip(*(chunks(sound, source=name) for name, sound in sounds.items()), strict=True)
        for row in rows:
            for chunk in row:
                self.chunks.put(chunk)
            self.clock.advance(0.1)
            self.stage.step()
            each()
        while not self.stage.idle:
            self.stage.step()
        return self.observations.get_all(0)


def told(observations: list[Observation], source: str) -> list[tuple[Any, ...]]:
    return [(o.kind, o.text, o.pts_ns, o.phase) for o in observations if o.source == source]


def scripts(count: int) -> dict[str, Sound]:
    random = np.random.default_rng(8)
    names = [f"mic{i}" for i in range(count)]
    noise = random.normal(0, 0.0003, (count, 8 * 16_000)).astype(np.float32)
    found = {}
    for i, name in enumerate(names):
        words = [HELP if word else FIRE for word in random.integers(0, 2, 3)]
        sound = join(silence(0.4 + 0.17 * i), *(join(word, silence(0.9)) for word in words))
        found[name] = join(sound, silence(8 - len(sound) / 16_000))[: 8 * 16_000] + noise[i]
    return found


def test_eight_microphones_in_one_thread_hear_what_each_hears_alone(ctc: SherpaRecogniser) -> None:
    sounds = scripts(8)
    together = Bench(ctc, list(sounds)).hear(sounds)
    for name, sound in sounds.items():
        alone = Bench(ctc, [name]).hear({name: sound})
        assert sum(o.kind == "keyword" for o in alone) == 3
        assert told(together, name) == told(alone, name)


def test_streams_are_decoded_in_batches(ctc: SherpaRecogniser, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = ctc._recognizer

    class Counting:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def decode_streams(self, streams: list[Any]) -> None:
            sizes.append(len(streams))
            real.decode_streams(streams)

    monkeypatch.setattr(ctc, "_recognizer", Counting())
    sounds = {f"mic{i}": join(silence(1), HELP, silence(1)) for i in range(8)}
    Bench(ctc, list(sounds)).hear(sounds)
    assert max(sizes) == 8


def test_who_is_late_gives_up_words_and_says_so_and_takes_them_up_again(ctc: SherpaRecogniser) -> None:
    bench = Bench(ctc, ["gate"], Strain(hold_s=5.0))
    bench.hear({"gate": join(silence(1), HELP, silence(1))})
    late = list(chunks(join(HELP, silence(1)), sequence=100))
    bench.clock.advance(30)
    for chunk in late:
        bench.chunks.put(chunk)
    seen = []
    for _ in range(40):
        bench.clock.advance(1.1)
        bench.stage.step()
        seen.append((bench.part.state, bench.part.counters["effort"], bench.part.reason))
    efforts = [effort for _, effort, _ in seen]
    assert list(dict.fromkeys(efforts)) == ["words", "sounds", "nothing", "all"]
    worst = next(reason for _, effort, reason in seen if effort == "nothing")
    assert worst == "the processor is short: sentences, keywords and sounds are given up"
    assert {state for state, effort, _ in seen if effort != "all"} == {State.DEGRADED}
    assert seen[-1] == (State.OK, "all", None)
    assert bench.stage._effort is Effort.ALL


def test_a_broken_microphone_is_observed_and_shown(ctc: SherpaRecogniser) -> None:
    bench = Bench(ctc, ["gate"])
    states = []
    noise = np.random.default_rng(2).normal(0, 0.001, 6 * 16_000).astype(np.float32)
    heard = bench.hear(
        {"gate": join(silence(5), noise)}, lambda: states.append((bench.part.state, bench.part.reason))
    )
    faults = [o for o in heard if o.kind == "microphone_fault"]
    assert [(o.label, o.phase) for o in faults] == [("dead", Phase.BEGAN), ("dead", Phase.ENDED)]
    assert (State.DEGRADED, "microphone gate: dead") in states
    assert states[-1] == (State.OK, None)
    assert bench.parts["gate"].report()["level_dbfs"] == pytest.approx(-60, abs=1)


def test_sound_that_was_dropped_is_counted_where_it_is_missed(ctc: SherpaRecogniser) -> None:
    bench = Bench(ctc, ["gate"])
    for chunk in chunks(silence(8)):
        bench.chunks.put(chunk)
    while not bench.stage.idle:
        bench.stage.step()
    assert bench.part.counters["chunks_dropped"] == 30
    for chunk in chunks(silence(1), sequence=85, start_ns=at(8.5)):
        bench.chunks.put(chunk)
    while not bench.stage.idle:
        bench.stage.step()
    assert bench.parts["gate"].counters["chunks_missed"] == 5
    assert bench.part.counters["holes"] == 1


def test_nothing_is_heard_twice_when_a_model_comes_or_the_stage_starts_anew(ctc: SherpaRecogniser) -> None:
    bench = Bench(ctc, ["gate"])
    bench.ears.loads = [True]
    row = list(chunks(join(silence(1), HELP, silence(0.6), FIRE, silence(2))))
    for chunk in row[:16]:
        bench.chunks.put(chunk)
    while not bench.stage.idle:
        bench.stage.step()
    bench.clock.advance(61)
    bench.stage.step()
    assert bench.ears.loads == []
    bench.stage.close()
    bench.stage.open()
    for chunk in row[16:]:
        bench.chunks.put(chunk)
    while not bench.stage.idle:
        bench.stage.step()
    words = [(o.kind, o.text) for o in bench.observations.get_all(0) if o.kind in ("keyword", "utterance")]
    assert words == [("keyword", "help"), ("utterance", "help"), ("keyword", "fire"), ("utterance", "fire")]
