"""Motion on pictures whose motion is known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.types import Detections, PixelFormat
from edgeguard.vision.motion import WARM_UP_FRAMES, MotionDetector, join_fragments, small_luma
from tests.support.pictures import frame

SCENE = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 256, (180, 320), np.uint8), (0, 0), 6) // 2 + 60


def run(
    pictures: Iterable[NDArray[np.uint8]], fps: float = 10, detector: MotionDetector | None = None
) -> list[Detections]:
    detector = detector or MotionDetector()
    found = []
    for number, luma in enumerate(pictures):
        chroma = np.full((luma.shape[0] // 2, luma.shape[1] // 2, 2), 128, np.uint8)
        picture = frame(luma, chroma, pixel_format=PixelFormat.NV12, pts_ns=round(number / fps * 1e9))
        found += detector.detect([picture])
    return found


def with_box(x: int, value: int = 220) -> NDArray[np.uint8]:
    """The scene with something 20x50 at `x`."""
    picture = SCENE.copy()
    picture[60:110, x : x + 20] = value
    return picture


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def noisy(rng: np.random.Generator, picture: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    return np.clip(picture + rng.normal(0, sigma, picture.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("sigma", [0, 4, 12])
def test_a_still_picture_is_silent_however_noisy(rng: np.random.Generator, sigma: float) -> None:
    assert sum(map(len, run(noisy(rng, SCENE, sigma) for _ in range(60)))) == 0


@pytest.mark.parametrize("value", [5, 220])
def test_follows_what_moves(rng: np.random.Generator, value: int) -> None:
    still = [noisy(rng, SCENE, 3) for _ in range(15)]
    xs = range(20, 280, 6)
    found = run([*still, *(noisy(rng, with_box(x, value), 3) for x in xs)])[15:]
    assert all(len(each) == 1 for each in found)
    for x, each in zip(xs, found, strict=True):
        assert each.xyxy[0] == pytest.approx([x, 60, x + 20, 110], abs=4)
    assert all(0.5 <= each.confidence[0] < 1 for each in found)


@pytest.mark.parametrize("fps", [2, 10])
def test_what_stands_still_is_background_after_memory_s(fps: int) -> None:
    still, standing = [SCENE] * (30 * fps), [with_box(100)] * (30 * fps)
    found = run([*still, *standing], fps, MotionDetector(memory_s=15))[30 * fps :]
    seen_s = [number / fps for number, each in enumerate(found) if len(each)]
    assert seen_s[0] == 0
    assert seen_s[-1] == pytest.approx(15, abs=1.5)


def test_light_that_goes_on_is_no_motion() -> None:
    bright = SCENE + np.uint8(60)
    found = run([*[SCENE] * 20, *[bright] * 20, *(np.maximum(bright, with_box(x)) for x in range(50, 90, 4))])
    assert sum(map(len, found[:40])) == 0
    assert all(len(each) == 1 for each in found[40:])


def test_each_camera_has_its_own_background() -> None:
    detector = MotionDetector()
    for number in range(20):
        chroma = np.full((90, 160, 2), 128, np.uint8)
        pictures = [
            frame(luma, chroma, pixel_format=PixelFormat.NV12, source=source, pts_ns=number * 10**8)
            for source, luma in (("gate", SCENE), ("yard", 255 - SCENE))
        ]
        assert [len(each) for each in detector.detect(pictures)] == [0, 0]


def test_flickering_pixels_are_nothing(rng: np.random.Generator) -> None:
    pictures = [SCENE.copy() for _ in range(40)]
    for picture in pictures:
        picture[rng.integers(0, 180, 40), rng.integers(0, 320, 40)] = 250
    assert sum(map(len, run(pictures))) == 0


def test_a_striped_thing_is_one_thing() -> None:
    pictures = [SCENE.copy() for _ in range(20)]
    for picture in pictures[10:]:
        picture[60:120:6, 100:106] = picture[61:120:6, 100:106] = 250
    found = run(pictures)[-1]
    assert found.xyxy == pytest.approx(np.array([[100, 60, 106, 116]]), abs=4)


def test_nothing_is_reported_before_the_background_is_known() -> None:
    found = run(with_box(x) for x in range(20, 140, 6))
    assert not any(map(len, found[:WARM_UP_FRAMES]))
    assert len(found[-1]) == 1


def test_small_luma_averages() -> None:
    """A pattern finer than the small picture becomes grey and does not shimmer."""
    pattern = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (360, 640))
    small = small_luma(frame(pattern, pattern[::2, ::2], pattern[::2, ::2], pixel_format=PixelFormat.I420))
    assert small.shape == (180, 320)
    assert np.all(small == 100)


@pytest.mark.parametrize(
    ("size", "small"), [((90, 1600), (18, 320)), ((640, 360), (320, 180)), ((9, 3), (320, 107))]
)
def test_small_luma_keeps_proportions(size: tuple[int, int], small: tuple[int, int]) -> None:
    shape = small_luma(frame(np.zeros((*size, 3), np.uint8))).shape
    assert shape == small


def test_learns_anew_after_a_long_gap_and_a_new_size() -> None:
    detector = MotionDetector(memory_s=10)
    run([SCENE] * 20, detector=detector)
    later = [with_box(100)] * (WARM_UP_FRAMES + 5)
    assert sum(map(len, run([cv2.resize(p, (400, 300)) for p in later], detector=detector))) == 0
    assert sum(map(len, run(later, fps=0.05, detector=detector))) == 0


def test_smaller_than_min_area_is_nothing() -> None:
    pictures = [*[SCENE] * 15, *(with_box(x) for x in range(20, 200, 6))]
    share = 20 * 50 / SCENE.size
    assert not any(map(len, run(pictures, detector=MotionDetector(min_area=share * 1.5))))
    assert any(map(len, run(pictures, detector=MotionDetector(min_area=share / 1.5))))


@pytest.mark.parametrize(
    ("boxes", "joined"),
    [
        ([(10, 10, 20, 30), (11, 32, 19, 50)], [(10, 10, 20, 50)]),  # head and trunk
        ([(10, 10, 20, 30), (11, 40, 19, 50)], [(10, 10, 20, 30), (11, 40, 19, 50)]),  # too far apart
        ([(10, 10, 20, 30), (18, 10, 28, 30)], [(10, 10, 20, 30), (18, 10, 28, 30)]),  # side by side
        ([(10, 10, 50, 50), (20, 20, 30, 30)], [(10, 10, 50, 50)]),  # one inside the other
        ([(0, 0, 9, 9), (0, 11, 9, 20), (0, 22, 9, 30)], [(0, 0, 9, 30)]),
        ([], []),
    ],
)
def test_joins_what_stands_one_above_the_other(
    boxes: list[tuple[int, ...]], joined: list[tuple[int, ...]]
) -> None:
    result = join_fragments(np.array(boxes, np.float64).reshape(-1, 4), gap=3)
    assert sorted(map(tuple, result.tolist())) == sorted(joined)


def test_finds_walking_people(mirror: Path) -> None:
    """Recall at IoU 0.3 on a real clip: 0.74 of all the people, most others hidden behind somebody."""
    clip = cv2.VideoCapture(str(mirror / "data/video/vtest_pets09_s2l1_480x360.mp4"))
    pictures = [cv2.cvtColor(clip.read()[1], cv2.COLOR_BGR2GRAY) for _ in range(122)]
    found = run(pictures)
    truth = np.loadtxt(
        mirror / "data/gt/mot/PETS09-S2L1/gt/gt_frames_1-122.txt", delimiter=",", usecols=range(6)
    )
    hits = 0
    for number, _, *xywh in truth:
        left, top, width, height = np.array(xywh) * 0.625
        hits += overlaps(found[int(number) - 1], (left, top, left + width, top + height))
    assert hits / len(truth) >= 0.72


def overlaps(found: Detections, box: tuple[float, float, float, float]) -> bool:
    """Whether any detection covers the box at IoU 0.3."""
    wanted = np.array(box)
    shared = np.minimum(found.xyxy[:, 2:], wanted[2:]) - np.maximum(found.xyxy[:, :2], wanted[:2])
    both = shared.clip(0).prod(axis=1)
    areas = (found.xyxy[:, 2:] - found.xyxy[:, :2]).prod(axis=1) + (wanted[2:] - wanted[:2]).prod()
    return bool(np.any(both >= 0.3 * (areas - both)))
