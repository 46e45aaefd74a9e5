"""Calibration pictures: masked, sorted by light, and listed by what is in them."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.errors import StorageError
from edgeguard.types import Frame, PixelFormat
from edgeguard.vision.calibration import LIST, CalibrationFolder, light_of

LEFT_HALF = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def picture(*colour: int) -> NDArray[np.uint8]:
    return np.full((48, 64, 3), colour, np.uint8)


def frame(pixels: NDArray[np.uint8], camera: str = "yard") -> Frame:
    height, width = pixels.shape[:2]
    return Frame(camera, 0, 0, 0, 0, width, height, PixelFormat.BGR, (pixels,))


@pytest.mark.parametrize(
    ("colour", "light"),
    [((200, 120, 80), "day"), ((20, 10, 5), "night"), ((128, 128, 128), "night")],
    ids=["bright", "dark", "infrared"],
)
def test_dark_and_colourless_pictures_are_of_the_night(colour: tuple[int, int, int], light: str) -> None:
    assert light_of(picture(*colour)) == light


def test_what_is_masked_never_reaches_the_disk(tmp_path: Path) -> None:
    CalibrationFolder(tmp_path / "set", 5).add(frame(picture(200, 120, 80)), [LEFT_HALF])
    (path,) = tmp_path.rglob("*.png")
    kept = cv2.imread(str(path))
    assert path.relative_to(tmp_path).as_posix() == "set/yard/day/000000.png"
    assert not kept[:, :32].any()
    assert (kept[:, 40:] == (200, 120, 80)).all()


def test_each_light_of_each_camera_fills_up_by_itself(tmp_path: Path) -> None:
    folder = CalibrationFolder(tmp_path, 1)
    day, night = picture(200, 120, 80), picture(9, 5, 5)
    assert folder.add(frame(day), [])
    assert not folder.add(frame(day), [])
    assert folder.add(frame(night), [])
    assert folder.add(frame(day, "gate"), [])
    assert [folder.count("yard", "day"), folder.count("yard", "night"), folder.count("gate", "night")] == [
        1,
        1,
        0,
    ]


def test_the_same_pictures_give_the_same_digest_and_others_another(tmp_path: Path) -> None:
    digests = []
    for place, colour in (("a", 200), ("b", 200), ("c", 201)):
        folder = CalibrationFolder(tmp_path / place, 5)
        folder.add(frame(picture(colour, 120, 80)), [])
        digests.append(folder.finish()[1])
        listed = json.loads((tmp_path / place / LIST).read_text())
        assert listed["dataset_sha256"] == digests[-1]
        assert [item["name"] for item in listed["pictures"]] == ["yard/day/000000.png"]
    assert digests[0] == digests[1] != digests[2]


def test_a_later_run_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    for _ in range(2):
        CalibrationFolder(tmp_path, 2).add(frame(picture(200, 120, 80)), [])
    assert len(list(tmp_path.rglob("*.png"))) == 2


def test_only_the_owner_may_enter_the_folder(tmp_path: Path) -> None:
    CalibrationFolder(tmp_path / "set", 1)
    assert (tmp_path / "set").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="choose another"):
        CalibrationFolder(tmp_path / "file" / "set", 1)
