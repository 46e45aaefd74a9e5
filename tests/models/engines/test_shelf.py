from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.cuda.driver import Gpu
from edgeguard.errors import ModelError
from edgeguard.models.engines.fingerprint import (
    Basis,
    Fingerprint,
    basis_of,
    driver_release,
    fingerprint_from,
)
from edgeguard.models.engines.order import Precision
from edgeguard.models.engines.shelf import Shelf

PLAN = bytes(range(256)) * 4
BASIS = basis_of(
    model="m",
    onnx_sha256="a" * 64,
    calibration_sha256=None,
    precision=Precision.FP16,
    batches=(2, 8),
    level=3,
    tensorrt="tensorrt 10.3.0",
    gpu=Gpu("Orin", "8.7", 8, "12.6", 8 << 30),
    driver="R36 (release), REVISION: 4.3",
)


def fingerprint(basis: Basis = BASIS, **changes: object) -> Fingerprint:
    made = Fingerprint(
        basis, hashlib.sha256(PLAN).hexdigest(), len(PLAN), ("FP16",), 3, 0, 12.5, 3.4, None, None,
        "2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    shelf = Shelf(tmp_path, "m")
    shelf.new("fp16").write_bytes(PLAN)
    shelf.put(shelf.new("fp16"), fingerprint())
    return shelf


def test_gives_back_what_was_put(shelf: Shelf) -> None:
    plan = shelf.load("fp16")
    assert plan.data == PLAN
    assert plan.fingerprint == fingerprint()
    assert shelf.reasons(BASIS) == []
    assert shelf.path("fp16").stat().st_mode & 0o777 == 0o600


def test_a_fingerprint_survives_json() -> None:
    assert fingerprint_from(json.loads(json.dumps(fingerprint().as_json()))) == fingerprint()


CHANGES = {
    "onnx_sha256": ("b" * 64, "the ONNX file's SHA-256 was aaaaaaaaaaaa… and is bbbbbbbbbbbb…"),
    "calibration_sha256": ("b" * 64, "the calibration set's SHA-256 was none and is"),
    "tensorrt": ("tensorrt 10.16.2", "TensorRT was tensorrt 10.3.0 and is tensorrt 10.16.2"),
    "cuda": ("13.2", "CUDA was 12.6 and is 13.2"),
    "driver": ("R39 (release), REVISION: 2.0", "the driver was R36 (release), REVISION: 4.3 and is R39"),
    "compute_capability": ("8.6", "the compute capability was 8.7 and is 8.6"),
    "gpu": ("Thor", "the GPU was Orin and is Thor"),
    "multiprocessors": (16, "the number of multiprocessors was 8 and is 16"),
    "best_batch": (4, "the number of cameras was 2 and is 4"),
    "max_batch": (16, "the largest batch was 8 and is 16"),
    "level": (5, "the optimisation level was 3 and is 5"),
    "builder": (99, "EdgeGuard's compiler was 1 and is 99"),
    "model": ("n", "the model was m and is n"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_says_why_a_plan_does_not_serve(shelf: Shelf, name: str) -> None:
    value, said = CHANGES[name]
    (reason,) = shelf.reasons(dataclasses.replace(BASIS, **{name: value}))  # type: ignore[arg-type]
    assert said in reason


def test_every_field_of_the_basis_has_a_reason() -> None:
    assert {item.name for item in dataclasses.fields(Basis)} == {*CHANGES, "precision"}


def test_without_a_plan_that_is_the_reason(tmp_path: Path) -> None:
    assert Shelf(tmp_path, "m").reasons(BASIS) == ["there is no engine yet"]
    with pytest.raises(ModelError, match="edgeguard engines build"):
        Shelf(tmp_path, "m").load("fp16")


@given(bit=st.integers(0, len(PLAN) * 8 - 1))
def test_a_plan_with_one_bit_flipped_is_refused(tmp_path_factory: pytest.TempPathFactory, bit: int) -> None:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), "m")
    shelf.new("fp16").write_bytes(PLAN)
    shelf.put(shelf.new("fp16"), fingerprint())
    spoilt = bytearray(PLAN)
    spoilt[bit // 8] ^= 1 << bit % 8
    shelf.path("fp16").write_bytes(spoilt)
    with pytest.raises(ModelError, match="not what was built"):
        shelf.load("fp16")


@pytest.mark.parametrize("name", ["m.fp16.plan", "m.fp16.json"])
@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_may_write_is_refused(shelf: Shelf, name: str, mode: int) -> None:
    (shelf.folder / name).chmod(mode)
    with pytest.raises(ModelError, match=f"{name} can be written by others"):
        shelf.load("fp16")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_file_of_another_user_is_refused(shelf: Shelf) -> None:
    os.chown(shelf.path("fp16"), 12345, -1)
    with pytest.raises(ModelError, match=r"belongs to another user \(uid 12345\)"):
        shelf.load("fp16")


def test_a_link_is_not_followed(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(PLAN)
    shelf.path("fp16").unlink()
    shelf.path("fp16").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"m\.fp16\.plan"):
        shelf.load("fp16")


@pytest.mark.parametrize("note", [b"", b"{}", b"[1]", b'{"basis": 3}', b"\xff"])
def test_a_damaged_note_is_told_and_is_a_reason(shelf: Shelf, note: bytes) -> None:
    (shelf.folder / "m.fp16.json").write_bytes(note)
    with pytest.raises(ModelError, match=r"m\.fp16\.json is damaged"):
        shelf.load("fp16")
    assert "damaged" in shelf.reasons(BASIS)[0]


def test_a_refused_plan_is_gone_and_remembered_until_something_changes(shelf: Shelf) -> None:
    shelf.new("fp16").write_bytes(PLAN)
    shelf.refuse(shelf.new("fp16"), fingerprint(refused="it detects nothing"))
    assert not shelf.path("fp16").exists()
    assert not shelf.new("fp16").exists()
    assert shelf.refusal(BASIS) == "it detects nothing"
    assert shelf.refusal(dataclasses.replace(BASIS, cuda="13.2")) is None
    assert shelf.reasons(BASIS) == ["there is no engine yet"]


def test_reads_the_release_of_a_jetson(tmp_path: Path) -> None:
    release, module = tmp_path / "nv_tegra_release", tmp_path / "version"
    assert driver_release(release, module) == "unknown"
    module.write_text("570.1\n")
    assert driver_release(release, module) == "570.1"
    release.write_text("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic\n")
    assert driver_release(release, module) == "R36 (release), REVISION: 4.3"


def test_a_builder_that_was_killed_leaves_neither_a_lock_nor_an_engine(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from edgeguard.models.engines.shelf import Shelf\n"
        "shelf = Shelf(Path(sys.argv[1]), 'm')\n"
        "with shelf.building():\n"
        "    shelf.new('fp16').write_bytes(b'half'); print('building', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    shelf = Shelf(tmp_path, "m")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "building\n"
        assert shelf.is_building
        builder.kill()
    assert not shelf.is_building
    assert shelf.reasons(BASIS) == ["there is no engine yet"]
    with shelf.building():
        pass
