"""From PyTorch weights: small random networks of the published forms, with PyTorch's CPU build."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.models.lint import lint
from export import graph
from export.onnx import prepare
from export.qdq import fed_tensors, layers, quantise
from export.ranges import measure, thresholds
from export.recipe import Recipe, load_recipe
from export.runner import MemorySession
from export.torch_weights import build_network, export_network, load_weights
from tests.export.networks import CLASSES, HEIGHT, LABELS, WIDTH

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra export-torch)")


def small(name: str) -> Recipe:
    recipe = load_recipe(name)
    spec = dataclasses.replace(recipe.input, width_px=WIDTH, height_px=HEIGHT)
    file = dataclasses.replace(recipe.card.file(), sha256=None, also=())
    return dataclasses.replace(
        recipe, card=dataclasses.replace(recipe.card, input=spec, labels=LABELS, files=(file,))
    )


def yolox() -> Any:
    """A stem with SiLU, and at each stride a box, an objectness and classes, as YOLOX has them."""

    class Yolox(torch.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            nn = torch.nn
            self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 4, 1), nn.BatchNorm2d(8), nn.SiLU())
            self.down = nn.ModuleList(nn.Conv2d(8, 8, 3, 2, 1) for _ in range(3))
            self.box, self.sure = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 1 + CLASSES, 1)

        def forward(self, images: Any) -> Any:
            x, rows = self.stem(images / 128), []
            for down in self.down:
                x = torch.nn.functional.silu(down(x))
                rows.append(torch.cat([self.box(x), self.sure(x).sigmoid()], 1).flatten(2))
            return torch.cat(rows, 2).transpose(1, 2)

    return Yolox()


def detr() -> Any:
    """Tokens, one layer of attention, and the two heads of RT-DETR and D-FINE."""

    class Detr(torch.nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            nn = torch.nn
            self.patches = nn.Conv2d(3, 16, 8, 8)
            self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))
            self.classes, self.boxes = nn.Linear(16, CLASSES), nn.Linear(16, 4)

        def forward(self, images: Any) -> dict[str, Any]:
            x = self.patches(images).flatten(2).transpose(1, 2)
            share = (self.query(x) @ self.key(x).transpose(1, 2) / 4).softmax(2)
            x = torch.nn.functional.layer_norm(x + share @ self.value(x), (16,))
            return {"logits": self.classes(x), "pred_boxes": self.boxes(x).sigmoid()}

    return Detr()


NETWORKS = {"yolox-tiny": yolox, "yolox-s": yolox, "dfine-n": detr, "dfine-s": detr}


@pytest.mark.parametrize("name", NETWORKS)
def test_weights_become_a_model_that_tensorrt_reads_also_in_int8(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe, source = small(name), tmp_path / "traced.onnx"
    export_network(recipe, NETWORKS[name](), source)
    model = prepare(recipe, source)
    names = [node.name for node in layers(model)]
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 3, HEIGHT, WIDTH)).astype(np.float32)
    feeds = [{"images": pixels}]
    limits = thresholds(measure(model, fed_tensors(model, names), feeds), "minmax")
    graph.save(graph.finish(quantise(model, limits, names), name), tmp_path / "int8.onnx")
    assert [str(item) for item in lint(tmp_path / "int8.onnx") if item.level == "error"] == []
    (rows,) = MemorySession(model).infer({"images": pixels}).values()
    assert rows.shape[0] == 2
    assert rows.shape[2] == 6


def test_a_checkpoint_of_a_training_script_is_unwrapped(tmp_path: Path) -> None:
    network = yolox()
    torch.save({"epoch": 3, "model": network.state_dict()}, tmp_path / "weights.pth")
    other = yolox()
    load_weights(other, tmp_path / "weights.pth")
    assert torch.equal(other.box.weight, network.box.weight)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(detr().state_dict(), tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="not hold the weights"):
        load_weights(yolox(), tmp_path / "weights.pth")


class Trap:
    """What a hostile weights file brings along."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("sprung"),))


def test_code_in_a_weights_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": Trap()}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="not hold the weights"):
        load_weights(yolox(), tmp_path / "weights.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("place", ["", "nothing", "no.such.module:build", "math:no_such"])
def test_a_network_that_cannot_be_built_is_named(place: str) -> None:
    with pytest.raises(ModelError, match=r"package\.module:function"):
        build_network(place)
