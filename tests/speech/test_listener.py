from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import ManualClock
from edgeguard.models import FakeSession, OnnxSession
from edgeguard.speech import (
    Effort,
    FakeRecogniser,
    FakeVad,
    FaultRule,
    IntentRule,
    KeywordRule,
    Limits,
    Listener,
    MicrophoneCheck,
    PhraseMatcher,
    SherpaRecogniser,
    SileroVad,
    SoundRule,
    SoundTagger,
    TagSpec,
    Transcriber,
    Understanding,
)
from edgeguard.speech.sounds import WINDOW
from edgeguard.speech.understanding.intents import shipped
from edgeguard.types import AudioChunk, Measure, Observation, Phase
from tests.support.sound import START_NS, Sound, at, chunks, join, read_wav, silence, speech, tone

CALLS = KeywordRule("calls", ("stay back",))
DOGS = SoundRule("dogs", ("dog",))
VOICE = tone(300, 1.1)


class TickingClock(ManualClock):
    """Moves on by a millisecond whenever it is read."""

    def monotonic_ns(self) -> int:
        self.advance(0.001)
        return super().monotonic_ns()


def talk() -> Transcriber:
    return Transcriber("gate", FakeRecogniser(["now", "stay", "back", "there"] * 2), FakeVad())


def tagger(confidence: float = 0.8) -> SoundTagger:
    session = FakeSession({"waveform": (WINDOW,)}, [{"scores": np.array([[confidence]], np.float32)}])
    return SoundTagger(session, ["Dog"], [TagSpec("dog", ("Dog",), 0.5)])


def listen(listener: Listener, sound: Iterable[AudioChunk]) -> list[Observation]:
    return [seen for chunk in sound for seen in listener.accept(chunk)]


def kinds(observations: list[Observation]) -> list[str]:
    return [seen.kind for seen in observations]


def hearing(*sound: Sound) -> list[AudioChunk]:
    return list(chunks(join(*sound)))


def test_a_keyword_is_observed_before_the_sentence_is_over() -> None:
    listener = Listener(
        "gate",
        TickingClock(),
        transcriber=talk(),
        matcher=PhraseMatcher(CALLS.phrases),
        keyword_rules=[CALLS],
        keep_text=True,
    )
    keyword, utterance = listen(listener, hearing(silence(1), VOICE, silence(1)))
    assert (keyword.kind, keyword.rule, keyword.label) == ("keyword", "calls", "stay back")
    assert keyword.text == "stay back"
    assert keyword.pts_ns == pytest.approx(at(1.75), abs=20_000_000)
    assert (utterance.kind, utterance.rule, utterance.text) == ("utterance", None, "now stay back there")
    assert (keyword.sequence, utterance.sequence) == (19, 25)


def test_what_is_meant_is_observed_and_the_rest_of_what_is_said_is_not_kept() -> None:
    said = ["my", "code", "is", "1", "2", "3", "4", "5", "he", "has", "a", "gun", "now", "and", "here"]
    transcriber = Transcriber("gate", FakeRecogniser(said), FakeVad())
    rules = [IntentRule("armed", ("weapon",), 0.9), IntentRule("surer", None, 0.99)]
    listener = Listener(
        "gate",
        TickingClock(),
        transcriber=transcriber,
        understanding=Understanding(shipped()),
        intent_rules=rules,
    )
    intent, utterance = listen(listener, hearing(silence(1), tone(300, 4.0), silence(1)))
    assert (intent.kind, intent.label, intent.rule, intent.confidence) == ("intent", "weapon", "armed", 0.95)
    assert intent.text == "[number] he has a gun now"
    assert Measure("said: he has a gun", 0.95) in intent.measures
    assert (utterance.kind, utterance.text) == ("utterance", None)


def test_stages_tell_how_long_hearing_took() -> None:
    listener = Listener("gate", TickingClock(), tagger=tagger(), sound_rules=[DOGS])
    seen = listen(listener, hearing(VOICE))[0]
    stages = seen.stages
    assert stages.arrived_ns == START_NS + 1_000_000_000
    assert stages.infer_start_ns is not None
    assert stages.infer_end_ns == stages.infer_start_ns + 1_000_000
    assert stages.ruled_ns == stages.infer_start_ns + 2_000_000


def test_a_sound_is_observed_as_it_begins_goes_on_and_ends() -> None:
    listener = Listener("gate", TickingClock(), tagger=tagger(), sound_rules=[DOGS])
    observations = listen(listener, hearing(tone(700, 2), silence(4)))
    assert {(seen.kind, seen.rule, seen.label) for seen in observations} == {("sound", "dogs", "dog")}
    phases = [seen.phase for seen in observations]
    assert (phases[0], phases[-1]) == (Phase.BEGAN, Phase.ENDED)
    assert set(phases[1:-1]) == {Phase.CONTINUES}


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, []),
        ({"tagger": tagger()}, ["sound", "sound", "sound"]),
        ({"transcriber": talk()}, ["utterance"]),
        ({"transcriber": talk(), "matcher": PhraseMatcher(["stay back"])}, ["keyword", "utterance"]),
    ],
)
def test_the_parts_that_are_there_carry_on(parts: dict, expected: list[str]) -> None:  # type: ignore[type-arg]
    listener = Listener("gate", TickingClock(), **parts)
    sound = hearing(VOICE)
    assert kinds(listen(listener, sound) + listener.finish()) == expected
    assert listener.finish() == []


def without(sound: list[AudioChunk], dropped: range) -> list[AudioChunk]:
    return [chunk for chunk in sound if chunk.sequence not in dropped]


def late(sound: list[AudioChunk], since: int) -> list[AudioChunk]:
    """The source was opened anew a minute later."""
    return [replace(c, pts_ns=c.pts_ns + 60_000_000_000) if c.sequence >= since else c for c in sound]


@pytest.mark.parametrize(("hole", "rest"), [("drop", "back"), ("reopened", "back there")])
def test_a_hole_ends_what_is_under_way_and_is_counted(hole: str, rest: str) -> None:
    whole = hearing(silence(1), VOICE, silence(1))
    sound = without(whole, range(15, 18)) if hole == "drop" else late(whole, 15)
    listener = Listener("gate", TickingClock(), transcriber=talk(), tagger=tagger(), keep_text=True)
    before = listen(listener, sound[:15])
    at_hole = listener.accept(sound[15])
    assert listener.holes == 1
    assert (kinds(before), kinds(at_hole)) == (["sound"], ["utterance", "sound", "sound"])
    assert at_hole[0].text == "now stay"
    assert at_hole[-1].phase is Phase.ENDED
    assert {seen.sequence for seen in at_hole} == {14}
    texts = [seen.text for seen in listen(listener, sound[16:]) if seen.kind == "utterance"]
    assert texts == [rest]
    assert listener.holes == 1


def test_half_a_phrase_before_a_hole_is_not_completed_after_it() -> None:
    listener = Listener("gate", TickingClock(), transcriber=talk(), matcher=PhraseMatcher(["now stay"]))
    observations = listen(listener, without(hearing(silence(1), VOICE, silence(1)), range(14, 16)))
    assert "keyword" not in kinds(observations)


def test_a_tremble_in_time_is_no_hole() -> None:
    sound = [replace(c, pts_ns=c.pts_ns + (-1) ** c.sequence * 5_000_000) for c in hearing(VOICE)]
    listener = Listener("gate", TickingClock(), tagger=tagger())
    listen(listener, sound)
    assert listener.holes == 0


def test_real_models_hear_a_call_and_breaking_glass(
    mirror: Path, silero: Path, ctc: SherpaRecogniser, models: Path
) -> None:
    voice = speech("good evening everybody", models)
    call = join(voice[:8_000], tone(1000, 0.3), silence(0.1), tone(2000, 0.3), voice[8_000:])
    glass = read_wav(mirror / "data/audio/events/glass_break_2.wav")
    audio = mirror / "models/audio"
    session = OnnxSession(audio / "yamnet.onnx", "yamnet")
    listener = Listener(
        "gate",
        TickingClock(),
        transcriber=Transcriber("gate", ctc, SileroVad(silero)),
        matcher=PhraseMatcher(["help fire"]),
        tagger=SoundTagger(session, (audio / "yamnet_label_list.txt").read_text().splitlines()),
        keyword_rules=[KeywordRule("calls", ("help fire",))],
        sound_rules=[SoundRule("break-in", ("glass",))],
    )
    sound = hearing(silence(2), call, silence(2), glass, silence(4))
    observations = listen(listener, sound) + listener.finish()
    (keyword,) = [seen for seen in observations if seen.kind == "keyword"]
    assert (keyword.rule, keyword.label) == ("calls", "help fire")
    assert keyword.pts_ns == pytest.approx(at(2.9), abs=300_000_000)
    glass_start_s = 4 + len(call) / 16_000
    began = [seen for seen in observations if seen.kind == "sound" and seen.phase is Phase.BEGAN]
    assert [(seen.rule, seen.label) for seen in began] == [("break-in", "glass")]
    assert at(glass_start_s - 1) < began[0].pts_ns < at(glass_start_s + 0.5)
    ends = [seen.phase for seen in observations if seen.kind == "sound"][-1]
    assert ends is Phase.ENDED


def spotter() -> Transcriber:
    return Transcriber("gate", FakeRecogniser(["stay", "back"] * 4), FakeVad())


def test_where_there_is_a_spotter_it_alone_hears_phrases() -> None:
    listener = Listener(
        "gate",
        ManualClock(),
        transcriber=talk(),
        spotter=spotter(),
        matcher=PhraseMatcher(CALLS.phrases),
        keyword_rules=[CALLS],
    )
    heard = listen(listener, hearing(silence(1), VOICE, silence(1)))
    assert sorted(kinds(heard)) == ["keyword", "keyword", "utterance"]  # 1.1 s of voice are 2 words, twice
    assert {seen.text for seen in heard if seen.kind == "keyword"} == {"stay back"}


def test_sentences_are_given_up_first_then_phrases_then_sounds() -> None:
    listener = Listener(
        "gate",
        ManualClock(),
        transcriber=Transcriber("gate", FakeRecogniser(["now"] * 99), FakeVad()),
        spotter=Transcriber("gate", FakeRecogniser(["stay", "back"] * 99), FakeVad()),
        matcher=PhraseMatcher(CALLS.phrases),
        tagger=tagger(),
    )
    found = []
    sound = hearing(*[join(silence(1), VOICE, silence(1))] * 4)
    size = len(sound) // 4
    for i, effort in enumerate(Effort):
        ended = listener.limit(effort)
        found.append({seen.kind for seen in listen(listener, sound[i * size : (i + 1) * size])})
        if effort is Effort.NOTHING:
            assert [(seen.kind, seen.phase) for seen in ended] == [("sound", Phase.ENDED)]
    assert found == [{"utterance", "keyword", "sound"}, {"keyword", "sound"}, {"sound"}, set()]


def test_without_a_spotter_phrases_outlive_denoising_alone() -> None:
    transcriber = talk()
    listener = Listener("gate", ManualClock(), transcriber=transcriber, matcher=PhraseMatcher(CALLS.phrases))
    listener.limit(Effort.WORDS)
    assert not transcriber.denoise
    assert "keyword" in kinds(listen(listener, hearing(silence(1), VOICE, silence(1))))
    assert listener.limit(Effort.SOUNDS) == []
    assert listen(listener, list(chunks(join(silence(1), VOICE), sequence=31, start_ns=at(3.1)))) == []
    listener.limit(Effort.ALL)
    assert transcriber.denoise


def test_what_is_being_said_is_told_when_words_are_given_up() -> None:
    listener = Listener("gate", ManualClock(), transcriber=talk(), keep_text=True)
    listen(listener, hearing(silence(1), tone(300, 0.6)))
    assert [seen.text for seen in listener.limit(Effort.SOUNDS)] == ["now stay"]


def test_faults_of_the_microphone_are_observed_and_end_with_the_source() -> None:
    check = MicrophoneCheck(Limits(after_s=2.0))
    listener = Listener("gate", ManualClock(), check=check, fault_rules=[FaultRule("broken", None)])
    (began,) = listen(listener, hearing(silence(3)))
    assert (began.kind, began.rule, began.label, began.phase) == (
        "microphone_fault",
        "broken",
        "dead",
        Phase.BEGAN,
    )
    assert began.pts_ns == at(2)
    (ended,) = listener.finish()
    assert (ended.label, ended.phase) == ("dead", Phase.ENDED)
