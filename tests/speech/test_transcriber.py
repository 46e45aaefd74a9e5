from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.speech import FakeRecogniser, FakeVad, SherpaRecogniser, SileroVad, Transcriber
from edgeguard.speech.recogniser import RecogniserStream, Transcript
from edgeguard.types import Utterance
from tests.support.sound import START_NS, UTC_OFFSET_NS, Sound, at, chunks, join, silence, speech, tone

HELP, FIRE = tone(1000, 0.3), tone(2000, 0.3)


def transcribe(transcriber: Transcriber, sound: Sound, size: int = 1600) -> list[Utterance]:
    return [u for chunk in chunks(sound, size) for u in transcriber.accept(chunk)]


def finals(utterances: list[Utterance]) -> list[Utterance]:
    return [u for u in utterances if u.final]


class Ear(RecogniserStream):
    """A recogniser that keeps what it was given."""

    def __init__(self) -> None:
        self.heard: list[Sound] = []

    def stream(self) -> RecogniserStream:
        self.heard.append(np.zeros(0, np.float32))
        return self

    def feed(self, samples: Sound) -> None:
        self.heard[-1] = join(self.heard[-1], samples)

    def end(self) -> None:
        pass

    def decode(self) -> None:
        pass

    def poll(self) -> list[Transcript]:
        return []


@pytest.mark.parametrize("size", [480, 1600, 64_000])
def test_token_times_are_on_the_sources_clock(ctc: SherpaRecogniser, size: int) -> None:
    transcriber = Transcriber("gate", ctc, FakeVad())
    sound = join(silence(3), HELP, silence(0.2), FIRE, silence(2), FIRE, silence(2))
    first, second = finals(transcribe(transcriber, sound, size))
    assert (first.source, first.text, first.tokens) == ("gate", "help fire", (" help", " fire"))
    assert first.token_pts_ns == pytest.approx([at(3.0), at(3.5)], abs=120_000_000)
    assert (first.start_pts_ns, first.end_pts_ns) == (first.token_pts_ns[0], first.token_pts_ns[-1])
    assert first.utc_ns == first.start_pts_ns + UTC_OFFSET_NS
    assert second.text == "fire"
    assert second.start_pts_ns == pytest.approx(at(5.8), abs=120_000_000)


def test_partials_come_while_the_sentence_grows(ctc: SherpaRecogniser) -> None:
    transcriber = Transcriber("gate", ctc, FakeVad())
    utterances = transcribe(transcriber, join(silence(1), HELP, silence(0.3), FIRE, silence(2)))
    assert [(u.text, u.final) for u in utterances] == [
        ("help", False),
        ("help fire", False),
        ("help fire", True),
    ]


def test_a_partial_that_grows_no_more_settles_once_and_early(ctc: SherpaRecogniser) -> None:
    transcriber = Transcriber("gate", ctc, FakeVad(min_silence_s=1.0), settle_s=0.3)
    told = [
        (chunk, u) for chunk in chunks(join(silence(1), HELP, silence(3))) for u in transcriber.accept(chunk)
    ]
    settled = [(chunk, u) for chunk, u in told if u.settled]
    assert [(u.text, u.final, u.settled) for _, u in told] == [
        ("help", False, False),
        ("help", False, True),
        ("help", True, False),
    ]
    assert at(1.3) < settled[0][0].end_ns < at(1.3 + 0.5)


class Halved:
    """Takes half of the loudness, and holds the latest 100 samples back."""

    def __init__(self) -> None:
        self.begun = 0
        self._held = np.zeros(0, np.float32)

    def begin(self) -> None:
        self.begun += 1
        self._held = np.zeros(0, np.float32)

    def clean(self, samples: Sound) -> Sound:
        held = join(self._held, samples)
        self._held = held[max(len(held) - 100, 0) :]
        return (held[: max(len(held) - 100, 0)] / 2).astype(np.float32)

    def flush(self) -> Sound:
        return (self._held / 2).astype(np.float32)


def test_what_is_denoised_is_heard_whole_and_by_the_recogniser_alone() -> None:
    plain, cleaned = Ear(), Ear()
    sound = join(silence(1), HELP, silence(2), FIRE, silence(2))
    transcribe(Transcriber("gate", plain, FakeVad()), sound)
    denoiser = Halved()
    transcribe(Transcriber("gate", cleaned, FakeVad(), denoiser=denoiser), sound)
    assert denoiser.begun == 2
    for one, other in zip(plain.heard, cleaned.heard, strict=True):
        np.testing.assert_allclose(other, one / 2)


def test_a_denoiser_can_be_done_without() -> None:
    ear, denoiser = Ear(), Halved()
    transcriber = Transcriber("gate", ear, FakeVad(), denoiser=denoiser)
    transcriber.denoise = False
    transcribe(transcriber, join(silence(1), HELP, silence(2)))
    assert denoiser.begun == 0
    assert np.abs(ear.heard[0]).max() > 0.2


def test_the_recogniser_hears_speech_from_the_pre_roll_on_and_nothing_else() -> None:
    ear = Ear()
    noise = np.random.default_rng(0).uniform(-0.005, 0.005, 3 * 16_000).astype(np.float32)
    sound = join(noise, HELP, silence(2), FIRE, silence(2))
    transcribe(Transcriber("gate", ear, FakeVad(min_silence_s=0.5), pre_roll_s=0.3), sound)
    first, second = ear.heard
    np.testing.assert_array_equal(first[: 4800 + len(HELP)], join(noise[-4800:], HELP))
    np.testing.assert_array_equal(second[: 4800 + len(FIRE)], join(silence(0.3), FIRE))
    assert len(first) < 4800 + len(HELP) + 0.7 * 16_000


def test_the_pre_roll_never_repeats_what_was_heard_already() -> None:
    ear = Ear()
    sound = join(HELP, silence(0.15), FIRE, silence(1))
    transcribe(Transcriber("gate", ear, FakeVad(min_silence_s=0.1), pre_roll_s=0.3), sound)
    assert len(ear.heard) == 2
    assert sum(len(heard) for heard in ear.heard) <= len(sound)


def test_microphones_share_one_recogniser(ctc: SherpaRecogniser) -> None:
    gate, yard = Transcriber("gate", ctc, FakeVad()), Transcriber("yard", ctc, FakeVad())
    heard = []
    pair = zip(
        chunks(join(silence(1), HELP, silence(1))), chunks(join(silence(1), FIRE, silence(1))), strict=True
    )
    for one, other in pair:
        heard += finals(gate.accept(one) + yard.accept(other))
    assert [(u.source, u.text) for u in heard] == [("gate", "help"), ("yard", "fire")]


def test_finishing_gives_the_final_and_begins_afresh(ctc: SherpaRecogniser) -> None:
    transcriber = Transcriber("gate", ctc, FakeVad())
    assert finals(transcribe(transcriber, join(silence(1), HELP))) == []
    assert [u.text for u in transcriber.finish()] == ["help"]
    assert transcriber.finish() == []
    assert [u.text for u in finals(transcribe(transcriber, join(silence(1), FIRE, silence(1))))] == ["fire"]


def test_a_real_voice_opens_the_recognisers_ear(silero: Path, ctc: SherpaRecogniser, models: Path) -> None:
    voice = speech("good evening everybody", models)
    whistling = join(voice[:16_000], HELP, voice[16_000 + len(HELP) :])
    sound = join(silence(2), FIRE, silence(2), whistling, silence(2))
    (utterance,) = finals(transcribe(Transcriber("gate", ctc, SileroVad(silero)), sound))
    assert utterance.text == "help"
    assert utterance.start_pts_ns == pytest.approx(at(5.3), abs=200_000_000)


def test_the_fake_recogniser_follows_its_script() -> None:
    transcriber = Transcriber("gate", FakeRecogniser(["stay", "back"]), FakeVad())
    (utterance,) = finals(transcribe(transcriber, join(silence(1), tone(300, 0.7), silence(1))))
    assert utterance.text == "stay back"
    assert utterance.token_pts_ns == pytest.approx([at(1.25), at(1.5)], abs=20_000_000)


def test_tokens_and_times_must_pair_up() -> None:
    with pytest.raises(ValueError, match="1 tokens have 0 times"):
        Utterance("gate", "help", (" help",), (), None, True, START_NS, START_NS, START_NS)
