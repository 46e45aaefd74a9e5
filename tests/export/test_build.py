"""From a published file to an accepted or refused INT8 model, with all that lies beside it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import numpy_helper

from edgeguard.errors import ModelError
from edgeguard.models.exported import read_exported
from edgeguard.models.lint import lint
from edgeguard.models.onnx_graph import load_graph
from export import graph
from export.card import read_card
from export.measure import calibration_pictures
from export.quantise import build
from export.recipe import Recipe
from export.table import BEGIN, END, put_into, table
from export.verify import require_sound, verify
from tests.export import networks
from tests.export.site import make_site

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    folder = tmp_path_factory.mktemp("site")
    recipe = make_site(folder, map_drop=0.02)
    calibration = calibration_pictures(recipe, None, folder)
    build(recipe, folder / "tiny.onnx", calibration, folder, folder / "built")
    return recipe, folder


def run(built: tuple[Recipe, Path], module: str, *words: str) -> subprocess.CompletedProcess[str]:
    _, folder = built
    command = [sys.executable, "-m", f"export.{module}", str(folder / "tiny.yaml"), "--mirror", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run([*command, *words], capture_output=True, text=True, cwd=folder, env=environment)


def test_int8_passes_the_parsers_rules_and_its_card_tells_of_it(built: tuple[Recipe, Path]) -> None:
    _, folder = built
    card = read_card(folder / "built" / "tiny.card.json")
    assert [str(finding) for finding in lint(folder / "built" / "tiny.int8.onnx")] == []
    assert card["accuracy"]["drop"] <= 0.02
    assert card["accuracy"]["fp32"]["map"] > 0.5
    assert card["plan"]["int8_mac_share"] >= 0.5
    assert {layer["precision"] for layer in card["plan"]["layers"]} <= {"int8", "float"}
    assert card["calibration"]["images"] == 8
    assert read_exported(folder / "built" / "tiny.card.json").variants.keys() == {"fp32", "int8"}


def test_the_gate_passes_it_and_says_the_figures_on_the_last_line(built: tuple[Recipe, Path]) -> None:
    _, folder = built
    done = run(built, "verify", "--out", str(folder / "built"), "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures) == {"model", "images", "map_fp32", "map_int8", "drop", "int8_mac_share"}
    assert (figures["model"], figures["images"]) == ("tiny", 8)
    assert figures["drop"] == pytest.approx(figures["map_fp32"] - figures["map_int8"], abs=1e-3)


def test_the_gate_makes_what_is_not_there_yet(built: tuple[Recipe, Path], tmp_path: Path) -> None:
    done = run(built, "verify", "--out", str(tmp_path / "new"), "--json")
    assert done.returncode == 0, done.stderr
    assert "making it" in done.stderr
    (figures,) = map(json.loads, done.stdout.splitlines())
    assert figures["model"] == "tiny"
    assert (tmp_path / "new" / "tiny.card.json").is_file()


def test_an_int8_model_that_lost_its_sight_is_refused(built: tuple[Recipe, Path], tmp_path: Path) -> None:
    _, folder = built
    shutil.copytree(folder / "built", tmp_path / "built")
    model = load_graph(tmp_path / "built" / "tiny.int8.onnx").model
    for tensor in model.graph.initializer:
        if tensor.name.endswith("_scale"):
            scale = numpy_helper.to_array(tensor) * np.float32(100)
            tensor.CopyFrom(numpy_helper.from_array(scale, tensor.name))
    (tmp_path / "built" / "tiny.int8.onnx").write_bytes(model.SerializeToString())
    done = run(built, "verify", "--out", str(tmp_path / "built"), "--json")
    assert done.returncode == 1
    assert "is refused" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_floor_that_nothing_keeps_leaves_no_int8_behind(tmp_path: Path) -> None:
    recipe = make_site(tmp_path, map_drop=-0.5)
    calibration = calibration_pictures(recipe, None, tmp_path)
    with pytest.raises(ModelError, match="FP16"):
        build(recipe, tmp_path / "tiny.onnx", calibration, tmp_path, tmp_path / "built")
    assert not (tmp_path / "built" / "tiny.int8.onnx").exists()
    assert read_card(tmp_path / "built" / "tiny.card.json")["files"].keys() == {"fp32"}


def test_faults_are_one_sentence_and_no_traceback(built: tuple[Recipe, Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    _, folder = built
    for words in (
        ("quantise", "--calibration", str(tmp_path / "empty")),
        ("quantise", "--source", str(folder / "tiny.yaml")),
        ("verify", "--out", str(folder / "built"), "--engine", str(folder / "tiny.onnx")),
    ):
        done = run(built, words[0], "--out", str(tmp_path / "out"), *words[1:])  # the last --out counts
        assert done.returncode == 1
        assert any(word in done.stderr for word in (str(tmp_path), "tiny", "TensorRT", "GPU", "driver"))
        assert "Traceback" not in done.stderr


def test_a_model_that_does_not_match_its_recipe_is_refused(built: tuple[Recipe, Path]) -> None:
    recipe, folder = built
    damaged = folder / "damaged.onnx"
    damaged.write_bytes((folder / "built" / "tiny.onnx").read_bytes()[:2000])
    with pytest.raises(ModelError, match="damaged"):
        require_sound(damaged, recipe)
    graph.save(graph.normalise(networks.chain(), "chain"), folder / "other.onnx")
    with pytest.raises(ModelError, match="takes x"):
        require_sound(folder / "other.onnx", recipe)
    verdict, images = verify(recipe, folder / "built" / "tiny.onnx", folder / "built" / "tiny.onnx", folder)
    assert (verdict.drop, images) == (0, 8)


def test_the_table_of_the_documentation_is_written_from_the_cards(
    built: tuple[Recipe, Path], tmp_path: Path
) -> None:
    _, folder = built
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put_into(page, table(folder / "built", [str(folder / "tiny.yaml"), "yolox-s"]))
    text = page.read_text()
    assert "old" not in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| `tiny` | MIT |" in text
    assert "| `yolox-s` | Apache-2.0 | – |" in text
    with pytest.raises(ModelError, match="no place"):
        put_into(folder / "tiny.yaml", "")
