"""Calibration pictures: the same list everywhere, and every fault named."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec
from edgeguard.types import Frame, PixelFormat
from edgeguard.vision.calibration import CalibrationFolder
from export.pictures import Feeder, open_pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pictures"
    (place / "gate").mkdir(parents=True)
    for number in range(6):
        name = place / ("gate" if number % 2 else "") / f"{number}.png"
        cv2.imwrite(str(name), np.full((20, 30, 3), number * 40, np.uint8))
    return place


def test_the_same_pictures_give_the_same_list_wherever_they_lie(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "other")
    first, second = open_pictures(folder, 4), open_pictures(tmp_path / "other", 4)
    assert (first.names, first.dataset_sha256, first.list_sha256) == (
        second.names,
        second.dataset_sha256,
        second.list_sha256,
    )
    assert len(first.names) == 4
    cv2.imwrite(str(tmp_path / "other" / "0.png"), np.zeros((9, 9, 3), np.uint8))
    assert open_pictures(tmp_path / "other", 4).dataset_sha256 != first.dataset_sha256


def test_a_folder_of_the_sites_own_cameras_has_the_digest_that_was_told(tmp_path: Path) -> None:
    collected = CalibrationFolder(tmp_path / "set", 5)
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    for camera in ("yard-1", "yard"):
        collected.add(Frame(camera, 0, 0, 0, 0, 60, 40, PixelFormat.BGR, (pixels,)), [])
        pixels = pixels[::-1].copy()
    assert collected.finish() == (2, open_pictures(tmp_path / "set").dataset_sha256)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="edgeguard calibrate"):
        open_pictures(tmp_path)


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="none"):
        open_pictures(tmp_path / "none")


@pytest.mark.parametrize("data", [b"", b"\x89PNG no picture", b"\xff\xd8\xff\xe0"])
def test_a_picture_that_cannot_be_read_is_named(folder: Path, data: bytes) -> None:
    (folder / "broken.jpg").write_bytes(data)
    with pytest.raises(ModelError, match=r"broken\.jpg"):
        open_pictures(folder)


def test_a_video_is_spread_over_its_length(mirror: Path) -> None:
    video = mirror / "data/video/people-detection_preview.mp4"
    found = open_pictures(video, 3)
    assert len(found.frames) == 3
    assert found.names[0].endswith("#0")
    assert open_pictures(video, 3).dataset_sha256 == found.dataset_sha256


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"no video")
    with pytest.raises(ModelError, match=r"clip\.mp4"):
        open_pictures(tmp_path / "clip.mp4")


def test_a_tensor_has_the_models_layout_and_type() -> None:
    picture = np.full((10, 20, 3), (1, 2, 3), np.uint8)
    plain = Feeder(InputSpec("x", 16, 8)).tensor(picture)
    turned = Feeder(InputSpec("x", 16, 8, layout="nhwc", dtype="uint8", order="rgb")).tensor(picture)
    assert (plain.shape, plain.dtype) == ((1, 3, 8, 16), np.float32)
    assert (turned.shape, turned.dtype, turned[0, 0, 0].tolist()) == ((1, 8, 16, 3), np.uint8, [3, 2, 1])
