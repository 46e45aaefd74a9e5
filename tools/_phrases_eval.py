"""How well a phrase model hears voices that training never did, and what it hears where none speaks to it.

Everything goes through the product's own chain: voice activity, the recogniser, the phrase matcher. A line
is right if every phrase in it was reported (of `help me`, not of the `help` in it). espeak-ng speaks with
variants that training left out, festival with a speaker that it left out, and SVOX Pico is a synthesiser
that it left out altogether. A synthesiser that is not installed has no figures. The noises are unheard, too.
"""

from __future__ import annotations

import importlib.util
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from _speech_cases import mixed, read_wav
from _speech_chain import MIRROR, RATE_HZ, Chain, Samples, recogniser
from phrase_training.corpus import writer
from phrase_training.texts import Author, Line
from phrase_training.voices import UNHEARD_FESTIVAL, casting, speak

from edgeguard.models import load_catalog

HEARD_NOISES = frozenset({"rain", "car_engine", "typing"})
UNHEARD_NOISES = ("office_ambience", "street_scene")
ROUNDS = 4
"""How often each synthesiser says every phrase."""
OTHER_LINES = 250
"""Lines without a phrase, by each synthesiser."""
_BEFORE = RATE_HZ
_SETTLE_S = 0.3
_FESTIVAL_VOICE = Path("/usr/share/festival/voices/english", UNHEARD_FESTIVAL)


@dataclass(frozen=True)
class Said:
    """A line as somebody spoke it."""

    line: Line
    speech: Samples


@dataclass
class Tally:
    """What was asked and what came of it."""

    lines: int = 0
    right: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    invented: Counter[str] = field(default_factory=Counter)
    latencies_s: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def recall(self) -> float:
        return self.right / max(1, self.lines)


def evaluate(folder: Path, seed: int, rounds: int = ROUNDS) -> dict[str, object]:
    """Figures of the model in `folder`, which holds `phrases.txt` beside it."""
    ear = Ear(folder)
    figures: dict[str, object] = {}
    false = Tally()
    for name, synthesiser in VOICES.items():
        figures |= dict.fromkeys((f"keyword_recall_{name}", f"keyword_recall_{name}_10db"))
        if not _installed(synthesiser):
            continue
        said = list(_spoken(synthesiser, seed, rounds))
        other = ear.hear_all([s for s in said if not s.line.written], None, seed)
        false.invented += other.invented
        false.seconds += other.seconds
        spoken = [s for s in said if s.line.written]
        for snr_db in (None, 20.0, 10.0, 5.0) if name == "clean" else (None, 10.0):
            tally = ear.hear_all(spoken, snr_db, seed)
            figures[_name(name, snr_db)] = round(tally.recall, 3)
            figures[f"missed_{_name(name, snr_db)}"] = dict(tally.missed.most_common(8))
            if name == "clean" and snr_db is None:
                figures["keyword_lines"] = tally.lines
                figures["keyword_latency_p95_ms"] = round(float(np.percentile(tally.latencies_s, 95)) * 1000)
    figures.pop("keyword_recall_clean_10db")
    hours, alarms = ear.alarms()
    figures |= {
        "false_alarms": alarms,
        "false_alarms_per_hour": round(sum(alarms.values()) / hours, 1),
        "hours": round(hours, 3),
        "false_alarms_synthetic": dict(false.invented.most_common()),
        "false_alarms_synthetic_per_hour": round(false.invented.total() / (false.seconds / 3600 or 1), 1),
        "hours_synthetic": round(false.seconds / 3600, 3),
    }
    return figures


VOICES = {"clean": "espeak-ng", "other_voice": "festival", "other_synthesiser": "pico"}
"""By what the figures call them."""


def _name(voices: str, snr_db: float | None) -> str:
    """Noise alone names the figures of the first voices: `keyword_recall_10db`."""
    if snr_db is None:
        return f"keyword_recall_{voices}"
    noise = f"{snr_db:.0f}db"
    return f"keyword_recall_{noise}" if voices == "clean" else f"keyword_recall_{voices}_{noise}"


class Ear:
    """The product's chain with the model under test."""

    def __init__(self, folder: Path) -> None:
        self.phrases = (folder / "phrases.txt").read_text().splitlines()
        self._chain = Chain(recogniser(folder), self.phrases, settle_s=_settle_s(folder.name))

    def hear_all(self, said: Sequence[Said], snr_db: float | None, seed: int) -> Tally:
        """Every line on its own, in a noise that training never heard if `snr_db` is given."""
        choice = np.random.default_rng(seed)
        noises = [read_wav(MIRROR / f"data/audio/noise/{name}.wav") for name in UNHEARD_NOISES]
        tally = Tally()
        for one in said:
            samples = np.pad(one.speech, _BEFORE)
            if snr_db is not None:
                noise = noises[int(choice.integers(len(noises)))]
                samples = mixed(samples, _cut(noise, len(samples), choice), snr_db)
            self._hear(one, samples, tally)
        return tally

    def alarms(self) -> tuple[float, dict[str, int]]:
        """Hours of real speech and sounds in which nobody says a phrase, and what was heard all the same."""
        heard: Counter[str] = Counter()
        seconds = 0.0
        for path in sorted((MIRROR / "data/audio").rglob("*.wav")):
            if path.stem in HEARD_NOISES:
                continue
            sound = read_wav(path)
            seconds += len(sound) / RATE_HZ
            heard.update(f"{path.stem}: {keyword.phrase}" for keyword in self._chain.hear(sound))
        return seconds / 3600, dict(heard)

    def _hear(self, one: Said, samples: Samples, tally: Tally) -> None:
        heard = self._chain.hear(samples)
        wanted = set(one.line.written)
        got = {keyword.phrase for keyword in heard}
        tally.seconds += len(samples) / RATE_HZ
        tally.lines += bool(wanted)
        tally.right += bool(wanted) and wanted <= got
        tally.missed.update(wanted - got)
        tally.invented.update(got - _phrases_in(one.line, self.phrases))
        if one.line.said in wanted:
            end_s = (_BEFORE + len(one.speech)) / RATE_HZ
            tally.latencies_s += [k.told_s - end_s for k in heard if k.phrase == one.line.said]


def _settle_s(name: str) -> float:
    """As the daemon takes it from the model's card."""
    cards = {card.name: card for card in load_catalog().cards}
    return cards[name].thresholds.get("settle_s", _SETTLE_S) if name in cards else _SETTLE_S


def _phrases_in(line: Line, phrases: Sequence[str]) -> set[str]:
    """Phrases that `line` says in whole words."""
    said = f" {line.said} "
    return {phrase for phrase in phrases if f" {phrase} " in said}


def _spoken(synthesiser: str, seed: int, rounds: int) -> Iterator[Said]:
    """Each phrase `rounds` times, some of them within a sentence, and lines without any."""
    draw = random.Random(seed)  # noqa: S311 - a test's dice
    author = _author(seed)
    lines = [line for _ in range(rounds) for line in author.phrases()]
    lines += [line for line in (author.other() for _ in range(OTHER_LINES * rounds // ROUNDS)) if line.said]
    orders = [(line, casting(synthesiser, draw, heard=False)) for line in lines]
    spoken = speak([(line.said, voice) for line, voice in orders])
    for line, samples in zip(lines, spoken, strict=True):
        yield Said(line, _trimmed(samples))


def _author(seed: int) -> Author:
    root = Path(__file__).resolve().parent.parent
    dictionary = MIRROR / "models/asr_pocketsphinx/cmudict-en-us.dict"
    return writer(seed + 1000, dictionary, [root / "README.md", root / "CONTRIBUTING.md"])


def _trimmed(samples: Samples) -> Samples:
    """Without the silence around it, at a peak of -6 dB: where speech ends is where latency begins."""
    peak = float(np.abs(samples).max(initial=1e-4))
    loud = np.flatnonzero(np.abs(samples) > 0.01 * peak)
    kept = samples[loud[0] : loud[-1] + 1] if loud.size else samples
    return np.asarray(kept * (0.5 / peak), np.float32)


def _cut(noise: Samples, length: int, choice: np.random.Generator) -> Samples:
    return np.resize(np.roll(noise, -int(choice.integers(len(noise)))), length)


def _installed(synthesiser: str) -> bool:
    if synthesiser == "pico":
        return importlib.util.find_spec("py_nanotts") is not None
    if synthesiser == "festival":
        return _FESTIVAL_VOICE.exists() and shutil.which(synthesiser) is not None
    return shutil.which(synthesiser) is not None
