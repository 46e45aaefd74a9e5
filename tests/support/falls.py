"""Real pictures of people who stand, bend, fall and lie, read from the folder of real clips and kept nowhere.

Both who lie lie at the picture's lower edge, where a box says nothing. `higher` puts a strip of floor below
the picture, as a camera would show that looks a little further down.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

FOLDER = "data/gt/fall_images"
POSTURES = {
    "standing": ("1", "4", "11", "15", "16"),
    "walking": ("1_1",),
    "bending": ("17",),
    "falling": ("2_2",),
    "crouched": ("2",),
    "on the floor, curled up": ("3",),
    "on the floor, stretched out": ("12",),
}
FLOOR = (70, 65, 60)
STRIP_PX = 40


def still(mirror: Path, number: str) -> NDArray[np.uint8]:
    """(480, 640, 3) BGR."""
    path = mirror / FOLDER / f"fall_img_{number}.png"
    if not path.is_file():
        pytest.skip(f"the folder of real clips and models has no {FOLDER}/{path.name}")
    picture: Any = cv2.imread(str(path))
    assert picture.shape == (480, 640, 3)
    return np.asarray(picture, np.uint8)


def higher(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same with a strip of floor below it."""
    strip = np.full((STRIP_PX, picture.shape[1], 3), FLOOR, np.uint8)
    return np.concatenate((picture, strip))
