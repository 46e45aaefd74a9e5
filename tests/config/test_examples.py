"""The files in `configs/` and the pieces in the documentation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgeguard.config import advice, load, parse
from edgeguard.config.generated import DOCUMENT
from edgeguard.models import load_catalog
from edgeguard.synth import Scene
from tests.conftest import REPOSITORY

EXAMPLES = sorted({*(REPOSITORY / "configs").glob("*.yaml")} - {REPOSITORY / "configs/collector.yaml"})
PIECES = re.findall(r"```yaml\n(.*?)```", (REPOSITORY / DOCUMENT).read_text(encoding="utf-8"), re.DOTALL)
PARTS: Any = {
    "site": "a",
    "device": "b",
    "cameras": {"one": {"url": "scene://yard"}},
    "mqtt": {"host": "localhost"},
}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_examples_are_valid_and_lead_the_editor_to_the_schema(path: Path) -> None:
    config = load(path)
    assert [said for said in advice(config) if "cannot use" not in said] == []
    first, _, _ = path.read_text().partition("\n")
    assert first == "# yaml-language-server: $schema=edgeguard.schema.json"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_models_in_examples_exist(path: Path) -> None:
    config = load(path)
    detectors = {config.detector.model, *(camera.detector.model for camera in config.cameras.values())}
    hearing = {config.speech.model, config.speech.vad.model, config.sounds.model} - {None}
    names = {card.name for card in load_catalog().cards}
    assert (detectors - {"motion"}) | hearing <= names


def test_the_demo_needs_nothing_but_a_broker() -> None:
    config = load(REPOSITORY / "configs" / "demo.yaml")
    sources = [*config.cameras.values(), *config.microphones.values()]
    assert [source.url.scheme for source in sources] == ["scene"] * 3
    assert (config.mqtt.host, config.mqtt.port) == ("127.0.0.1", 1883)


def test_the_demo_watches_what_is_drawn() -> None:
    for camera in load(REPOSITORY / "configs" / "demo.yaml").cameras.values():
        scene = Scene.open(camera.url.address)
        for name, zone in camera.zones.items():
            drawn = [corner for point in scene.zones[name] for corner in point]
            assert [corner for point in zone.polygon for corner in point] == pytest.approx(drawn, abs=0.01)
        assert set(camera.lines) <= set(scene.lines)


@pytest.mark.parametrize("piece", PIECES, ids=range(len(PIECES)))
def test_pieces_of_the_documentation_are_valid(piece: str) -> None:
    found = yaml.load(piece, Loader=yaml.BaseLoader) or {}
    said = {key: parse_plain(value) for key, value in found.items()}
    assert parse(yaml.safe_dump(PARTS | said), "piece")


def parse_plain(value: Any) -> Any:
    """Text that looks like a number or a truth value, as such; times stay text."""
    if isinstance(value, dict):
        return {key: parse_plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [parse_plain(inner) for inner in value]
    return value if ":" in value else yaml.safe_load(value)
