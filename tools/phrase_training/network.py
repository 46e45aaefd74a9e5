"""The network: two convolutions that take four frames to one, then a time-delay network.

Each layer sees a moment and two before it, ever further apart (Waibel et al. 1989; Peddinti et al. 2015), and
nothing of what is to come, so that it can run on a stream. All its work is products of matrices.
"""

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
_SPAN = 5
_TAPS = 3
_DILATIONS = (1, 2, 4, 8)
_SOUNDS_FROM = 8
"""Layers below the one that answers with phonemes."""

BLANK = len(PHRASES)
"""Row of CTC's blank, which sherpa-onnx wants last. Each phrase is one token, answered when it is over: a
causal network that has to spell `call the police` holds `call` back until it is too late."""


class Layer(nn.Module):  # type: ignore[misc]
    """Adds to every moment what it and the moments `dilation` and twice `dilation` before it tell."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.norm = nn.LayerNorm(width)
        self.drop = nn.Dropout1d(0.1)
        self.mix = nn.Linear(_TAPS * width, width)

    @property
    def past(self) -> int:
        """How many moments before the first it has to know."""
        return (_TAPS - 1) * self.dilation

    def forward(self, x: Tensor, before: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The next `x` (N, steps, width), and what to hand in as `before` of the steps that follow."""
        entering = _short(torch.relu(self.norm(x)))
        if self.training:
            entering = entering * self.drop(entering.new_ones(len(x), x.shape[2], 1)).transpose(1, 2)
        if before is None:
            known = nn.functional.pad(entering, (0, 0, self.past, 0))
        else:
            known = torch.cat([before, entering], 1)
        steps = x.shape[1]
        taps = [known[:, row * self.dilation : row * self.dilation + steps] for row in range(_TAPS)]
        return x + self.mix(torch.cat(taps, 2)), known[:, steps:]


class Ear(nn.Module):  # type: ignore[misc]
    """(N, 80, frames) log-mel to (N, steps, phrases + blank) logits, and phonemes on the way."""

    def __init__(self, width: int = 256, layers: int = 12, sounds: int = 40) -> None:
        super().__init__()
        self.width = width
        self.mean = nn.Parameter(torch.zeros(BINS), requires_grad=False)
        self.scale = nn.Parameter(torch.ones(BINS), requires_grad=False)
        self.first = nn.Linear(_SPAN * BINS, width)
        self.second = nn.Linear(_SPAN * width, width)
        self.settle = nn.LayerNorm(width)
        self.layers = nn.ModuleList(Layer(width, _DILATIONS[row % len(_DILATIONS)]) for row in range(layers))
        self.last = nn.LayerNorm(width)
        self.phrases = nn.Linear(width, len(PHRASES) + 1)
        self.sounds = nn.Linear(width, sounds + 1)
        """Phonemes of all that is said: in training alone, so that the ear learns sounds and not voices."""

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Phrases and phonemes as logits, of whole recordings."""
        x = self.enter(features)
        sounds = x
        for row, layer in enumerate(self.layers):
            x, _ = layer(x)
            if row + 1 == _SOUNDS_FROM:
                sounds = x
        return self.phrases(self.last(x)), self.sounds(torch.relu(sounds))

    def enter(self, features: Tensor) -> Tensor:
        """(N, 80, frames) to (N, steps, width)."""
        x = _short((features.transpose(1, 2) - self.mean) * self.scale)
        x = torch.relu(self.first(_windows(x)))
        return self.settle(torch.relu(self.second(_windows(x))))

    @property
    def past(self) -> tuple[int, ...]:
        """How many moments before a step each layer has to know."""
        return tuple(layer.past for layer in self.layers)


def _short(x: Tensor) -> Tensor:
    """As the products take it, before it is copied about."""
    return x.to(torch.get_autocast_dtype("cpu")) if torch.is_autocast_enabled("cpu") else x


def _windows(x: Tensor) -> Tensor:
    """(N, frames, channels) to (N, steps, 5 * channels): five frames each, every second one."""
    steps = (x.shape[1] - _SPAN) // 2 + 1
    return torch.cat([x[:, row : row + 2 * steps - 1 : 2] for row in range(_SPAN)], 2)


def steps(frames: int) -> int:
    """Outputs for so many frames."""
    return ((frames - _SPAN) // 2 + 1 - _SPAN) // 2 + 1


def decode(best: list[int]) -> tuple[str, ...]:
    """CTC's greedy reading of the best rows."""
    kept = [row for i, row in enumerate(best) if row != BLANK and (i == 0 or row != best[i - 1])]
    return tuple(PHRASES[row] for row in kept)
