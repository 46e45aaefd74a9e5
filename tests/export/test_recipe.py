"""Recipes: each is right, and a wrong one says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.errors import ModelError
from export.heads import HEADS
from export.onnx import prepare, source_file
from export.recipe import load_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_says_what_its_model_is(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.card.licence
    assert recipe.card.file().url or recipe.card.file().mirror
    assert recipe.head is None or (recipe.head in HEADS and recipe.card.labels)
    assert recipe.input.width_px % 32 == 0 or recipe.head is None
    assert 0 < recipe.map_drop <= 0.02


@pytest.mark.parametrize("name", [name for name in recipe_names() if load_recipe(name).card.file().mirror])
def test_every_model_that_is_here_can_be_prepared(name: str, mirror: Path) -> None:
    recipe = load_recipe(name)
    model = prepare(recipe, source_file(recipe, mirror / str(recipe.card.file().mirror), None))
    assert model.opset_import[0].version == 17
    if recipe.head:
        assert [value.name for value in model.graph.output] == ["detections"]


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ModelError, match="did you mean yolox-nano-416"):
        load_recipe("yolox-nano-461")


@pytest.mark.parametrize(
    "text", ["heat: yolox", "card: {title: x}", "- a list", "calibration: {pictures: x}", "card: [", ""]
)
def test_a_wrong_recipe_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ModelError, match="mine"):
        load_recipe(str(path))


def test_a_source_that_differs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.onnx").write_bytes(b"other")
    with pytest.raises(ModelError, match="SHA-256"):
        source_file(load_recipe("yolox-nano-416"), tmp_path / "other.onnx", None)
