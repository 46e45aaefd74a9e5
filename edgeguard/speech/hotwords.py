"""Phrases that a transducer is told to expect, so that it writes them where it wavers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edgeguard.errors import DependencyError, how_to_install
from edgeguard.speech import sherpa


@dataclass(frozen=True, slots=True)
class Hotwords:
    """What to expect, and how much."""

    phrases: tuple[str, ...]
    score: float = 1.5
    """Added to the score of each token that continues a phrase."""
    bpe: Path | None = None
    """The model's word pieces; without them only phrases of whole characters, as in Chinese, can be spelt."""


@contextmanager
def options(hotwords: Hotwords | None, tokens: Path) -> Iterator[dict[str, Any]]:
    """Arguments of `OnlineRecognizer.from_transducer`, whose files are there until the block ends.

    None where there is nothing that the model could spell. DependencyError without sentencepiece where word
    pieces need it.
    """
    phrases = _spellable(hotwords, tokens) if hotwords else []
    if hotwords is None or not phrases:
        yield {}
        return
    with TemporaryDirectory() as name:
        folder = Path(name)
        words = folder / "hotwords.txt"
        words.write_text("".join(f"{phrase}\n" for phrase in phrases), encoding="utf-8")
        yield {
            "decoding_method": "modified_beam_search",
            "hotwords_file": str(words),
            "hotwords_score": hotwords.score,
            **({"modeling_unit": "cjkchar"} if hotwords.bpe is None else _pieces(hotwords.bpe, folder)),
        }


def _spellable(hotwords: Hotwords, tokens: Path) -> list[str]:
    if hotwords.bpe is not None:
        return [phrase.upper() for phrase in hotwords.phrases]
    known = {line.split()[0] for line in tokens.read_text(encoding="utf-8").splitlines() if line.strip()}
    return [phrase for phrase in hotwords.phrases if known.issuperset(phrase.replace(" ", ""))]


def _pieces(bpe: Path, folder: Path) -> dict[str, str]:
    """sherpa-onnx reads word pieces and their scores from a text file."""
    try:
        from sentencepiece import SentencePieceProcessor
    except ImportError as error:
        raise DependencyError(
            f"hotwords need sentencepiece to spell English: {how_to_install('sentencepiece>=0.2')}; "
            "or set speech.hotwords_score to 0"
        ) from error
    pieces = SentencePieceProcessor(model_file=sherpa.file(bpe))
    vocabulary = folder / "bpe.vocab"
    lines = (f"{pieces.id_to_piece(i)}\t{pieces.get_score(i)}\n" for i in range(pieces.get_piece_size()))
    vocabulary.write_text("".join(lines), encoding="utf-8")
    return {"modeling_unit": "bpe", "bpe_vocab": str(vocabulary)}
