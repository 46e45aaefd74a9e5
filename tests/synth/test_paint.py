"""Laying sprites, shadows and grain over pictures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.synth.paint import Sensor, Shadow, cast, darken, lay
from edgeguard.synth.solids import Light, Sprite, Stand

WHITE = Sprite(0, 0, np.full((4, 6, 3), 255, np.float32), np.ones((4, 6), np.float32))


def grey() -> np.ndarray:
    return np.full((20, 30, 3), 100, np.uint8)


@given(st.integers(-10, 40), st.integers(-10, 30))
def test_a_sprite_is_cut_off_at_the_border(left: int, top: int) -> None:
    picture = grey()
    lay(picture, WHITE._replace(left=left, top=top))
    wide = max(0, min(left + 6, 30) - max(left, 0))
    high = max(0, min(top + 4, 20) - max(top, 0))
    assert (picture == 255).all(axis=2).sum() == wide * high
    assert (picture == 100).all(axis=2).sum() == 600 - wide * high


def test_half_covered_pixels_are_mixed() -> None:
    picture = grey()
    lay(picture, Sprite(2, 2, WHITE.colour / 2, WHITE.alpha / 2))
    assert picture[3, 3] == pytest.approx([177] * 3, abs=1)


def test_a_shadow_darkens_by_its_strength() -> None:
    picture = grey()
    darken(picture, Shadow(28, 0, np.full((4, 6), 0.3, np.float32)))
    assert (picture[:4, 28:] == 70).all()
    assert (picture[:, :28] == 100).all()


def test_a_shadow_falls_away_from_the_lamp() -> None:
    light = Light(towards=(-0.6, 0.6, 0.53), ambient=0.5, direct=0.5, shadow=0.3)
    post = Sprite(100, 40, np.zeros((60, 10, 3), np.float32), np.ones((60, 10), np.float32))
    shadow = cast(post, Stand(x_px=105, y_px=100, scale=30, elevation=0.4), light)
    rows, columns = np.nonzero(shadow.strength > 0.15)
    assert shadow.strength.max() <= 0.3 + 1e-6
    assert rows.max() + shadow.top == pytest.approx(100, abs=4)
    assert (rows + shadow.top).min() < 90
    assert (columns + shadow.left).max() > 150


def test_grain_has_no_bias_and_its_strength() -> None:
    sensor = Sensor(60, 40, 2.0, np.random.default_rng(1))
    picture = np.full((40, 60, 3), 100, np.uint8)
    grain = np.stack([sensor.expose(picture, n).astype(float) - 100 for n in range(20)])
    assert grain.mean() == pytest.approx(0, abs=0.1)
    assert grain.std() == pytest.approx(2.0 * np.hypot(1, 0.5), rel=0.05)


def test_the_same_picture_has_the_same_grain() -> None:
    sensors = [Sensor(60, 40, 2.0, np.random.default_rng(1)) for _ in range(2)]
    picture = np.full((40, 60, 3), 100, np.uint8)
    assert np.array_equal(sensors[0].expose(picture, 7), sensors[1].expose(picture, 7))
    assert not np.array_equal(sensors[0].expose(picture, 7), sensors[0].expose(picture, 8))
