"""`edgeguard calibrate` on drawn cameras."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

from edgeguard.vision.calibration import LIST
from tests.cli.conftest import Type

Write = Callable[[dict[str, Any]], Path]


def scene(**more: Any) -> dict[str, Any]:
    return {"url": "scene://yard?width=320&height=180", "pace": "fast", **more}


def test_pictures_are_collected_masked_and_listed(
    type_in: Type, write: Write, config: dict[str, Any], tmp_path: Path
) -> None:
    top = [[0, 0], [1, 0], [1, 0.5], [0, 0.5]]
    config["cameras"] = {"yard": scene(masks=[top])}
    config["rules"] = []
    out = tmp_path / "set"
    result = type_in("calibrate", "--from", write(config), "--out", out, "--pictures", 3, "--every", 2)
    assert result.exit_code == 0, result.output
    listed = json.loads((out / LIST).read_text())
    assert len(listed["pictures"]) == 3
    assert listed["dataset_sha256"] in result.output
    for item in listed["pictures"]:
        pixels = cv2.imread(str(out / item["name"]))
        assert not pixels[:88].any()
        assert pixels[92:].any()


def test_the_same_site_gives_the_same_list(
    type_in: Type, write: Write, config: dict[str, Any], tmp_path: Path
) -> None:
    config["cameras"] = {"yard": scene()}
    config["rules"] = []
    path = write(config)
    for place in ("a", "b"):
        type_in("calibrate", "--from", path, "--out", tmp_path / place, "--pictures", 2)
    assert (tmp_path / "a" / LIST).read_bytes() == (tmp_path / "b" / LIST).read_bytes()


def test_a_camera_that_fails_is_said_and_the_others_go_on(
    type_in: Type, write: Write, config: dict[str, Any], tmp_path: Path
) -> None:
    config["cameras"] = {"gone": {"url": (tmp_path / "none.mp4").as_uri()}, "yard": scene()}
    config["rules"] = []
    result = type_in("calibrate", "--from", write(config), "--out", tmp_path / "set", "--pictures", 1)
    assert result.exit_code == 1
    assert "camera gone" in result.output
    assert len(list((tmp_path / "set").rglob("*.png"))) == 1


def test_an_unknown_camera_is_refused(type_in: Type, write: Write, config: dict[str, Any]) -> None:
    result = type_in("calibrate", "--from", write(config), "--camera", "yrad")
    assert result.exit_code == 2
    assert "no camera yrad" in result.output
