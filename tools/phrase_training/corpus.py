"""Spoken lines on disk: one flat file of samples, and where each line lies in it."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phrase_training.texts import PHRASES, Author, Line, written
from phrase_training.voices import casting, speak

_BATCH = 200
_VOWEL_STRESS = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Spoken:
    """One line as somebody said it."""

    samples: NDArray[np.int16]
    said: str
    written: tuple[str, ...]
    voice: str

    def waveform(self) -> NDArray[np.float32]:
        """-1..1."""
        return np.asarray(self.samples / np.float32(32768), np.float32)


def record(
    folder: Path, synthesiser: str, lines: int, author: Author, seed: int, *, heard: bool, other: float
) -> None:
    """Have `lines` lines spoken into `folder`/`synthesiser`-`seed`; `other` of them hold no phrase."""
    draw = random.Random(seed)  # noqa: S311 - data, not secrets
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / f"{synthesiser}-{seed}"
    index, offset = [], 0
    with name.with_suffix(".pcm").open("wb") as pcm:
        texts = _texts(author, lines, other, draw)
        for start in range(0, lines, _BATCH):
            orders = [
                (text, casting(synthesiser, draw, heard=heard)) for text in texts[start : start + _BATCH]
            ]
            said = speak([(text.said, voice) for text, voice in orders])
            for (text, voice), samples in zip(orders, said, strict=True):
                trimmed = _trim(samples)
                pcm.write(trimmed.tobytes())
                index.append([offset, len(trimmed), text.said, f"{synthesiser}/{voice.name}"])
                offset += len(trimmed)
            print(f"{name.name}: {len(index)} of {lines}", flush=True)
    name.with_suffix(".json").write_text(json.dumps(index))


def load(folder: Path) -> list[Spoken]:
    """Everything that was recorded into `folder`; the samples stay on disk until they are read."""
    spoken = []
    for path in sorted(folder.glob("*.json")):
        pcm = np.memmap(path.with_suffix(".pcm"), np.int16, "r")
        for offset, length, said, voice in json.loads(path.read_text()):
            spoken.append(Spoken(pcm[offset : offset + length], said, written(said), voice))
    return spoken


def writer(seed: int, dictionary: Path, prose: Sequence[Path]) -> Author:
    """An author with the words of a pronouncing dictionary (CMU's format) and sentences of text files."""
    sounds = _sounds(dictionary)
    text = " ".join(path.read_text(errors="ignore") for path in prose)
    sentences = [" ".join(re.findall(r"[a-z']+", part.lower())) for part in re.split(r"[.;:!?\n]\s", text)]
    return Author(
        seed,
        [word for word in sounds if len(word) > 2],
        [part for part in sentences if 3 <= len(part.split()) <= 40],
        rivals(dictionary),
    )


@lru_cache(maxsize=1)
def rivals(dictionary: Path) -> list[str]:
    """Words that differ by one sound from a word of the phrases."""
    sounds = _sounds(dictionary)
    wanted = {word for phrase in PHRASES for word in phrase.split()}
    targets = {sounds[word] for word in wanted if word in sounds and len(sounds[word]) > 2}
    near = {gap for target in targets for gap in _gaps(target)}
    return [
        word
        for word, spoken in sounds.items()
        if word not in wanted and spoken not in targets and not near.isdisjoint(_gaps(spoken))
    ]


def _gaps(sounds: tuple[str, ...]) -> set[tuple[str, ...]]:
    """Two words of one length share one of these exactly if one sound differs."""
    return {(*sounds[:i], "*", *sounds[i + 1 :]) for i in range(len(sounds))}


@lru_cache(maxsize=1)
def _sounds(dictionary: Path) -> dict[str, tuple[str, ...]]:
    rows = (row.split() for row in dictionary.read_text().splitlines())
    return {
        row[0]: tuple(_VOWEL_STRESS.sub("", sound) for sound in row[1:])
        for row in rows
        if row and re.fullmatch(r"[a-z']+", row[0])
    }


def _texts(author: Author, lines: int, other: float, draw: random.Random) -> list[Line]:
    texts: list[Line] = []
    while len(texts) < round(lines * (1 - other)):
        texts += author.phrases()
    texts = texts[: round(lines * (1 - other))]
    while len(texts) < lines:
        text = author.other()
        if text.said:
            texts.append(text)
    draw.shuffle(texts)
    return texts


def _trim(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Without the silence around it, at a peak of -3 dB."""
    peak = float(np.abs(samples).max(initial=1e-4))
    loud = np.flatnonzero(np.abs(samples) > 0.004 * peak)
    kept = samples[loud[0] : loud[-1] + 1] if loud.size else samples
    return np.asarray(kept * (0.7 / peak) * 32767, np.int16)


def pronounce(said: str, dictionary: Path) -> list[int]:
    """Rows of the phonemes of `said`; empty if a word of it is not in the dictionary."""
    known, rows = _sounds(dictionary), _sound_rows(dictionary)
    words = [known.get(word) for word in said.split()]
    return [] if None in words else [rows[sound] for word in words if word for sound in word]


@lru_cache(maxsize=1)
def _sound_rows(dictionary: Path) -> dict[str, int]:
    return {
        sound: row
        for row, sound in enumerate(sorted({s for word in _sounds(dictionary).values() for s in word}))
    }
