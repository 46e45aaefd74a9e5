"""What hearing costs and finds: speed, keywords, false alarms, latency, sound tags.

    python tools/bench.py speech [--model-dir DIR] [--seed 1] [--rounds 5] [--denoise]

Speed is CPU-seconds per second of sound on one core, medians over rounds, without loading:

- `rtf`: our recogniser, fed 100 ms at a time as from a microphone;
- `rtf_sherpa_cli`: sherpa-onnx alone on the same model and files in a process of its own. The wheel brings
  no binary, so this is its example `online-decode-files`, which hands over whole files. `speed_ratio` is its
  time over ours, and `speed_ratio_streamed` that of its example with a microphone, which gets 100 ms at a
  time as ours does and tells the text as it grows;
- `rtf_eight`: ours with eight microphones in one thread, for each of them;
- `rtf_chain`: voice activity, recogniser and phrases together.

Keyword figures come from speech synthesised with other voices than the model was trained on, and false alarms
from all real speech and sounds that there are. `--denoise` compares recall in noise with and without GTCRN,
which decides `denoise` on the model's card.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, TypeVar

import numpy as np
from _speech_cases import Case, noisy_phrases, read_wav
from _speech_chain import (
    BUILTIN,
    CHUNK,
    MIRROR,
    RATE_HZ,
    Chain,
    Samples,
    chunks,
    recogniser,
    store,
)

from edgeguard.models import OnnxSession, load_catalog
from edgeguard.speech import Endpointing, SherpaRecogniser, SoundTagger
from edgeguard.types import Phase

AUDIO = MIRROR / "data/audio"
EVENTS = {
    "dog.wav": "dog",
    "explosion.wav": "explosion",
    "glass_break_1.wav": "glass",
    "glass_break_2.wav": "glass",
    "gunshots.wav": "gunshot",
    "scream.wav": "scream",
    "synth_fire_alarm_t3_520hz.wav": "smoke_alarm",
    "synth_smoke_alarm_t3_3100hz.wav": "smoke_alarm",
}
"""The clips whose sound has a tag; the other clips of `events` have none."""


_NEVER_S = 1e6
"""sherpa-onnx's program ends no utterance before the file does, so neither do we beside it."""

T = TypeVar("T")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model-dir", type=Path, default=BUILTIN, help="the speech model (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the voices and noises (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take medians over (%(default)s)")
    parser.add_argument("--denoise", action="store_true", help="also compare recall with and without GTCRN")


def run(args: argparse.Namespace) -> dict[str, object]:
    figures: dict[str, object] = {"model": args.model_dir.name, **speed(args.model_dir, args.rounds)}
    figures |= keywords(args.model_dir, args.seed)
    figures |= tags()
    if args.denoise:
        figures["denoise"] = denoising(args.model_dir, args.seed)
    return figures


def speed(folder: Path, rounds: int) -> dict[str, object]:
    """Ours and sherpa-onnx's, in turns; the texts must be the same."""
    sounds = [read_wav(path) for path in sorted((AUDIO / "speech").glob("*.wav"))]
    seconds = sum(map(len, sounds)) / RATE_HZ
    model = recogniser(folder, Endpointing(_NEVER_S, _NEVER_S, _NEVER_S))
    usual = recogniser(folder)
    ours, theirs, streamed, eight, chain = [], [], [], [], []
    texts: list[str] = []
    for _ in range(rounds):
        cpu_s, texts = _timed(lambda: [_streamed(model, sound) for sound in sounds])
        ours.append(cpu_s / seconds)
        alone = _sherpa_alone(folder, sounds)
        theirs.append(alone["cpu_s"] / seconds)
        streamed.append(alone["streamed_cpu_s"] / seconds)
        eight.append(_timed(lambda: _together(model, sounds[:1] * 8))[0] * RATE_HZ / (8 * len(sounds[0])))
        chain.append(_timed(lambda: _heard(Chain(usual, ["help"]), sounds))[0] / seconds)
    return {
        "rtf": round(median(ours), 5),
        "rtf_sherpa_cli": round(median(theirs), 5),
        "speed_ratio": round(median(t / o for o, t in zip(ours, theirs, strict=True)), 3),
        "speed_ratio_streamed": round(median(t / o for o, t in zip(ours, streamed, strict=True)), 3),
        "rtf_eight": round(median(eight), 5),
        "rtf_chain": round(median(chain), 5),
        "texts_equal": texts == alone["texts"] == alone["streamed_texts"],
    }


def keywords(folder: Path, seed: int) -> dict[str, object]:
    """Recall, false alarms and latency, by the evaluation that belongs to the starter model."""
    figures = importlib.import_module("_phrases_eval").evaluate(folder, seed)
    return {
        name: value for name, value in figures.items() if name.startswith(("keyword_", "false_", "hours"))
    }


def tags() -> dict[str, object]:
    """Share of the event clips whose tag begins, and what begins where nothing of that kind is heard."""
    card = load_catalog().card("yamnet")
    session = OnnxSession(store().path(card), card.name, card.file().digests)
    tagger = SoundTagger(session, store().labels(card))
    found = {path: _tagged(tagger, read_wav(path)) for path in sorted(AUDIO.glob("*/*.wav"))}
    right = [EVENTS[path.name] in tags for path, tags in found.items() if path.name in EVENTS]
    wrong = {path.name: sorted(tags - {EVENTS.get(path.name)}) for path, tags in found.items()}
    return {
        "tag_recall": round(sum(right) / len(right), 3),
        "tags_wrong": {name: tags for name, tags in wrong.items() if tags},
    }


def denoising(folder: Path, seed: int) -> dict[str, object]:
    """Recall of phrases in noise with and without a denoiser; the better one at the same false alarms."""
    phrases = (folder / "phrases.txt").read_text().splitlines()
    model = recogniser(folder)
    figures: dict[str, object] = {}
    for snr_db in (5, 10):
        cases = list(noisy_phrases(phrases, snr_db, seed))
        for name, denoise in (("plain", False), ("gtcrn", True)):
            chain = Chain(model, phrases, denoise=denoise)
            figures[f"recall_{snr_db}db_{name}"] = round(_recall(chain, cases), 3)
    return figures


def _recall(chain: Chain, cases: list[Case]) -> float:
    return sum(case.phrase in {heard.phrase for heard in chain.hear(case.samples)} for case in cases) / len(
        cases
    )


def _tagged(tagger: SoundTagger, sound: Samples) -> set[str]:
    heard = [tag for chunk in chunks(sound) for tag in tagger.accept(chunk)] + tagger.finish()
    return {tag.tag for tag in heard if tag.phase is Phase.BEGAN}


def _streamed(model: SherpaRecogniser, sound: Samples) -> str:
    stream = model.stream()
    found = [t for i in range(0, len(sound), CHUNK) for t in stream.accept(sound[i : i + CHUNK])]
    return " ".join(t.text for t in found + stream.finish() if t.final and t.text)


def _heard(chain: Chain, sounds: list[Samples]) -> list[str]:
    return [heard.phrase for sound in sounds for heard in chain.hear(sound)]


def _together(model: SherpaRecogniser, sounds: list[Samples]) -> None:
    streams = [model.stream() for _ in sounds]
    for i in range(0, max(map(len, sounds)), CHUNK):
        for stream, sound in zip(streams, sounds, strict=True):
            stream.feed(sound[i : i + CHUNK])
        model.decode()
        for stream in streams:
            stream.poll()


def _sherpa_alone(folder: Path, sounds: list[Samples]) -> dict[str, Any]:
    program = Path(__file__).with_name("_sherpa_decode_files.py")
    with tempfile.TemporaryDirectory() as name:
        files = [str(Path(name) / f"{i}.npy") for i in range(len(sounds))]
        for file, sound in zip(files, sounds, strict=True):
            np.save(file, sound)
        done = subprocess.run(
            [sys.executable, str(program), str(folder), *files], check=True, capture_output=True, text=True
        )
    return dict(json.loads(done.stdout))


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begun_s = time.process_time()
    found = work()
    return time.process_time() - begun_s, found
