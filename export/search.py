"""Finds by itself how much of a model may run in INT8.

1. Ranges: every way of cutting tails is tried, and each tensor gets the one with the least local error.
2. Equalisation and bias correction make up for what can be made up for.
3. Each layer's harm is measured by itself.
4. The frontier: for falling shares of the multiply-accumulates, the layers of least harm are kept in INT8,
   and the whole is measured on the tuning pictures.
5. More INT8 cannot be more accurate, but few pictures may say so. Drops are therefore smoothed to rise with
   the share (isotonic regression), and chosen is the largest share that keeps well within the floor then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from onnx import ModelProto
from scipy.optimize import isotonic_regression

from edgeguard.errors import ModelError
from export.equalise import equalise
from export.graph import finish, macs_of
from export.judge import Judge, Verdict
from export.pictures import spread
from export.progress import say
from export.qdq import fed_tensors, layers, quantise
from export.ranges import METHODS, Histogram, measure, thresholds
from export.recipe import Recipe
from export.runner import Feeds
from export.sensitivity import Harm, Layer, choose, harms, share_of
from export.twins import LocalError, correct_bias, local_errors

SHARES = (1.0, 0.97, 0.95, 0.93, 0.9, 0.87, 0.84, 0.8, 0.75, 0.7, 0.6, 0.5)
MARGIN = 0.5
"""The tuning pictures are few, so a choice must use no more than this part of the floor there."""
LOCAL_PICTURES, HARM_PICTURES = 16, 16


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the frontier."""

    share: float
    names: tuple[str, ...]
    """Layers in INT8."""
    harm: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Found:
    """What the search leaves behind."""

    model: ModelProto
    """Quantised."""
    point: Point
    frontier: tuple[Point, ...]
    layers: tuple[Layer, ...]
    methods: Mapping[str, int]
    """How many tensors got their range by which method."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Thresholds and local errors of every layer."""

    limits: Mapping[str, float]
    errors: Mapping[str, LocalError]
    methods: Mapping[str, int]


def search(
    model: ModelProto, recipe: Recipe, calibration: Sequence[Feeds], tuning: Sequence[Feeds], judge: Judge
) -> Found:
    """ModelError if no share of `SHARES` keeps within the floor: the model stays FP16 then."""
    model = equalise(model)
    names = [node.name for node in layers(model)]
    histograms = measure(model, fed_tensors(model, names), calibration)
    ranges = best_ranges(model, histograms, names, spread(calibration, LOCAL_PICTURES))
    harm = Harm(model, spread(tuning, HARM_PICTURES))
    found = _layers(model, recipe, names, ranges, harm)
    frontier = _frontier(model, found, ranges, harm, judge)
    point = pick(frontier, recipe)
    quantised = finish(build(model, ranges, point.names), f"{recipe.name} in INT8")
    return Found(quantised, point, frontier, found, ranges.methods)


def build(model: ModelProto, ranges: Ranges, names: Sequence[str]) -> ModelProto:
    """The model with the layers `names` in INT8, their biases corrected."""
    errors = {name: ranges.errors[name] for name in names}
    return quantise(correct_bias(model, errors), ranges.limits, names)


def best_ranges(
    model: ModelProto, histograms: Mapping[str, Histogram], names: Sequence[str], feeds: Sequence[Feeds]
) -> Ranges:
    """For each tensor the method whose worst reader is least wrong."""
    tried = {method: thresholds(histograms, method) for method in METHODS}
    errors = {method: local_errors(model, limits, names, feeds) for method, limits in tried.items()}
    readers = {
        tensor: [node.name for node in layers(model) if tensor in node.input[:2]] for tensor in histograms
    }
    chosen = {
        tensor: max(METHODS, key=lambda method: min(errors[method][name].sqnr_db for name in readers[tensor]))
        for tensor in histograms
    }
    limits = {tensor: tried[method][tensor] for tensor, method in chosen.items()}
    counts = {method: list(chosen.values()).count(method) for method in METHODS}
    return Ranges(limits, local_errors(model, limits, names, feeds), counts)


def pick(frontier: Sequence[Point], recipe: Recipe) -> Point:
    """The largest share whose smoothed drop keeps within `MARGIN` of the floor; ModelError if none does."""
    points = sorted(frontier, key=lambda point: point.share)
    drops = isotonic_regression([point.verdict.drop for point in points]).x
    good = [point for point, drop in zip(points, drops, strict=True) if drop <= recipe.allowed_drop * MARGIN]
    if not good:
        raise ModelError(
            f"{recipe.name}: no share of INT8 keeps within the floor; at {points[0].share:.0%} the drop is "
            f"{drops[0]:.4f}: leave the model in FP16, or lower the floor in its recipe"
        )
    return good[-1]


def _layers(
    model: ModelProto, recipe: Recipe, names: Sequence[str], ranges: Ranges, harm: Harm
) -> tuple[Layer, ...]:
    macs = macs_of(model, recipe.name)

    def alone(name: str) -> ModelProto:
        return correct_bias(model, {name: ranges.errors[name]})

    found = harms(names, ranges.limits, harm, alone)
    kinds = {node.name: node.op_type for node in layers(model)}
    return tuple(
        Layer(name, kinds[name], macs[name], ranges.errors[name].sqnr_db, found[name]) for name in names
    )


def _frontier(
    model: ModelProto, found: Sequence[Layer], ranges: Ranges, harm: Harm, judge: Judge
) -> tuple[Point, ...]:
    points: list[Point] = []
    for names in dict.fromkeys(tuple(choose(found, share)) for share in SHARES):
        quantised = build(model, ranges, names)
        point = Point(share_of(found, names), names, harm(quantised), judge(quantised))
        say(f"INT8 share {point.share:6.1%}  harm {point.harm:.4f}  drop {point.verdict.drop:+.4f}")
        points.append(point)
    return tuple(points)
