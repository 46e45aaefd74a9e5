from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeguard.types import Colour, Line, PixelFormat, Polygon
from edgeguard.vision.snapshot import Overlay, snapshot
from tests.support.pictures import grey, noise
from tests.support.tracks import tracks

RIGHT: Polygon = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))
WIDTH, HEIGHT, STRIP = 320, 240, 26
NOTHING = Overlay()
RED, AMBER = (0, 0, 255), (255, 191, 0)


def picture(
    overlay: Overlay = NOTHING,
    zone: str | None = None,
    causes: tuple[int, ...] = (),
    value: int = 90,
    things: tuple[tuple[int, float, float], ...] = (),
    **other: Any,
) -> NDArray[np.uint8]:
    data = snapshot(
        grey(WIDTH, HEIGHT, value),
        tracks(0.0, *things),
        overlay,
        **{"zone": zone, "causes": causes, "caption": "person 7 entered dock", "quality": 100, **other},
    )
    return decoded(data)


def decoded(data: bytes) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


def near(image: NDArray[np.uint8], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Where the picture has about this colour (blue, green, red)."""
    return np.abs(image.astype(int) - colour).max(axis=2) < 60


def test_the_caption_is_below_the_picture_and_covers_nothing_of_it() -> None:
    image = picture()
    assert image.shape == (HEIGHT + STRIP, WIDTH, 3)
    assert np.abs(image[:HEIGHT].astype(int) - 90).max() <= 2
    assert image[HEIGHT:].max() > 200


def test_a_mask_is_black_whatever_lay_under_it() -> None:
    image = picture(Overlay(masks=[RIGHT]), value=250, things=((7, 0.8, 0.9),))
    masked = image[: HEIGHT - 60, WIDTH // 2 + 8 :]
    assert np.median(masked) == 0
    assert image[:HEIGHT, : WIDTH // 2 - 8].min() > 240


@settings(max_examples=25)
@given(
    corners=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=3, max_size=6),
    seed=st.integers(0, 9),
)
def test_two_frames_that_differ_only_under_the_mask_give_the_same_file(
    corners: list[tuple[float, float]], seed: int
) -> None:
    """Nothing of what is masked gets into the stored bytes."""
    overlay = Overlay(masks=[tuple(corners)])
    clear = noise(WIDTH, HEIGHT, PixelFormat.BGR, Colour.BT601_LIMITED, seed)
    hidden = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.fillPoly(hidden, [np.round(np.array(corners) * (WIDTH, HEIGHT)).astype(np.int32)], 1)
    other = noise(WIDTH, HEIGHT, PixelFormat.BGR, Colour.BT601_LIMITED, seed + 1)
    mixed = np.where(hidden[..., None], other.planes[0], clear.planes[0])
    wanted = {"zone": None, "causes": (), "caption": "x"}
    changed = snapshot(type(clear)(**{**_fields(clear), "planes": (mixed,)}), tracks(0.0), overlay, **wanted)
    assert changed == snapshot(clear, tracks(0.0), overlay, **wanted)


def _fields(frame: Any) -> dict[str, Any]:
    return {name: getattr(frame, name) for name in frame.__slots__}


def test_who_caused_it_is_red_and_the_others_are_not() -> None:
    image = picture(causes=(7,), things=((7, 0.25, 0.8), (8, 0.75, 0.8)))[:HEIGHT]
    assert near(image, RED)[:, : WIDTH // 2].sum() > 100
    assert near(image, RED)[:, WIDTH // 2 :].sum() == 0


@pytest.mark.parametrize(
    ("zone", "drawn"), [("dock", True), ("entrance", True), ("elsewhere", False), (None, False)]
)
def test_the_place_concerned_is_drawn(zone: str | None, drawn: bool) -> None:
    overlay = Overlay(zones={"dock": RIGHT}, lines={"entrance": Line((0.1, 0.5), (0.9, 0.5))})
    assert bool(near(picture(overlay, zone)[:HEIGHT], AMBER).any()) is drawn


@pytest.mark.parametrize(
    ("max_width_px", "width", "height"), [(160, 160, 120), (320, 320, 240), (4000, 320, 240)]
)
def test_a_wide_picture_is_made_smaller_and_a_small_one_stays(
    max_width_px: int, width: int, height: int
) -> None:
    image = picture(Overlay(masks=[RIGHT]), max_width_px=max_width_px, value=250)
    assert image.shape == (height + STRIP, width, 3)
    assert image[:height, width // 2 + 4 :].max() < 12


@pytest.mark.parametrize("pixel_format", list(PixelFormat))
def test_every_format_of_frame_gives_a_picture(pixel_format: PixelFormat) -> None:
    frame = noise(322, 242, pixel_format, Colour.BT709_LIMITED)
    data = snapshot(frame, tracks(0.0), Overlay(), zone=None, causes=(), caption="Tür offen – 門")
    assert decoded(data).shape == (242 + STRIP, 322, 3)


def test_boxes_that_leave_the_picture_are_no_fault() -> None:
    picture(things=((7, 0.0, 0.01), (8, 1.0, 1.0)), causes=(7, 8))
