from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from edgeguard.errors import ModelError
from edgeguard.models import ModelStore, load_catalog
from edgeguard.runtime.detectors import DetectorChoice, DetectorLoader
from edgeguard.types import Colour, PixelFormat
from tests.support.pictures import noise

CATALOG = load_catalog()
CHOICE: dict[str, Any] = {"confidence": 0.35, "iou": 0.45, "classes": ("person", "car"), "threads": 1}


def choice(model: str) -> DetectorChoice:
    return DetectorChoice(model, **CHOICE)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("yolox-nano-416", "edgeguard models pull yolox-nano-416"),
        ("yolox-nano-461", "did you mean"),
        ("yamnet", "yamnet is no detector"),
    ],
)
def test_what_cannot_be_had_is_told_with_the_way_to_it(tmp_path: Path, model: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        DetectorLoader(CATALOG, ModelStore(tmp_path)).load(choice(model))


def test_motion_needs_no_model(tmp_path: Path) -> None:
    detector = DetectorLoader(CATALOG, ModelStore(tmp_path)).load(choice("motion"))
    assert detector.labels == ("motion",)


@pytest.mark.parametrize("model", ["yolox-nano-416", "nanodet-m-320"])
def test_a_model_that_is_here_looks_at_pictures(tmp_path: Path, mirror: Path, model: str) -> None:
    card = CATALOG.card(model)
    store = ModelStore(tmp_path, [mirror])
    if not store.installed(card):
        pytest.skip(f"the folder of real clips and models has no {model}")
    detector = DetectorLoader(CATALOG, store).load(choice(model))
    assert detector.model.name == model
    assert detector.model.sha256 in card.file().digests
    (found,) = detector.detect([noise(320, 240, PixelFormat.NV12, Colour.BT709_LIMITED)])
    assert len(found) == 0, "nothing is in noise"


def test_a_model_that_comes_later_is_found_and_a_damaged_one_is_not_used(
    tmp_path: Path, mirror: Path
) -> None:
    card = CATALOG.card("yolox-nano-416")
    mirrored = ModelStore(tmp_path / "none", [mirror])
    if not mirrored.installed(card):
        pytest.skip("the folder of real clips and models has no yolox-nano-416")
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path))
    with pytest.raises(ModelError):
        loader.load(choice(card.name))
    (tmp_path / card.name).mkdir()
    for file in card.files:
        shutil.copy(mirrored.path(card, file.name), tmp_path / card.name / file.name)
    assert loader.load(choice(card.name)).model.name == card.name
    weights = tmp_path / card.name / card.file().name
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="is not the"):
        loader.load(choice(card.name))
