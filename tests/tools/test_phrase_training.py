"""What the starter model is trained on: texts, voices, places, and the features that sherpa-onnx sees."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import sherpa_onnx
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

from phrase_training import corpus, voices
from phrase_training.acoustics import Places, loudness, mixed, room, warped
from phrase_training.features import BINS, log_mel, other_pace, other_throat
from phrase_training.texts import PHRASES, Author, line, written

DICTIONARY = (
    "help HH EH1 L P\nkelp K EH1 L P\nyelp Y EH1 L P\nhello HH AH0 L OW1\nfire F AY1 ER0\nwire W AY1 ER0\n"
)


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    path = tmp_path / "words.dict"
    path.write_text(DICTIONARY)
    corpus._sounds.cache_clear()
    corpus.rivals.cache_clear()
    return path


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("help", ["help"]),
        ("helpful people", []),
        ("please somebody help me now", ["somebody help"]),
        ("help help me", ["help", "help me"]),
        ("he has a dog", []),
        ("call the office then call the police", ["call the police"]),
    ],
)
def test_only_phrases_are_written(said: str, expected: list[str]) -> None:
    assert [*written(said)] == expected


@given(st.lists(st.sampled_from([word for phrase in PHRASES for word in phrase.split()]), max_size=8))
def test_what_is_written_is_what_a_reader_would_write_again(words: list[str]) -> None:
    found = written(" ".join(words))
    assert written(" lamp ".join(found)) == found
    assert len(" ".join(found).split()) <= len(words)


def test_a_line_is_said_without_marks_and_capitals() -> None:
    assert line("Help! (he's here)").said == "help he's here"


def test_an_author_says_every_phrase_and_repeats_itself_for_the_same_seed() -> None:
    authors = [Author(3, ["lamp"], ["the lamp is on the table"], ["kelp"]) for _ in range(2)]
    first, again = ([*author.phrases()] for author in authors)
    assert first == again
    assert len(first) == len(PHRASES)
    assert all(spoken.written for spoken in first)


def test_rivals_differ_by_one_sound(dictionary: Path) -> None:
    assert sorted(corpus.rivals(dictionary)) == ["kelp", "wire", "yelp"]


def test_unknown_words_have_no_phonemes(dictionary: Path) -> None:
    assert len(corpus.pronounce("help", dictionary)) == 4
    assert corpus.pronounce("help xyzzy", dictionary) == []


def test_nobody_is_heard_both_in_training_and_in_judging() -> None:
    draw = random.Random(1)
    for synthesiser in ("espeak-ng", "festival"):
        heard, unheard = (
            {voices.casting(synthesiser, draw, heard=flag).name.split("+")[-1] for _ in range(300)}
            for flag in (True, False)
        )
        assert heard.isdisjoint(unheard)


def test_lines_come_back_as_they_were_recorded(dictionary: Path, tmp_path: Path) -> None:
    author = Author(1, ["hello"], ["hello there my friend"], ["kelp"])
    corpus.record(tmp_path / "said", "espeak-ng", 6, author, 1, heard=True, other=0.5)
    spoken = corpus.load(tmp_path / "said")
    assert len(spoken) == 6
    for one in spoken:
        assert one.written == written(one.said)
        assert one.voice.startswith("espeak-ng/")
        assert np.abs(one.waveform()).max() == pytest.approx(0.7, abs=0.01)


def test_noise_is_as_loud_as_the_ratio_says() -> None:
    dice = np.random.default_rng(0)
    speech = dice.standard_normal(16000).astype(np.float32) * np.float32(0.1)
    noise = dice.standard_normal(16000).astype(np.float32)
    added = mixed(speech, noise, 10, loudness(speech)) - speech
    assert 20 * np.log10(speech.std() / added.std()) == pytest.approx(10, abs=0.5)


def test_faster_is_shorter() -> None:
    assert len(warped(np.zeros(16000, np.float32), 1.25)) == pytest.approx(12800, abs=2)


def test_another_throat_moves_what_resounds() -> None:
    bins = np.arange(BINS)
    peak = np.exp(-0.1 * (np.stack([bins] * 30) - 40) ** 2).astype(np.float32)
    assert other_throat(peak, 1.15).argmax(1).tolist() == [44] * 30  # above 1 kHz 27 mel are a factor of 6.4
    assert np.array_equal(other_throat(peak, 1.0), peak)


def test_another_pace_is_quicker_and_slower_by_turns() -> None:
    frames = np.repeat(np.arange(100, dtype=np.float32)[:, None], BINS, 1)
    by_turns = other_pace(frames, np.array([0.8, 0.8, 1.25, 1.25]))[:, 0]
    steps = np.diff(by_turns)
    assert steps[:30].max() < 0.9
    assert steps[-30:].min() > 1.1
    assert by_turns[0] == 0
    assert by_turns[-1] >= 97
    assert np.array_equal(other_pace(frames, np.ones(3)), frames)


@pytest.mark.parametrize("seed", range(12))
def test_a_room_leaves_speech_to_be_understood(seed: int) -> None:
    response = room(np.random.default_rng(seed))
    reflected = float(np.sum(response[1:] ** 2))
    assert -3.1 < -10 * np.log10(reflected) < 18.1


@pytest.mark.parametrize("seed", range(12))
def test_a_place_leaves_length_and_range(seed: int) -> None:
    dice = np.random.default_rng(seed)
    speech = np.asarray(0.1 * dice.standard_normal(20000), np.float32)
    places = Places([speech], [np.ones(500, np.int16)])
    heard = places.heard(speech, dice)
    assert heard.shape == speech.shape
    assert heard.dtype == np.float32
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() <= 1


@pytest.mark.parametrize("bin_", [0, 12, 40, 79])
def test_features_are_what_sherpa_onnx_computes(bin_: int, tmp_path: Path) -> None:
    """A network that answers with its own input, rounded, tells what it is given."""
    dice = np.random.default_rng(1)
    sound = np.asarray(0.02 * dice.standard_normal(64000) + 0.2, np.float32)
    recogniser = sherpa_onnx.OnlineRecognizer.from_nemo_ctc(**_echo(tmp_path, bin_))
    stream = recogniser.create_stream()
    stream.accept_waveform(16000, sound)
    while recogniser.is_ready(stream):
        recogniser.decode_stream(stream)
    told = [int(token.strip()[1:]) for token in recogniser.get_result_all(stream).tokens]
    rows = np.abs(log_mel(sound)[::4, bin_, None] - LEVELS).argmin(axis=1)
    expected = [int(row) for i, row in enumerate(rows) if i == 0 or row != rows[i - 1]]
    agreeing = sum(a == b for a, b in zip(told, expected, strict=False))
    assert len(told) >= 1
    assert agreeing >= 0.97 * len(told)


LEVELS = np.linspace(-14, 4, 80, dtype=np.float32)


def _echo(folder: Path, bin_: int) -> dict[str, str]:
    """A streaming CTC model whose word is the level of one feature in every fourth frame."""
    window = 16
    floats, whole = TensorProto.FLOAT, TensorProto.INT64
    kinds = {"audio_signal": (floats, ["N", BINS, window]), "length": (whole, ["N"])}
    caches = {"channel": (floats, ["N", 1, 1, 1]), "time": (floats, ["N", 1, 1, 1]), "used": (whole, ["N"])}
    inputs = [helper.make_tensor_value_info(name, *kind) for name, kind in {**kinds, **caches}.items()]
    outputs = [
        helper.make_tensor_value_info("log_probs", floats, ["N", 4, 81]),
        helper.make_tensor_value_info("lengths", whole, ["N"]),
        *(helper.make_tensor_value_info(f"{name}_next", *kind) for name, kind in caches.items()),
    ]
    constants = {
        "column": np.array([bin_]),
        "rows": np.arange(0, window, 4),
        "levels": LEVELS,
        "pads": np.array([0, 0, 0, 0, 0, 1]),
        "never": np.float32(-1e9),
    }
    nodes = [
        helper.make_node("Transpose", ["audio_signal"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("Gather", ["frames", "rows"], ["fourth"], axis=1),
        helper.make_node("Gather", ["fourth", "column"], ["value"], axis=2),
        helper.make_node("Sub", ["value", "levels"], ["apart"]),
        helper.make_node("Abs", ["apart"], ["distance"]),
        helper.make_node("Neg", ["distance"], ["nearness"]),
        helper.make_node("Pad", ["nearness", "pads", "never"], ["log_probs"]),
        helper.make_node("Identity", ["length"], ["lengths"]),
        *(helper.make_node("Identity", [name], [f"{name}_next"]) for name in caches),
    ]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "echo", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    facts = {"window_size": window, "chunk_shift": window, "subsampling_factor": 4, "vocab_size": 80}
    facts |= {f"cache_last_{cache}_dim{n}": 1 for cache in ("channel", "time") for n in (1, 2, 3)}
    texts = {"normalize_type": "", "model_type": "EncDecCTCModelBPE"}
    helper.set_model_props(model, {**{key: str(value) for key, value in facts.items()}, **texts})
    onnx.save(model, folder / "echo.onnx")
    (folder / "tokens.txt").write_text("".join(f"▁t{i} {i}\n" for i in range(80)) + "<blk> 80\n")
    return {"model": str(folder / "echo.onnx"), "tokens": str(folder / "tokens.txt")}
