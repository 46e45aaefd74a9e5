from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.errors import DependencyError, ModelError
from edgeguard.speech import Hotwords, SherpaRecogniser
from edgeguard.speech.hotwords import options
from tests.support.sound import Sound, join, silence, tone


def recogniser(folder: Path, hotwords: Hotwords | None) -> SherpaRecogniser:
    from tests.support.tone_models import tone_transducer

    files = tone_transducer(folder, {1000: "救", 2000: "命"})
    return SherpaRecogniser.from_transducer(
        files.tokens, files.encoder, files.decoder, files.joiner, hotwords=hotwords
    )


def faint_end() -> Sound:
    """The second character is so faint that nobody would bet on it."""
    sound = join(silence(1), tone(1000, 0.3), silence(0.2), tone(2000, 0.3, 0.0005), silence(1))
    return sound + np.random.default_rng(0).normal(0, 0.0003, len(sound)).astype(np.float32)


def text(found: SherpaRecogniser) -> str:
    stream = found.stream()
    return (stream.accept(faint_end()) + stream.finish())[-1].text


def test_an_expected_phrase_is_heard_where_it_is_faint(tmp_path: Path) -> None:
    assert text(recogniser(tmp_path, None)) == "救"
    assert text(recogniser(tmp_path, Hotwords(("救命",), 3.0))) == "救命"


def test_phrases_that_cannot_be_spelt_leave_the_plain_decoder(tmp_path: Path) -> None:
    assert text(recogniser(tmp_path, Hotwords(("help",), 3.0))) == "救"


def test_word_pieces_need_their_library_or_their_file(tmp_path: Path) -> None:
    with (
        pytest.raises((ModelError, DependencyError), match=r"sentencepiece|missing"),
        options(Hotwords(("help",), bpe=tmp_path / "bpe.model"), tmp_path / "tokens.txt"),
    ):
        pass


def test_word_pieces_are_written_as_sherpa_reads_them(tmp_path: Path) -> None:
    spm = pytest.importorskip("sentencepiece", reason="no sentencepiece to spell with")
    text_file = tmp_path / "text.txt"
    text_file.write_text("HELP ME\nHE HAS A GUN\nCALL THE POLICE\n" * 20)
    spm.SentencePieceTrainer.train(
        input=str(text_file),
        model_prefix=str(tmp_path / "bpe"),
        vocab_size=30,
        model_type="bpe",
        minloglevel=9,
    )
    with options(Hotwords(("help me",), bpe=tmp_path / "bpe.model"), tmp_path / "tokens.txt") as found:
        assert found["modeling_unit"] == "bpe"
        assert Path(found["hotwords_file"]).read_text() == "HELP ME\n"
        lines = Path(found["bpe_vocab"]).read_text(encoding="utf-8").splitlines()
    assert len(lines) == 30
    assert all(float(line.split("\t")[1]) <= 0 for line in lines)
