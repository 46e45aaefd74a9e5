from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeguard.errors import ModelError
from edgeguard.models import FakeSession, InputSpec
from edgeguard.models.files import sha256_of
from edgeguard.models.golden import (
    GoldenSet,
    agreement,
    read_golden,
    tensor_of,
    try_out,
    write_golden,
)

SPEC = InputSpec("images", 8, 6)


def rows(*things: tuple[float, float, float, int]) -> NDArray[np.float32]:
    """(1, 4, 6) of boxes 10 wide at x, with y, confidence and class; the rest is nothing."""
    found = np.zeros((1, 4, 6), np.float32)
    for row, (x, y, confidence, class_id) in enumerate(things):
        found[0, row] = (x, y, x + 10, y + 10, confidence, class_id)
    return found


TWO = rows((0, 0, 0.9, 1), (50, 50, 0.6, 2))


@pytest.mark.parametrize(
    ("found", "recall", "precision"),
    [
        (TWO, 1.0, 1.0),
        (rows(), 0.0, 1.0),
        (rows((0, 0, 0.9, 1)), 0.5, 1.0),
        (rows((0, 0, 0.9, 2), (50, 50, 0.6, 2)), 0.5, 0.5),
        (rows((0, 0, 0.9, 1), (50, 50, 0.6, 2), (100, 0, 0.8, 1)), 1.0, 2 / 3),
        (rows((2, 0, 0.25, 1), (50, 50, 0.25, 2)), 1.0, 1.0),
        (rows((8, 0, 0.9, 1), (50, 50, 0.9, 2)), 0.5, 0.5),
    ],
    ids=["same", "nothing", "half", "other class", "invented", "fainter and aside", "elsewhere"],
)
def test_agreement(found: NDArray[np.float32], recall: float, precision: float) -> None:
    seen = agreement(TWO, found)
    assert (seen.recall, seen.precision) == (pytest.approx(recall), pytest.approx(precision))
    assert seen.things == 2
    assert seen.score == min(seen.recall, seen.precision)


def test_what_is_found_twice_counts_once() -> None:
    assert agreement(rows((0, 0, 0.9, 1), (1, 0, 0.8, 1)), TWO).things == 1


def golden() -> GoldenSet:
    return GoldenSet(np.full((1, 6, 8, 3), 7, np.uint8), TWO)


def test_a_golden_set_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "m.golden.npz"
    write_golden(path, golden())
    read = read_golden(path, sha256_of(path))
    np.testing.assert_array_equal(read.frames, golden().frames)
    np.testing.assert_array_equal(read.detections, TWO)


def test_tries_out_an_engine_picture_by_picture() -> None:
    session = FakeSession({"images": ("batch", 3, 6, 8)}, [{"detections": rows((0, 0, 0.9, 1))}])
    assert try_out(session, SPEC, golden()).recall == 0.5
    assert session.last_feeds["images"].shape == (1, 3, 6, 8)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"detections": np.zeros((1, 4, 85), np.float32)}, r"expected one output \(1, k, 6\)"),
        ({"a": TWO, "b": TWO}, "expected one output"),
        ({"detections": np.full((1, 4, 6), np.nan, np.float32)}, "numbers that are none"),
    ],
    ids=["shape", "two outputs", "nan"],
)
def test_an_engine_that_does_not_match_its_card_is_told(answer: dict, said: str) -> None:
    session = FakeSession({"images": (1, 3, 6, 8)}, [answer], name="odd")
    with pytest.raises(ModelError, match=f"odd.*{said}"):
        try_out(session, SPEC, golden())


def test_a_picture_becomes_what_the_model_wants() -> None:
    frame = np.zeros((2, 2, 3), np.uint8)
    frame[..., 0] = 200
    spec = InputSpec("x", 2, 2, order="rgb", mean=(0, 0, 100), std=(1, 1, 50))
    tensor = tensor_of(frame, spec)
    assert tensor.shape == (1, 3, 2, 2)
    assert tensor[0, :, 0, 0].tolist() == [0, 0, 2]
    assert tensor_of(frame, InputSpec("x", 2, 2, layout="nhwc")).shape == (1, 2, 2, 3)


def test_refuses_another_file_than_the_cards(tmp_path: Path) -> None:
    path = tmp_path / "m.golden.npz"
    write_golden(path, golden())
    with pytest.raises(ModelError, match="not the golden set that its card names"):
        read_golden(path, "0" * 64)


@pytest.mark.parametrize(
    "wrong",
    [
        GoldenSet(np.zeros((1, 6, 8, 3), np.uint8), rows()),
        GoldenSet(np.zeros((2, 6, 8, 3), np.uint8), TWO),
        GoldenSet(np.zeros((1, 6, 8, 3), np.float32), TWO),  # type: ignore[arg-type]
    ],
    ids=["finds nothing", "other number", "other type"],
)
def test_refuses_what_proves_nothing(tmp_path: Path, wrong: GoldenSet) -> None:
    path = tmp_path / "m.golden.npz"
    write_golden(path, wrong)
    with pytest.raises(ModelError, match=r"m\.golden\.npz"):
        read_golden(path)


def test_refuses_what_would_run_code(tmp_path: Path) -> None:
    path = tmp_path / "m.golden.npz"
    np.savez(path, frames=np.array([print], object), detections=TWO)
    with pytest.raises(ModelError, match="no golden set"):
        read_golden(path)


@given(data=st.binary(max_size=100))
def test_no_bytes_make_it_fail_in_another_way(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("golden") / "m.golden.npz"
    path.write_bytes(data)
    with suppress(ModelError):
        read_golden(path)
