"""Colours that are known before they are computed."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edgeguard.types import Colour, Frame, PixelFormat
from edgeguard.vision.colour import bgr, bgr_matrix
from tests.support.pictures import frame, noise

BLACK_WHITE = [
    (Colour.BT601_LIMITED, 16, 235),
    (Colour.BT709_LIMITED, 16, 235),
    (Colour.BT601_FULL, 0, 255),
    (Colour.BT709_FULL, 0, 255),
]
KR_KB = {"bt601": (0.299, 0.114), "bt709": (0.2126, 0.0722)}


def plain(y: int, cb: int, cr: int, pixel_format: PixelFormat, colour: Colour) -> Frame:
    luma, blue, red = (np.full(s, v, np.uint8) for s, v in (((4, 6), y), ((2, 3), cb), ((2, 3), cr)))
    chroma = (blue, red) if pixel_format is PixelFormat.I420 else (np.dstack([blue, red]),)
    return frame(luma, *chroma, pixel_format=pixel_format, colour=colour)


@pytest.mark.parametrize(("colour", "black", "white"), BLACK_WHITE)
def test_black_is_0_and_white_is_255(colour: Colour, black: int, white: int) -> None:
    matrix = bgr_matrix(colour)
    assert matrix @ [black, 128, 128, 1] == pytest.approx([0, 0, 0], abs=1e-9)
    assert matrix @ [white, 128, 128, 1] == pytest.approx([255, 255, 255], abs=0.01)


@pytest.mark.parametrize("colour", Colour)
@pytest.mark.parametrize("wanted", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (40, 120, 200)])
def test_undoes_the_standards_encoding(colour: Colour, wanted: tuple[int, int, int]) -> None:
    standard, _, span = colour.value.partition("-")
    kr, kb = KR_KB[standard]
    blue, green, red = wanted
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / 2 / (1 - kb), (red - luma) / 2 / (1 - kr)
    luma_gain, chroma_gain, black = (1, 1, 0) if span else (219 / 255, 224 / 255, 16)
    encoded = [luma * luma_gain + black, cb * chroma_gain + 128, cr * chroma_gain + 128, 1]
    assert bgr_matrix(colour) @ encoded == pytest.approx(wanted, abs=0.06)


@pytest.mark.parametrize("pixel_format", [PixelFormat.I420, PixelFormat.NV12])
@pytest.mark.parametrize(
    ("ycbcr", "wanted"),
    [((81, 90, 240), (0, 0, 255)), ((145, 54, 34), (0, 255, 0)), ((41, 240, 110), (255, 0, 0))],
)
def test_pure_colours_of_bt601(
    pixel_format: PixelFormat, ycbcr: tuple[int, int, int], wanted: tuple[int, int, int]
) -> None:
    picture = bgr(plain(*ycbcr, pixel_format, Colour.BT601_LIMITED))
    assert picture.shape == (4, 6, 3)
    assert np.abs(picture.astype(int) - wanted).max() <= 2


def test_is_what_opencv_makes_of_bt601() -> None:
    smooth = [
        cv2.GaussianBlur(p, (0, 0), 8) for p in noise(320, 240, PixelFormat.NV12, Colour.BT601_LIMITED).planes
    ]
    opencv = cv2.cvtColorTwoPlane(smooth[0], smooth[1], cv2.COLOR_YUV2BGR_NV12)
    ours = bgr(frame(*smooth, pixel_format=PixelFormat.NV12))
    assert np.abs(ours.astype(int) - opencv).mean() < 1


@pytest.mark.parametrize("pixel_format", PixelFormat)
@pytest.mark.parametrize(
    ("max_width_px", "shape"),
    [(None, (101, 201, 3)), (400, (101, 201, 3)), (100, (50, 100, 3)), (1, (1, 1, 3))],
)
def test_shrinks_but_never_grows(
    pixel_format: PixelFormat, max_width_px: int | None, shape: tuple[int, int, int]
) -> None:
    picture = bgr(noise(201, 101, pixel_format, Colour.BT709_FULL), max_width_px)
    assert picture.shape == shape
    assert picture.dtype == np.uint8


def test_shrinking_averages() -> None:
    stripes = np.tile(np.array([[0, 200]], np.uint8), (40, 40))
    chroma = np.full((20, 40), 128, np.uint8)
    picture = frame(stripes, chroma, chroma, pixel_format=PixelFormat.I420, colour=Colour.BT601_FULL)
    assert np.all(bgr(picture, 40) == 100)


def test_the_picture_is_its_own() -> None:
    pixels = np.zeros((10, 20, 3), np.uint8)
    bgr(frame(pixels))[:] = 255
    assert not pixels.any()
