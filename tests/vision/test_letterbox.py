"""The letterbox against plain arithmetic in float."""

from __future__ import annotations

import tracemalloc
from itertools import product

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeguard.types import Colour, Frame, PixelFormat
from edgeguard.vision import letterbox
from edgeguard.vision.colour import bgr_matrix
from edgeguard.vision.letterbox import Letterbox, Transform
from tests.support.pictures import frame, grey, noise

SIZES = [(640, 360), (641, 359), (200, 101), (97, 241), (64, 64)]
FORMATS = [*product([PixelFormat.I420, PixelFormat.NV12], Colour), (PixelFormat.BGR, Colour.BT601_LIMITED)]


def bilinear(plane: NDArray[np.uint8], width: int, height: int) -> NDArray[np.float64]:
    """(height, width, channels): pixel centres mapped onto pixel centres, edges held."""
    plane = plane.reshape(*plane.shape[:2], -1).astype(np.float64)

    def taps(n_out: int, n_in: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]:
        at = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, 0, n_in - 1)
        low = np.floor(at).astype(np.intp)
        return low, np.minimum(low + 1, n_in - 1), at - low

    top, bottom, down = taps(height, plane.shape[0])
    left, right, along = taps(width, plane.shape[1])
    rows = plane[top] * (1 - down[:, None, None]) + plane[bottom] * down[:, None, None]
    return rows[:, left] * (1 - along[:, None]) + rows[:, right] * along[:, None]


def reference(picture: Frame, width: int, height: int) -> NDArray[np.float64]:
    """(height, width, 3) BGR, 0..255, computed in float all the way."""
    mixed = np.concatenate([bilinear(plane, width, height) for plane in picture.planes], axis=2)
    if picture.format is PixelFormat.BGR:
        return mixed
    matrix = bgr_matrix(picture.colour)
    return np.clip(mixed @ matrix[:, :3].T + matrix[:, 3], 0, 255)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize(("pixel_format", "colour"), FORMATS, ids=str)
def test_agrees_with_float_arithmetic(
    pixel_format: PixelFormat, colour: Colour, size: tuple[int, int]
) -> None:
    picture = noise(*size, pixel_format, colour)
    out = np.full((3, 128, 160), np.nan, np.float32)
    transform = Letterbox(160, 128).into(picture, out)
    width, height = round(transform.scale_x * size[0]), round(transform.scale_y * size[1])
    error = np.abs(out[:, :height, :width].transpose(1, 2, 0) - reference(picture, width, height))
    # OpenCV scales 8-bit planes to within 0.8 levels; those that the matrix adds up are scaled in 16 bits.
    assert error.max() <= (0.8 if pixel_format is PixelFormat.BGR else 0.05)
    assert np.all(out[:, height:] == 114)
    assert np.all(out[:, :, width:] == 114)


@pytest.mark.parametrize("size", [(640, 480), (1920, 1080), (427, 640), (333, 200)], ids=str)
def test_bgr_is_the_official_letterbox_of_yolox(size: tuple[int, int]) -> None:
    picture = noise(*size, PixelFormat.BGR, Colour.BT601_LIMITED)
    pixels = picture.planes[0]
    ratio = min(416 / pixels.shape[0], 416 / pixels.shape[1])
    official = np.full((416, 416, 3), 114, np.uint8)
    scaled = cv2.resize(pixels, (int(size[0] * ratio), int(size[1] * ratio)), interpolation=cv2.INTER_LINEAR)
    official[: scaled.shape[0], : scaled.shape[1]] = scaled

    out = np.empty((3, 416, 416), np.float32)
    Letterbox(416, 416).into(picture, out)

    assert np.array_equal(out, official.transpose(2, 0, 1).astype(np.float32))


@pytest.mark.parametrize("pixel_format", PixelFormat, ids=str)
def test_normalises_each_channel_in_the_networks_order(pixel_format: PixelFormat) -> None:
    picture = noise(160, 120, pixel_format, Colour.BT709_LIMITED)
    bgr, rgb = np.empty((2, 3, 128, 160), np.float32)
    Letterbox(160, 128).into(picture, bgr)
    mean, std = np.array([10.0, 20.0, 30.0]), np.array([50.0, 60.0, 70.0])
    Letterbox(160, 128, mean=mean, std=std, order="rgb").into(picture, rgb)
    expected = (bgr[::-1] - mean[:, None, None]) / std[:, None, None]
    assert np.allclose(rgb, expected, atol=1e-4)


def test_stretch_fills_the_whole_tensor() -> None:
    out = np.full((3, 64, 64), np.nan, np.float32)
    transform = Letterbox(64, 64, mode="stretch").into(grey(320, 80, value=50), out)
    assert np.all(out == 50)
    assert transform == Transform(0.2, 0.8)


@given(
    st.tuples(st.integers(1, 3000), st.integers(1, 3000)),
    st.tuples(st.integers(32, 700), st.integers(32, 700)),
    st.sampled_from(["top_left", "stretch"]),
)
def test_boxes_come_back(frame_size: tuple[int, int], size: tuple[int, int], mode: str) -> None:
    width, height = frame_size
    pixels = np.broadcast_to(np.uint8(7), (height, width, 3))
    out = np.empty((3, size[1], size[0]), np.float32)
    transform = Letterbox(*size, mode=mode).into(frame(pixels), out)
    whole = np.array([[0, 0, transform.scale_x * width, transform.scale_y * height]], np.float32)
    assert whole[0, 2] <= size[0] + 1e-3
    assert whole[0, 3] <= size[1] + 1e-3
    assert np.allclose(transform.to_frame(whole), [[0, 0, width, height]], rtol=1e-5)


def test_allocates_nothing_of_the_frames_size_after_the_first() -> None:
    picture = noise(1920, 1080, PixelFormat.NV12, Colour.BT709_LIMITED)
    out = np.empty((3, 384, 640), np.float32)
    letterbox = Letterbox(640, 384)
    letterbox.into(picture, out)
    tracemalloc.start()
    try:
        letterbox.into(picture, out)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000


@pytest.mark.parametrize(
    ("shape", "dtype"), [((3, 10, 10), np.float32), ((3, 32, 64), np.float64), ((3, 64, 32), np.float32)]
)
def test_refuses_a_slot_of_another_kind(shape: tuple[int, ...], dtype: type) -> None:
    with pytest.raises(ValueError, match="expected float32"):
        Letterbox(64, 32).into(grey(), np.empty(shape, dtype))


def test_refuses_words_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="top_left or stretch"):
        Letterbox(64, 32, mode="centre")


@pytest.mark.parametrize("format_", [PixelFormat.NV12, PixelFormat.I420])
def test_where_no_value_lies_between_two_pixels_8_bits_give_what_16_do(
    monkeypatch: pytest.MonkeyPatch, format_: PixelFormat
) -> None:
    picture = noise(1920, 1080, format_, Colour.BT709_LIMITED, seed=3)
    quick, slow = np.empty((2, 3, 640, 640), np.float32)
    Letterbox(640, 640).into(picture, quick)
    monkeypatch.setattr(letterbox, "_only_picks", lambda *_: False)
    Letterbox(640, 640).into(picture, slow)
    np.testing.assert_array_equal(quick, slow)
