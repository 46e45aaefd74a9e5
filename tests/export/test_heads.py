"""Decoding inside the graph says what the product's own decoding says."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec, OnnxSession, load_catalog
from edgeguard.types import Detections
from edgeguard.vision.compact import CompactDetector
from edgeguard.vision.nanodet import NanoDetDetector
from edgeguard.vision.network import NetworkDetector
from edgeguard.vision.yolox import YoloxDetector
from export import graph
from export.heads import BOXES, HEADS, SCORES, keep_best
from export.onnx import prepare
from export.pictures import frame_of
from export.recipe import load_recipe
from export.runner import MemorySession
from tests.export import networks
from tests.export.networks import CLASSES, HEIGHT, LABELS, WIDTH

SPECS = {
    "yolox": InputSpec("images", WIDTH, HEIGHT),
    "nanodet": load_recipe("nanodet-m-320").input,
    "detr": InputSpec("images", WIDTH, HEIGHT, mode="stretch"),
}
DETECTORS: dict[str, type[NetworkDetector]] = {"yolox": YoloxDetector, "nanodet": NanoDetDetector}


def small_spec(kind: str) -> InputSpec:
    return dataclasses.replace(SPECS[kind], width_px=WIDTH, height_px=HEIGHT)


def compact(kind: str, source: ModelProto) -> ModelProto:
    model = graph.normalise(source, kind)
    spec = small_spec(kind)
    HEADS[kind](model, spec)
    cells = 42 if kind != "detr" else 32
    keep_best(model, cells, CLASSES)
    return graph.finish(graph.simplify(model), kind)


def picture(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 255, (90, 140, 3), np.uint8)


def same(left: Detections, right: Detections) -> None:
    assert len(left) == len(right)
    rows = [np.lexsort((*found.xyxy.T, found.class_id)) for found in (left, right)]
    np.testing.assert_allclose(left.xyxy[rows[0]], right.xyxy[rows[1]], atol=2e-2)
    np.testing.assert_allclose(left.confidence[rows[0]], right.confidence[rows[1]], atol=1e-4)
    assert (left.class_id[rows[0]] == right.class_id[rows[1]]).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", DETECTORS)
def test_small_networks_find_the_same_in_both_ways(kind: str, seed: int) -> None:
    source = getattr(networks, kind)(seed)
    raw = DETECTORS[kind](MemorySession(source), LABELS, 0.2, 0.5)
    inside = CompactDetector(MemorySession(compact(kind, source)), LABELS, 0.2, 0.5, spec=small_spec(kind))
    (want,), (have,) = raw.detect([frame_of(picture(seed))]), inside.detect([frame_of(picture(seed))])
    assert len(want)
    same(want, have)


def test_real_yolox_finds_the_same_in_real_pictures(mirror: Path) -> None:
    for name, decoder in (("yolox-nano-416", YoloxDetector), ("nanodet-m-320", NanoDetDetector)):
        recipe = load_recipe(name)
        source = mirror / (recipe.card.file().mirror or "")
        labels = load_catalog().card(name).labels
        raw = decoder(OnnxSession(source, name), labels, 0.35, 0.6)
        inside = CompactDetector(MemorySession(prepare(recipe, source)), labels, 0.35, 0.6, spec=recipe.input)
        things = 0
        for path in sorted((mirror / "data/gt/coco_tiny100/train2017").glob("*.jpg"))[:8]:
            frame = frame_of(np.asarray(cv2.imread(str(path)), np.uint8))
            (want,), (have,) = raw.detect([frame]), inside.detect([frame])
            things += len(want)
            same(want, have)
        assert things > 10


def test_a_detr_answers_in_pixels_of_its_input() -> None:
    source = networks.detr()
    raw, model = MemorySession(source), compact("detr", source)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 3, HEIGHT, WIDTH)).astype(np.float32)
    answer = raw.infer({"images": pixels})
    (rows,) = MemorySession(model).infer({"images": pixels})["detections"]
    scores = 1 / (1 + np.exp(-answer["logits"][0]))
    query, class_id = np.unravel_index(np.argmax(scores), scores.shape)
    x, y, width, height = answer["pred_boxes"][0, query]
    want = [
        (x - width / 2) * WIDTH,
        (y - height / 2) * HEIGHT,
        (x + width / 2) * WIDTH,
        (y + height / 2) * HEIGHT,
    ]
    np.testing.assert_allclose(rows[0], [*want, scores.max(), class_id], rtol=1e-3, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 40), st.integers(1, 7), st.integers(1, 30))
def test_two_steps_keep_what_one_would(seed: int, cells: int, classes: int, k: int) -> None:
    random = np.random.default_rng(seed)
    scores = random.permutation(cells * classes).reshape(1, cells, classes).astype(np.float32)
    boxes = random.uniform(0, 99, (1, cells, 4)).astype(np.float32)
    kept = keep_model(cells, classes, k)
    (rows,) = MemorySession(kept).infer({"b": boxes, "s": scores})["detections"]
    best = np.argsort(-scores[0].ravel())[: len(rows)]
    assert len(rows) == min(k, cells * classes, min(k, cells) * classes)
    np.testing.assert_array_equal(rows[:, 4], scores[0].ravel()[best])
    np.testing.assert_array_equal(rows[:, 5], best % classes)
    np.testing.assert_array_equal(rows[:, :4], boxes[0, best // classes])


def keep_model(cells: int, classes: int, k: int) -> ModelProto:
    shapes: dict[str, list[Any]] = {"b": [None, cells, 4], "s": [None, cells, classes]}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, s) for name, s in shapes.items()]
    nodes = [helper.make_node("Identity", [a], [b]) for a, b in (("b", BOXES), ("s", SCORES))]
    model = helper.make_model(
        helper.make_graph(nodes, "keep", inputs, []),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    keep_best(model, cells, classes, k)
    return model


@pytest.mark.parametrize("kind", HEADS)
def test_another_network_is_refused(kind: str) -> None:
    with pytest.raises(ModelError):
        HEADS[kind](graph.normalise(networks.chain(), "chain"), SPECS[kind])
