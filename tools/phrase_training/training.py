"""Training: scenes of a few lines in some place, CTC on the phrases and, beside it, on phonemes."""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from phrase_training.acoustics import Places, warped
from phrase_training.corpus import Spoken, load, pronounce
from phrase_training.features import log_mel, other_pace, other_throat
from phrase_training.network import BLANK, Ear, decode, steps
from phrase_training.texts import PHRASES

_RATE_HZ = 16000
_SCENE_S = 4.0
_RATE = 2e-3
_WARMING = 300
_AVERAGE = 0.998
_SOUNDS_WEIGHT = 0.4
_REPORT_S = 180.0
_EASY, _GROWING, _HARDEST = 500, 1500, 0.75
"""Batches of single clean lines, without which CTC finds only blanks; then batches till all is hard."""

_RIVALS = 0.35
"""How often a word or two without a phrase is kept: all of them, and one in doubt would hear nothing."""

_POOL = 256
"""Scenes at hand; each is seen about twice, with other parts masked, among others of its length."""

Scene = tuple[NDArray[np.float32], list[int], list[int]]
"""Features, rows of phrases, rows of phonemes."""

_ROW = {phrase: row for row, phrase in enumerate(PHRASES)}


@dataclass(frozen=True)
class Batch:
    features: Tensor
    frames: Tensor
    phrases: Tensor
    phrases_length: Tensor
    sounds: Tensor
    sounds_length: Tensor


class Scenes(IterableDataset):  # type: ignore[misc]
    """Endless batches; each scene is silence, a line or a few by different voices, and silence again."""

    def __init__(self, folder: Path, places: Places, dictionary: Path, batch: int, seed: int) -> None:
        self._folder, self._places, self._batch, self._seed = folder, places, batch, seed
        self._dictionary = dictionary
        self._spoken: list[Spoken] = []
        self.hard = False
        """Whether to leave the easy ones out, as for a network that goes on."""

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        random = np.random.default_rng([self._seed, worker.id if worker else 0])
        pool: list[Scene] = []
        for turn in itertools.count():
            if turn % 20 == 0:  # somebody may still be speaking
                lines = load(self._folder)
                self._spoken = [
                    line
                    for line in lines
                    if pronounce(line.said, self._dictionary)
                    and (not _is_short(line) or random.random() < _RIVALS)
                ]
            random.shuffle(pool)
            del pool[_POOL // 2 :]
            batches = turn * _POOL / self._batch
            hard = _HARDEST if self.hard else min(_HARDEST, max(0.0, (batches - _EASY) / _GROWING))
            pool += [self.scene(random, hard) for _ in range(_POOL - len(pool))]
            pool.sort(key=lambda scene: len(scene[0]))
            for start in random.permutation(range(0, _POOL, self._batch)):
                alike = pool[start : start + self._batch]
                yield _batch([(_masked(features.copy(), random, hard), *rest) for features, *rest in alike])

    def scene(self, random: np.random.Generator, hard: float) -> Scene:
        """`hard`: from 0, one line and no noise, to 1, all that can happen."""
        parts, written, sounds = [_silence(random, 0.1, 0.8)], list[str](), list[int]()
        quiet = random.random() < 0.03 * hard
        length_s = 0.0 if quiet else float(random.uniform(0.3, 0.3 + hard * _SCENE_S))
        total_s = 0.0
        while total_s < length_s:
            line = self._spoken[random.integers(len(self._spoken))]
            factor = float(np.clip(random.normal(1, 0.09), 0.8, 1.25))
            speech = warped(line.waveform(), factor)
            speech *= 10 ** (float(random.uniform(-8, 0)) / 20)
            parts += [speech, _silence(random, 0.15, 0.9)]
            total_s += len(speech) / _RATE_HZ
            written += line.written
            sounds += pronounce(line.said, self._dictionary)
        parts.append(_silence(random, 0.3, 0.5))
        heard = np.concatenate(parts)
        if random.random() < hard:
            heard = self._places.heard(heard, random)
        else:
            heard = np.asarray(heard * 10 ** (random.uniform(-20, 0) / 20), np.float32)
        return _by_another(log_mel(heard), random, hard), [_ROW[phrase] for phrase in written], sounds


def _by_another(
    features: NDArray[np.float32], random: np.random.Generator, hard: float
) -> NDArray[np.float32]:
    """From another throat and in another rhythm, as no two synthesisers and no two people share them."""
    if random.random() > hard:
        return features
    throat = float(np.clip(random.normal(1, 0.08), 0.82, 1.22))
    paces = np.exp(np.clip(random.normal(0, 0.18, 2 + len(features) // 25), -0.4, 0.4))
    return other_pace(other_throat(features, throat), paces)


def _is_short(line: Spoken) -> bool:
    return not line.written and len(line.said.split()) <= 3


def _silence(random: np.random.Generator, least_s: float, most_s: float) -> NDArray[np.float32]:
    """Not quite, as nothing in the world is, or wholly, as drawn scenes are."""
    loudness = 0.0 if random.random() < 0.25 else 1e-4
    noise = random.standard_normal(int(random.uniform(least_s, most_s) * _RATE_HZ))
    return np.asarray(loudness * noise, np.float32)


def _masked(features: NDArray[np.float32], random: np.random.Generator, hard: float) -> NDArray[np.float32]:
    """With bands and moments missing (SpecAugment, Park et al. 2019)."""
    if random.random() > hard:
        return features
    if random.random() < 0.5:
        width = int(random.integers(1, 14))
        start = int(random.integers(80 - width))
        features[:, start : start + width] = features.mean()
    for _ in range(random.integers(0, 3)):
        width = int(random.integers(1, 6))
        start = int(random.integers(max(1, len(features) - width)))
        features[start : start + width] = features.mean()
    return features


def _batch(scenes: list[Any]) -> Batch:
    longest = max(len(features) for features, _, _ in scenes)
    padded = np.full((len(scenes), longest, 80), -12.0, np.float32)
    for row, (features, _, _) in enumerate(scenes):
        padded[row, : len(features)] = features
    return Batch(
        torch.from_numpy(padded).transpose(1, 2).contiguous(),
        torch.tensor([steps(len(features)) for features, _, _ in scenes]),
        torch.tensor([row for _, phrases, _ in scenes for row in phrases]),
        torch.tensor([len(phrases) for _, phrases, _ in scenes]),
        torch.tensor([row for _, _, sounds in scenes for row in sounds]),
        torch.tensor([len(sounds) for _, _, sounds in scenes]),
    )


class Trainer:
    """A network and its running average; `done` is the share of the time that is over."""

    def __init__(self, ear: Ear, rate: float = _RATE) -> None:
        self.ear, self._rate = ear, rate
        average = torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGE)
        self.average = torch.optim.swa_utils.AveragedModel(ear, multi_avg_fn=average)
        trained = [part for part in ear.parameters() if part.requires_grad]
        self._optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.01, fused=True)
        self._phrases = nn.CTCLoss(BLANK, zero_infinity=True)
        self._sounds = nn.CTCLoss(ear.sounds.out_features - 1, zero_infinity=True)
        self._hear = torch.compile(ear, dynamic=True)
        self.steps = 0

    def step(self, batch: Batch, done: float) -> tuple[float, float]:
        """The losses in phrases and in phonemes."""
        for group in self._optimiser.param_groups:
            warming = min(1, (self.steps + 1) / _WARMING)
            group["lr"] = self._rate * warming * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        with torch.autocast("cpu", torch.bfloat16):
            phrases, sounds = self._hear(batch.features)
        loss_phrases = self._phrases(_by_time(phrases), batch.phrases, batch.frames, batch.phrases_length)
        loss_sounds = self._sounds(_by_time(sounds), batch.sounds, batch.frames, batch.sounds_length)
        self._optimiser.zero_grad()
        (loss_phrases + _SOUNDS_WEIGHT * loss_sounds).backward()
        nn.utils.clip_grad_norm_(self.ear.parameters(), 2.0)
        self._optimiser.step()
        self.average.update_parameters(self.ear)
        self.steps += 1
        return loss_phrases.item(), loss_sounds.item()


def train(
    folder: Path,
    scenes: Scenes,
    check: Sequence[tuple[NDArray[np.float32], tuple[str, ...]]],
    minutes: float,
    rate: float = _RATE,
) -> None:
    """Leaves `ear.pt` (the averaged weights) and `training.jsonl` in the folder; goes on from an `ear.pt`."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    batches: Any = iter(DataLoader(scenes, batch_size=None, num_workers=1, prefetch_factor=8))
    trainer = Trainer(_begun(folder, batches), rate)
    begun = reported = time.monotonic()
    losses: list[tuple[float, float]] = []
    while (done := (time.monotonic() - begun) / (60 * minutes)) < 1:
        losses.append(trainer.step(next(batches), done))
        if time.monotonic() - reported > _REPORT_S:
            _report(folder, trainer, done, losses, check)
            losses, reported = [], time.monotonic()
    torch.save(trainer.average.module.state_dict(), folder / "ear.pt")


def _begun(folder: Path, batches: Iterator[Batch]) -> Ear:
    """The network where its training stands."""
    ear = Ear()
    if (folder / "ear.pt").exists():
        ear.load_state_dict(torch.load(folder / "ear.pt"))
    else:
        _measure(ear, [next(batches) for _ in range(4)])
    return ear


def _report(
    folder: Path,
    trainer: Trainer,
    done: float,
    losses: Sequence[tuple[float, float]],
    check: Sequence[tuple[NDArray[np.float32], tuple[str, ...]]],
) -> None:
    average = trainer.average.module
    torch.save(average.state_dict(), folder / "ear.pt")
    right = sum(read(average, samples) == written for samples, written in check)
    average.train()
    loss_phrases, loss_sounds = np.mean(losses, axis=0)
    report = {
        "step": trainer.steps,
        "done": round(done, 3),
        "loss_phrases": round(float(loss_phrases), 4),
        "loss_sounds": round(float(loss_sounds), 4),
        "right": round(right / max(1, len(check)), 4),
    }
    with (folder / "training.jsonl").open("a") as log:
        log.write(json.dumps(report) + "\n")
    print(report, flush=True)


def _by_time(logits: Tensor) -> Tensor:
    return logits.float().log_softmax(2).transpose(0, 1)


def _measure(ear: Ear, batches: Sequence[Batch]) -> None:
    """Set what the features are centred and scaled by."""
    frames = torch.cat([batch.features.transpose(1, 2).reshape(-1, 80) for batch in batches])
    frames = frames[frames[:, 40] != -12.0]
    ear.mean.data, ear.scale.data = frames.mean(0), 1 / frames.std(0)


@torch.inference_mode()  # type: ignore[untyped-decorator]
def read(ear: Ear, samples: NDArray[np.float32]) -> tuple[str, ...]:
    """What the network writes for a whole recording at once."""
    ear.eval()
    phrases, _ = ear(torch.from_numpy(log_mel(samples)).T[None])
    return decode(phrases[0].argmax(1).tolist())
