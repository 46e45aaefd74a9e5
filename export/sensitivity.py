"""Which layers may run in INT8: each one's harm measured by itself, then the best trade for every share.

Harm is what happens to the model's *outputs* when this layer alone is quantised. Harms of layers add up well
enough to choose by; every choice is measured again as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onnx import ModelProto

from export.graph import with_outputs
from export.heads import BOXES, SCORES
from export.progress import steps
from export.qdq import quantise
from export.runner import Feeds, MemorySession, distortion


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer that can be quantised."""

    name: str
    kind: str
    macs: int
    sqnr_db: float
    """Local: of its own output."""
    harm: float
    """`distortion` of the model's outputs with this layer alone in INT8."""

    @property
    def cost_of_int8(self) -> float:
        """Harm per multiply-accumulate gained: what to give up first."""
        return self.harm / max(self.macs, 1)


class Harm:
    """Measures how far a changed model's outputs are from the original's, on a few pictures."""

    def __init__(self, model: ModelProto, feeds: Sequence[Feeds]) -> None:
        made = {name for node in model.graph.node for name in node.output}
        outputs = [value.name for value in model.graph.output]
        self._tensors = [BOXES, SCORES] if {BOXES, SCORES} <= made else outputs
        self._feeds = feeds
        self._reference = self._run(model)

    def __call__(self, model: ModelProto) -> float:
        return distortion(self._reference, self._run(model))

    def _run(self, model: ModelProto) -> list[dict[str, Any]]:
        session = MemorySession(with_outputs(model, self._tensors))
        return [session.infer(feed) for feed in self._feeds]


def harms(
    names: Sequence[str], limits: Mapping[str, float], harm: Harm, alone: Callable[[str], ModelProto]
) -> dict[str, float]:
    """By layer; `alone` gives the (corrected) float model that this layer is then quantised in."""
    return {name: harm(quantise(alone(name), limits, [name])) for name in steps(names, "each layer in INT8")}


def choose(layers: Sequence[Layer], share: float) -> list[str]:
    """The layers for INT8, in their order; those of most harm are given up while `share` of MACs stays."""
    total = sum(layer.macs for layer in layers)
    spare = round((1 - share) * total)
    given_up: set[str] = set()
    for layer in sorted(layers, key=lambda layer: -layer.cost_of_int8):
        if layer.macs <= spare:
            spare -= layer.macs
            given_up.add(layer.name)
    return [layer.name for layer in layers if layer.name not in given_up]


def share_of(layers: Sequence[Layer], names: Collection[str]) -> float:
    """Share of the multiply-accumulates that the layers `names` make, 0 to 1."""
    total = sum(layer.macs for layer in layers)
    return sum(layer.macs for layer in layers if layer.name in names) / max(total, 1)
