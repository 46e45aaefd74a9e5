from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeguard.models import FakeSession, OnnxSession
from edgeguard.speech import TAGS, SoundTagger, TagSpec
from edgeguard.speech.sounds import HOP, WINDOW, TagLife
from edgeguard.types import Phase, SoundTag
from tests.support.sound import Sound, at, chunks, join, read_wav, silence, tone

LABELS = ("Speech", "Bark", "Dog", "Siren")
DOG = TagSpec("dog", ("Dog", "Bark"), 0.5)
SIREN = TagSpec("siren", ("Siren",), 0.5, min_duration_s=1.9)
NOISE = tone(700, 12, 0.1)
HOP_NS, WINDOW_NS = HOP * 62_500, WINDOW * 62_500


def scripted(scores: Sequence[Sequence[float]]) -> FakeSession:
    script = [{"scores": np.array([row], np.float32)} for row in scores]
    return FakeSession({"waveform": (WINDOW,)}, script)


def barking(*confidences: float) -> FakeSession:
    return scripted([(0.9, confidence, 0, 0) for confidence in confidences])


def hear(tagger: SoundTagger, sound: Sound, size: int = 1600) -> list[SoundTag]:
    return [tag for chunk in chunks(sound, size) for tag in tagger.accept(chunk)]


def windows(count: int) -> Sound:
    """Sound that fills so many windows."""
    return NOISE[: WINDOW + (count - 1) * HOP]


def test_a_sound_begins_goes_on_and_ends() -> None:
    tagger = SoundTagger(barking(0.1, 0.6, 0.4, 0.1, 0.1, 0.1), LABELS, [DOG], release_s=1)
    heard = hear(tagger, windows(6))
    assert [(tag.phase, round(tag.confidence, 1), tag.threshold) for tag in heard] == [
        (Phase.BEGAN, 0.6, 0.5),
        (Phase.CONTINUES, 0.4, 0.3),
        (Phase.ENDED, 0.6, 0.5),
    ]
    start_ns = at(0) + HOP_NS
    assert {tag.start_pts_ns for tag in heard} == {start_ns}
    assert [tag.end_pts_ns for tag in heard] == [
        start_ns + WINDOW_NS,
        start_ns + HOP_NS + WINDOW_NS,
        start_ns + HOP_NS + WINDOW_NS,
    ]


def test_where_a_rival_is_surer_there_is_no_tag() -> None:
    tag = TagSpec("explosion", ("Bark",), 0.5, rivals=("Dog",))
    scores = [(0, bark, dog, 0) for bark, dog in ((0.6, 0.7), (0.7, 0.6), (0.6, 0.7))]
    heard = hear(SoundTagger(scripted(scores), LABELS, [tag]), windows(3))
    assert [(one.phase, round(one.confidence, 1)) for one in heard] == [(Phase.BEGAN, 0.7)]


def test_the_surest_class_of_a_tag_counts() -> None:
    tagger = SoundTagger(scripted([(0, 0.2, 0.7, 0)]), LABELS, [DOG])
    assert [tag.confidence for tag in hear(tagger, windows(1))] == pytest.approx([0.7])


def test_a_short_sound_does_not_count_where_a_long_one_is_wanted() -> None:
    tagger = SoundTagger(scripted([(0, 0, 0, 0.8)] * 2 + [(0, 0, 0, 0)]), LABELS, [SIREN], release_s=1)
    assert hear(tagger, windows(9)) == []


def test_a_long_sound_counts_once_it_is_long_enough() -> None:
    tagger = SoundTagger(scripted([(0, 0, 0, 0.8)]), LABELS, [SIREN])
    began, *rest = hear(tagger, windows(4))
    assert began.phase is Phase.BEGAN
    assert began.end_pts_ns - began.start_pts_ns == WINDOW_NS + 2 * HOP_NS
    assert [tag.phase for tag in rest] == [Phase.CONTINUES]


@pytest.mark.parametrize("size", [160, 1600, 7800, 50_000])
def test_windows_do_not_depend_on_the_size_of_chunks(size: int) -> None:
    session = barking(0.1)
    hear(SoundTagger(session, LABELS, [DOG]), windows(7), size)
    assert session.calls == 7
    np.testing.assert_array_equal(session.last_feeds["waveform"], windows(7)[-WINDOW:])


def test_silence_costs_no_inference() -> None:
    session = barking(0.1)
    hear(SoundTagger(session, LABELS, [DOG]), silence(10))
    assert session.calls == 0


def test_a_sound_ends_in_silence() -> None:
    tagger = SoundTagger(barking(0.8), LABELS, [DOG])
    assert [tag.phase for tag in hear(tagger, join(windows(1), silence(5)))][-1] is Phase.ENDED


def test_finishing_hears_the_rest_ends_the_sound_and_begins_afresh() -> None:
    session = barking(0.8)
    tagger = SoundTagger(session, LABELS, [DOG])
    assert hear(tagger, NOISE[:8000]) == []
    began, ended = tagger.finish()
    assert (began.phase, ended.phase) == (Phase.BEGAN, Phase.ENDED)
    assert (began.start_pts_ns, ended.end_pts_ns) == (at(0), at(0.5))
    assert tagger.finish() == []
    np.testing.assert_array_equal(
        session.last_feeds["waveform"], join(NOISE[:8000], np.zeros(7600, np.float32))
    )


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"siren names classes that the model does not have: \['Siren'\]"):
        SoundTagger(barking(0), LABELS[:3], [DOG, SIREN])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=60), st.floats(0, 3))
def test_a_life_begins_and_ends_in_turn(confidences: list[float], min_duration_s: float) -> None:
    life = TagLife(TagSpec("dog", (), 0.5, min_duration_s), 0.3, 1_000_000_000)
    told = []
    for i, confidence in enumerate(confidences):
        told += life.update(confidence, i * HOP_NS, i * HOP_NS + WINDOW_NS)
    told += life.finish()
    went_on = False
    for tag in told:
        assert went_on == (tag.phase is not Phase.BEGAN)
        went_on = tag.phase is not Phase.ENDED
        assert tag.confidence >= tag.threshold
        assert tag.end_pts_ns - tag.start_pts_ns >= min_duration_s * 1e9 - 1
    assert not went_on


@pytest.fixture(scope="module")
def yamnet(mirror: Path) -> OnnxSession:
    return OnnxSession(mirror / "models/audio/yamnet.onnx", "yamnet")


@pytest.fixture(scope="module")
def labels(mirror: Path) -> list[str]:
    return (mirror / "models/audio/yamnet_label_list.txt").read_text().splitlines()


def began(tagger: SoundTagger, sound: Sound) -> set[str]:
    tags = hear(tagger, sound) + tagger.finish()
    return {tag.tag for tag in tags if tag.phase is Phase.BEGAN}


@pytest.mark.parametrize(
    ("clip", "tags"),
    [
        ("glass_break_1", {"glass"}),
        ("glass_break_2", {"glass"}),
        ("scream", {"scream"}),
        ("gunshots", {"gunshot", "explosion"}),
        ("explosion", {"gunshot", "explosion"}),
        ("synth_smoke_alarm_t3_3100hz", {"smoke_alarm"}),
        ("synth_fire_alarm_t3_520hz", {"smoke_alarm"}),
        ("dog", {"dog"}),
        ("thunder", set()),
        ("applause", set()),
        ("car_horn", set()),
        ("crowd_cheering", set()),
        ("fire_crackle", set()),
        ("train", set()),
    ],
)
def test_what_yamnet_makes_of_recordings(
    yamnet: OnnxSession, labels: list[str], mirror: Path, clip: str, tags: set[str]
) -> None:
    sound = read_wav(mirror / f"data/audio/events/{clip}.wav")
    assert began(SoundTagger(yamnet, labels), join(silence(0.5), sound)) == tags


@pytest.mark.parametrize("shift", [0, 2600, 5200])
def test_noise_and_speech_have_no_tag(
    yamnet: OnnxSession, labels: list[str], mirror: Path, shift: int
) -> None:
    tagger = SoundTagger(yamnet, labels)
    for folder in ("noise", "speech", "speech/fsdd"):
        for clip in sorted((mirror / "data/audio" / folder).glob("*.wav")):
            sound = join(np.zeros(shift, np.float32), read_wav(clip))
            assert began(tagger, sound) == set(), clip.name


def test_every_tag_is_known_to_yamnet(labels: list[str]) -> None:
    assert {name for spec in TAGS for name in (*spec.classes, *spec.rivals)} <= set(labels)
