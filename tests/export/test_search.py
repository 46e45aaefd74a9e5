"""The choice among measured points, and the search on the real model."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from edgeguard.errors import ModelError
from export import graph
from export.coco import Score
from export.judge import Verdict
from export.measure import calibration_pictures
from export.onnx import prepare
from export.pictures import Feeder
from export.qdq import fed_tensors, layers, quantise
from export.ranges import measure
from export.recipe import load_recipe
from export.search import Point, best_ranges, build, pick
from export.sensitivity import Harm
from tests.export.site import make_site

RECIPE = dataclasses.replace(load_recipe("yolox-nano-416"), map_drop=0.01)


def frontier(*drops: float) -> list[Point]:
    """Points at falling shares, from 1 down."""
    return [
        Point(1 - at / 10, (str(at),), 0.0, Verdict(Score(0.3, 0.5, {}), Score(0.3 - drop, 0.5, {}), 1.0))
        for at, drop in enumerate(drops)
    ]


@pytest.mark.parametrize(
    ("drops", "share"),
    [
        ((0.1, 0.004, 0.001), 0.9),
        ((0.001, 0.001), 1.0),
        ((0.0, 0.05, 0.001), 0.8),  # a lucky point above a bad one is not believed
        ((0.1, 0.004, 0.0055, 0.003), 0.9),  # an unlucky one among good ones is
    ],
)
def test_the_largest_share_within_the_floor_is_chosen(drops: tuple[float, ...], share: float) -> None:
    assert pick(frontier(*drops), RECIPE).share == pytest.approx(share)


def test_where_no_share_will_do_the_model_stays_fp16() -> None:
    with pytest.raises(ModelError, match="FP16"):
        pick(frontier(0.2, 0.1), RECIPE)


def test_each_tensor_gets_the_range_of_least_error(tmp_path: Path) -> None:
    recipe = make_site(tmp_path)
    model = graph.normalise(graph.load(tmp_path / "tiny.onnx"), "tiny")
    names = [node.name for node in layers(model)]
    feeds = Feeder(recipe.input).feeds(calibration_pictures(recipe, None, tmp_path))
    histograms = measure(model, fed_tensors(model, names), feeds)
    found = best_ranges(model, histograms, names, feeds)
    assert sum(found.methods.values()) == len(histograms)
    assert all(0 < limit <= histograms[name].peak for name, limit in found.limits.items())
    assert min(error.sqnr_db for error in found.errors.values()) > 15


def test_yolox_in_int8_sees_where_minmax_is_blind(mirror: Path) -> None:
    """The known failure of plain recipes, on the real model and few pictures."""
    recipe = dataclasses.replace(load_recipe("yolox-nano-416"), calibration_images=8)
    model = prepare(recipe, mirror / str(recipe.card.file().mirror))
    calibration = calibration_pictures(recipe, None, mirror)
    feeds = Feeder(recipe.input).feeds(calibration)
    names = [node.name for node in layers(model)]
    histograms = measure(model, fed_tensors(model, names), feeds)
    harm = Harm(model, feeds)
    plain = quantise(model, {name: h.peak for name, h in histograms.items()}, names)
    ranges = best_ranges(model, histograms, names, feeds)
    kept = [name for name in names if ranges.errors[name].sqnr_db > 21]
    ours = build(model, ranges, kept)
    assert harm(plain) > 0.5
    assert harm(ours) < 0.1
    assert len(kept) > len(names) // 2
