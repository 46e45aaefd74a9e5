from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.types import Frame, Observation, Phase, PixelFormat
from edgeguard.vision.sanity import Sanity

Picture = NDArray[np.float32]
_WIDTH, _HEIGHT = 320, 180


def _scenery() -> Picture:
    """Something with edges everywhere, in colour."""
    random = np.random.default_rng(3)
    picture = np.full((_HEIGHT, _WIDTH, 3), 120, np.float32)
    for _ in range(120):
        x, y = random.integers(0, _WIDTH), random.integers(0, _HEIGHT)
        w, h = random.integers(8, 45, 2)
        colour = random.integers(20, 235, 3).tolist()
        cv2.rectangle(picture, (int(x), int(y)), (int(x + w), int(y + h)), colour, -1)
    return picture


SCENERY = _scenery()
_NOISE = np.random.default_rng(5).normal(0, 2, (_HEIGHT + 100, _WIDTH + 100)).astype(np.float32)


def yard(number: int) -> Picture:
    """With noise, and somebody who walks through."""
    picture = SCENERY.copy()
    x = number * 11 % (_WIDTH - 30)
    picture[75:165, x : x + 30] = (60, 40, 30)
    y, x = number * 37 % 100, number * 61 % 100
    return np.asarray(picture + _NOISE[y : y + _HEIGHT, x : x + _WIDTH, None], np.float32)


def frame_of(picture: NDArray[np.floating], at_s: float, camera: str = "gate") -> Frame:
    plane = np.clip(picture, 0, 255).astype(np.uint8)
    at_ns = round(at_s * 1e9)
    height, width = plane.shape[:2]
    return Frame(camera, round(at_s * 2), at_ns, at_ns, at_ns, width, height, PixelFormat.BGR, (plane,))


Change = Callable[[Picture], Picture]


class Watched:
    """A camera's life in half seconds."""

    def __init__(self, sanity: Sanity | None = None) -> None:
        self.sanity = sanity or Sanity("gate")
        self.number = 0

    def go_on(self, seconds: float, change: Change = lambda picture: picture) -> list[Observation]:
        seen: list[Observation] = []
        for _ in range(round(seconds * 2)):
            seen += self.sanity.update(frame_of(change(yard(self.number)), self.number / 2))
            self.number += 1
        return seen


def begun(seen: list[Observation]) -> list[str | None]:
    return [one.label for one in seen if one.phase is Phase.BEGAN]


def turned(picture: Picture) -> Picture:
    return np.roll(picture, (20, 65), (0, 1))


def blurred(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 5), np.float32)


def covered(picture: Picture) -> Picture:
    shade = np.linspace(60, 110, _WIDTH, dtype=np.float32)[None, :, None]
    return np.asarray(shade + (picture - blurred(picture)) * 0.02, np.float32)


def dark(picture: Picture) -> Picture:
    return np.asarray(picture * 0.03, np.float32)


def grey(picture: Picture) -> Picture:
    return np.broadcast_to(picture.mean(axis=2, keepdims=True), picture.shape)


def freeze() -> Change:
    first: list[Picture] = []

    def frozen(picture: Picture) -> Picture:
        first.append(picture)
        return first[0]

    return frozen


@pytest.mark.parametrize(
    ("change", "kind"),
    [(turned, "moved"), (blurred, "defocused"), (covered, "covered"), (dark, "too_dark")],
)
def test_tampering_is_noticed_after_it_has_lasted_and_is_over_when_the_view_is_back(
    change: Change, kind: str
) -> None:
    camera = Watched()
    assert camera.go_on(30) == []
    assert begun(camera.go_on(4.5, change)) == []
    began = camera.go_on(8, change)
    assert begun(began) == [kind]
    why = {measure.name: measure for measure in began[0].measures}
    assert float(why["lasted_s"].value) >= 5.0
    assert list(camera.sanity.wrong) == [kind]
    ended = camera.go_on(8)
    assert [(one.label, one.phase) for one in ended] == [(kind, Phase.ENDED)]
    assert list(camera.sanity.wrong) == []


def test_a_picture_that_never_changes_any_more_is_frozen() -> None:
    camera = Watched()
    camera.go_on(40)
    assert begun(camera.go_on(20, freeze())) == ["frozen"]


def test_a_source_whose_pictures_are_often_equal_is_never_called_frozen() -> None:
    camera = Watched()
    for _ in range(10):
        camera.go_on(2)
        camera.go_on(3, freeze())
    assert camera.go_on(40, freeze()) == []


def test_a_camera_that_turns_grey_is_told_but_does_its_work() -> None:
    camera = Watched()
    camera.go_on(30)
    assert begun(camera.go_on(40, grey)) == ["ir_flip"]
    assert camera.sanity.wrong == ()
    assert [one.phase for one in camera.go_on(10)][-1:] == [Phase.ENDED]


def test_a_grey_camera_is_watched_as_well() -> None:
    camera = Watched()
    camera.go_on(30)
    camera.go_on(40, grey)
    assert "moved" in begun(camera.go_on(10, lambda picture: turned(grey(picture))))


def test_it_goes_on_and_is_told_now_and_then() -> None:
    camera = Watched()
    camera.go_on(30)
    phases = [one.phase for one in camera.go_on(60, turned)]
    assert phases == [Phase.BEGAN, *[Phase.CONTINUES] * 5]


def test_a_new_view_that_stays_becomes_the_usual_one() -> None:
    camera = Watched()
    camera.go_on(30)
    seen = camera.go_on(640, turned)
    assert [one.phase for one in seen if one.phase is not Phase.CONTINUES] == [Phase.BEGAN, Phase.ENDED]
    assert begun(camera.go_on(10)) == ["moved"]  # back again is another move


def test_a_moment_is_no_tampering() -> None:
    camera = Watched()
    camera.go_on(30)
    for _ in range(5):
        assert camera.go_on(3, covered) == []
        assert camera.go_on(3) == []


@pytest.mark.parametrize("gain", [0.5, 0.7, 1.2])
def test_light_is_no_tampering(gain: float) -> None:
    camera = Watched()
    camera.go_on(30)
    assert camera.go_on(30, lambda picture: picture * np.float32(gain)) == []


def test_somebody_before_the_camera_is_no_tampering() -> None:
    def near(picture: Picture) -> Picture:
        picture[20:, 60:260] = (90, 110, 160)
        return picture

    camera = Watched()
    camera.go_on(30)
    assert camera.go_on(30, near) == []


def test_what_is_ignored_is_not_told() -> None:
    camera = Watched(Sanity("gate", ignore=("moved",)))
    camera.go_on(30)
    assert camera.go_on(20, turned) == []


def test_darkness_is_noticed_before_the_view_is_known() -> None:
    assert begun(Watched().go_on(10, dark)) == ["too_dark"]


def test_pictures_from_before_are_not_wanted_but_a_clip_that_begins_again_is() -> None:
    sanity = Sanity("gate")
    sanity.update(frame_of(yard(0), 100.0))
    assert not sanity.due(99 * 10**9)
    assert not sanity.due(100_400_000_000)
    assert sanity.due(100_500_000_000)
    assert sanity.due(0)


def test_whoever_covers_a_camera_while_the_service_is_down_is_noticed() -> None:
    before = Watched()
    before.go_on(30)
    kept = before.sanity.keep()
    assert kept is not None
    again = Watched()
    again.sanity.recall(kept)
    assert again.sanity.learnt
    assert begun(again.go_on(10, covered)) == ["covered"]


def test_a_camera_that_goes_on_as_before_is_not_accused() -> None:
    before = Watched()
    before.go_on(30)
    again = Watched()
    again.sanity.recall(before.sanity.keep() or b"")
    assert again.go_on(60) == []


def test_what_is_wrong_is_not_kept_as_usual() -> None:
    camera = Watched()
    assert camera.sanity.keep() is None
    camera.go_on(30)
    camera.go_on(10, covered)
    assert camera.sanity.keep() is None


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x00" * 300_000])
def test_what_is_damaged_is_not_recalled(damage: bytes) -> None:
    with pytest.raises(ValueError):
        Sanity("gate").recall(damage)


def test_any_cut_or_changed_byte_is_refused_or_harmless() -> None:
    before = Watched()
    before.go_on(30)
    kept = before.sanity.keep() or b""
    random = np.random.default_rng(1)
    for _ in range(300):
        data = bytearray(kept[: random.integers(1, len(kept) + 1)])
        data[random.integers(0, len(data))] ^= 1 << int(random.integers(0, 8))
        again = Watched()
        try:
            again.sanity.recall(bytes(data))
        except ValueError:
            continue
        again.go_on(1)


def test_what_lasts_is_told_further_after_the_clock_went_back() -> None:
    camera = Watched()
    camera.go_on(30)
    assert begun(camera.go_on(15, lambda picture: picture * 0.02)) == ["too_dark"]
    camera.number -= 2 * 4000
    camera.number += -camera.number % 2
    seen = camera.go_on(15, lambda picture: picture * 0.02)
    assert [one.phase for one in seen] == [Phase.CONTINUES]
