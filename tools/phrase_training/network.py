"""The network: two convolutions that take four frames to one, then a stack of recurrent layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from phrase_training.features import BINS
from phrase_training.texts import PHRASES

SUBSAMPLING = 4
SHIFT = 16
"""Frames of 10 ms that one step of the stream moves on: 160 ms, as short as keeps the call's cost low."""
WINDOW = SHIFT + 9
"""Frames that one step sees: its four outputs see 13 frames each, every fourth one."""

BLANK = len(PHRASES)
"""Row of CTC's blank, which sherpa-onnx wants last. Each phrase is one token, answered when it is over: a
causal network that has to spell `call the police` holds `call` back until it is too late."""


class Ear(nn.Module):  # type: ignore[misc]
    """(N, 80, frames) log-mel to (N, steps, phrases + blank) logits, and phonemes on the way."""

    def __init__(self, width: int = 192, layers: int = 3, sounds: int = 40) -> None:
        super().__init__()
        self.width, self.layers = width, layers
        self.mean = nn.Parameter(torch.zeros(BINS), requires_grad=False)
        self.scale = nn.Parameter(torch.ones(BINS), requires_grad=False)
        self.first = nn.Conv1d(BINS, width, 5, stride=2)
        self.second = nn.Conv1d(width, width, 5, stride=2)
        self.settle = nn.LayerNorm(width)
        self.grus = nn.ModuleList(nn.GRU(width, width, batch_first=True) for _ in range(layers))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.drop = nn.Dropout(0.15)
        self.phrases = nn.Linear(width, len(PHRASES) + 1)
        self.sounds = nn.Linear(width, sounds + 1)
        """Phonemes of all that is said: in training alone, so that the ear learns sounds and not voices."""

    def forward(self, features: Tensor, state: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Phrases and sounds as logits, and the next state (N, layers, width)."""
        x = (features - self.mean[:, None]) * self.scale[:, None]
        x = torch.relu(self.second(torch.relu(self.first(x)))).transpose(1, 2)
        x = self.settle(x)
        states, sounds = [], x
        for row, (gru, norm) in enumerate(zip(self.grus, self.norms, strict=True)):
            y, h = gru(self.drop(x), state[:, row][None].contiguous())
            states.append(h[0])
            x = norm(x + y)
            if row == self.layers - 2:
                sounds = x
        return self.phrases(self.drop(x)), self.sounds(self.drop(sounds)), torch.stack(states, 1)

    def start(self, batch: int) -> Tensor:
        return torch.zeros(batch, self.layers, self.width)


def steps(frames: int) -> int:
    """Outputs for so many frames."""
    return ((frames - 5) // 2 + 1 - 5) // 2 + 1


def decode(best: list[int]) -> tuple[str, ...]:
    """CTC's greedy reading of the best rows."""
    kept = [row for i, row in enumerate(best) if row != BLANK and (i == 0 or row != best[i - 1])]
    return tuple(PHRASES[row] for row in kept)
