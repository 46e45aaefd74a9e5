"""What a camera usually shows, against which its picture is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeguard.vision.glimpse import Glimpse, likeness, regions_alike

LEARNING_S, LEARNING_GLIMPSES = 15.0, 20
_MEMORY_S = 300.0
_COHERENT = 0.4
"""While pictures are less like their mean than this, there is no usual view yet."""
_TEXTURED = 2.0
"""Mean absolute Laplacian from which a block has something to be in focus."""
_TEXTURED_BLOCKS = 6
_NEVER_STILL = 0.02
"""The share of equal neighbours up to which a camera's pictures count as never equal: it has noise."""
_STILL_GLIMPSES = 60


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a picture differs from the usual view."""

    likeness: float
    """Of the edges, -1..1 (normalised cross-correlation)."""
    regions: float
    """Share of the picture whose edges are where they were."""
    sharpness: float | None
    """Median over the textured blocks of texture against the usual, contrast taken out; None: no texture."""
    detail: float
    """Against the usual."""
    colour: float
    """Against the usual."""


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What was learnt."""

    edges: NDArray[np.float32]
    texture: NDArray[np.float32]
    levels: tuple[float, float, float, float]
    """Contrast, detail, colour and likeness."""


class Outlook:
    """Learns for `LEARNING_S`, then follows slowly; whoever uses it shows it only pictures that are sane."""

    def __init__(self) -> None:
        self._first: list[Glimpse] = []
        self._edges: NDArray[np.float32] | None = None
        self._texture: NDArray[np.float32] | None = None
        self._contrast = self._detail = self._colour = 0.0
        self.usual_likeness = 1.0
        """What nearly all pictures reached while it was learnt."""
        self._seen_ns = 0
        self._pairs = self._equal = 0

    @property
    def learnt(self) -> bool:
        return self._edges is not None

    @property
    def usual(self) -> Usual | None:
        """What was learnt so far; None before it is."""
        if self._edges is None or self._texture is None:
            return None
        levels = (self._contrast, self._detail, self._colour, self.usual_likeness)
        return Usual(self._edges, self._texture, levels)

    def recall(self, usual: Usual) -> None:
        """Go on with what was learnt before."""
        self._edges, self._texture = usual.edges, usual.texture
        self._contrast, self._detail, self._colour, self.usual_likeness = usual.levels
        self._first = []

    @property
    def colourful(self) -> bool:
        return self._colour > 2.0

    @property
    def never_still(self) -> bool:
        """Whether equal pictures would be a surprise."""
        return self._pairs >= _STILL_GLIMPSES and self._equal <= _NEVER_STILL * self._pairs

    def count_pair(self, equal: bool) -> None:
        self._pairs += 1
        self._equal += equal

    def compare(self, now: Glimpse) -> Comparison:
        """Only when learnt."""
        assert self._edges is not None
        contrast = now.contrast / max(self._contrast, 1e-3)
        return Comparison(
            likeness(now.edges, self._edges),
            regions_alike(now.edges, self._edges),
            self._sharpness(now, contrast),
            now.detail / max(self._detail, 1e-3),
            now.colour / max(self._colour, 1e-3),
        )

    def learn(self, now: Glimpse) -> None:
        if not self.learnt:
            self._begin(now)
        else:
            self._follow(now)
        self._seen_ns = now.pts_ns

    def _sharpness(self, now: Glimpse, contrast: float) -> float | None:
        assert self._texture is not None
        textured = self._texture >= _TEXTURED
        if textured.sum() < _TEXTURED_BLOCKS:
            return None
        ratio = float(np.median(now.texture[textured] / self._texture[textured]))
        return ratio / min(1.0, max(contrast, 0.2))

    def _begin(self, now: Glimpse) -> None:
        self._first.append(now)
        long_enough = now.pts_ns - self._first[0].pts_ns >= LEARNING_S * 1e9
        if not long_enough or len(self._first) < LEARNING_GLIMPSES:
            return
        edges = np.asarray(np.mean([one.edges for one in self._first], axis=0), np.float32)
        usual = [likeness(one.edges, edges) for one in self._first]
        if np.median(usual) < _COHERENT:
            self._first = self._first[len(self._first) // 2 :]
            return
        self._edges = edges
        self._texture = np.asarray(np.median([one.texture for one in self._first], axis=0), np.float32)
        self._contrast = float(np.median([one.contrast for one in self._first]))
        self._detail = float(np.median([one.detail for one in self._first]))
        self._colour = float(np.median([one.colour for one in self._first]))
        self.usual_likeness = float(np.quantile(usual, 0.05))
        self._first = []

    def _follow(self, now: Glimpse) -> None:
        assert self._edges is not None
        assert self._texture is not None
        share = float(np.clip((now.pts_ns - self._seen_ns) / 1e9 / _MEMORY_S, 0, 0.05))
        self._edges += share * (now.edges - self._edges)
        self._texture += share * (now.texture - self._texture)
        self._contrast += share * (now.contrast - self._contrast)
        self._detail += share * (now.detail - self._detail)
        self._colour += share * (now.colour - self._colour)
