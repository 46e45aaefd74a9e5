from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeguard.clock import SystemClock
from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import DependencyError, ModelError
from edgeguard.models import ModelStore, load_catalog
from edgeguard.models.engines.fleet import Fleet
from edgeguard.models.engines.shelf import shelf_of
from edgeguard.models.engines.trt import TensorRt
from edgeguard.models.engines.workshop import Effort, Machine, Workshop
from edgeguard.models.exported import read_exported
from edgeguard.runtime.detectors import DetectorChoice, DetectorLoader
from edgeguard.types import Colour, PixelFormat
from tests.models.engines.exports import NAME, export
from tests.support.gpu import HERE, FakeGpu, fake_cuda_folder, fake_tensorrt
from tests.support.kernel import cpu_cubins, on_device
from tests.support.pictures import noise

CATALOG = load_catalog()
CHOICE: dict[str, Any] = {"confidence": 0.35, "iou": 0.45, "classes": ("person", "car"), "threads": 1}


def choice(model: str) -> DetectorChoice:
    return DetectorChoice(model, **CHOICE)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("yolox-nano-416", "edgeguard models pull yolox-nano-416"),
        ("yolox-nano-461", "did you mean"),
        ("yamnet", "yamnet is no detector"),
    ],
)
def test_what_cannot_be_had_is_told_with_the_way_to_it(tmp_path: Path, model: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        DetectorLoader(CATALOG, ModelStore(tmp_path)).load(choice(model))


def test_motion_needs_no_model(tmp_path: Path) -> None:
    detector = DetectorLoader(CATALOG, ModelStore(tmp_path)).load(choice("motion"))
    assert detector.labels == ("motion",)


@pytest.mark.parametrize("model", ["yolox-nano-416", "nanodet-m-320"])
def test_a_model_that_is_here_looks_at_pictures(tmp_path: Path, mirror: Path, model: str) -> None:
    card = CATALOG.card(model)
    store = ModelStore(tmp_path, [mirror])
    if not store.installed(card):
        pytest.skip(f"the folder of real clips and models has no {model}")
    detector = DetectorLoader(CATALOG, store).load(choice(model))
    assert detector.model.name == model
    assert detector.model.sha256 in card.file().digests
    (found,) = detector.detect([noise(320, 240, PixelFormat.NV12, Colour.BT709_LIMITED)])
    assert len(found) == 0, "nothing is in noise"


def test_a_model_that_comes_later_is_found_and_a_damaged_one_is_not_used(
    tmp_path: Path, mirror: Path
) -> None:
    card = CATALOG.card("yolox-nano-416")
    mirrored = ModelStore(tmp_path / "none", [mirror])
    if not mirrored.installed(card):
        pytest.skip("the folder of real clips and models has no yolox-nano-416")
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path))
    with pytest.raises(ModelError):
        loader.load(choice(card.name))
    (tmp_path / card.name).mkdir()
    for file in card.files:
        shutil.copy(mirrored.path(card, file.name), tmp_path / card.name / file.name)
    assert loader.load(choice(card.name)).model.name == card.name
    weights = tmp_path / card.name / card.file().name
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(ModelError, match="is not the"):
        loader.load(choice(card.name))


@pytest.fixture
def engines(gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """A machine whose TensorRT and GPU are the fakes."""
    monkeypatch.setenv("PYTHONPATH", f"{HERE / 'fake_tensorrt' / 'v10'}:{HERE.parent.parent}")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(fake_cuda_folder()))
    cuda = CtypesCuda(gpu.libcuda)
    with fake_tensorrt("v10") as module:
        yield Machine(TensorRt(module), cuda)
    cuda.close()


@pytest.fixture
def gpu() -> FakeGpu:
    return FakeGpu()


def build(root: Path, machine: Machine) -> None:
    exported = read_exported(root / NAME / f"{NAME}.card.json")
    said: list[str] = []
    shelf = shelf_of(root, NAME)
    Workshop(exported, shelf, machine, Effort(), SystemClock(), said.append, lambda *_: None).build()


PICTURE = noise(64, 64, PixelFormat.NV12, Colour.BT709_LIMITED)


def test_guards_on_the_cpu_until_an_engine_is_built_and_then_on_the_engine(
    tmp_path: Path, engines: Machine
) -> None:
    export(tmp_path)
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path), Fleet(tmp_path, lambda: engines))
    before = loader.load(choice(NAME))
    assert before.model.backend == "onnxruntime-cpu"
    assert "there is no engine yet" in str(loader.lacking(NAME))
    assert not loader.may_do_better(NAME)
    with shelf_of(tmp_path, NAME).building():
        assert not loader.may_do_better(NAME)
        assert str(loader.lacking(NAME)).startswith(f"building the engine of {NAME}")
    build(tmp_path, engines)
    assert loader.may_do_better(NAME)
    loader.cubins = cpu_cubins(tmp_path)
    after = loader.load(choice(NAME))
    assert after.model.backend == "tensorrt-int8"
    assert loader.lacking(NAME) is None
    assert not loader.may_do_better(NAME)
    seen = [found.confidence.tolist() for found in (*before.detect([PICTURE]), *after.detect([PICTURE]))]
    assert seen[0] == pytest.approx(seen[1], abs=0.05)
    assert len(after.detect([PICTURE] * 3)) == 3
    for detector in (before, after):
        detector.close()


def spoil(root: Path) -> None:
    plan = shelf_of(root, NAME).path("int8")
    data = bytearray(plan.read_bytes())
    data[len(data) // 2] ^= 1
    plan.write_bytes(data)


def test_a_plan_that_was_changed_is_not_run_and_takes_nothing_down(tmp_path: Path, engines: Machine) -> None:
    export(tmp_path)
    build(tmp_path, engines)
    spoil(tmp_path)
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path), Fleet(tmp_path, lambda: engines))
    detector = loader.load(choice(NAME))
    assert detector.model.backend == "onnxruntime-cpu"
    assert "not what was built" in str(loader.lacking(NAME))
    detector.close()


def test_a_lost_gpu_leaves_the_cpu(tmp_path: Path, engines: Machine, gpu: FakeGpu) -> None:
    export(tmp_path)
    build(tmp_path, engines)
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path), Fleet(tmp_path, lambda: engines))
    detector = loader.load(choice(NAME))
    gpu.fail("cuStreamSynchronize", 700)
    with pytest.raises(ModelError, match="GPU is lost"):
        detector.detect([PICTURE])
    detector.close()
    assert loader.load(choice(NAME)).model.backend == "onnxruntime-cpu"
    assert "restarts" in str(loader.lacking(NAME))


def refuse(error: Exception) -> Machine:
    raise error


@pytest.mark.parametrize(
    ("error", "lacking"),
    [(DependencyError("TensorRT is not installed"), None), (ModelError("cuInit failed"), "cuInit failed")],
    ids=["no TensorRT", "no GPU"],
)
def test_a_machine_without_a_gpu_runs_on_the_cpu(
    tmp_path: Path, error: Exception, lacking: str | None
) -> None:
    export(tmp_path)
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path), Fleet(tmp_path, lambda: refuse(error)))
    assert loader.load(choice(NAME)).model.backend == "onnxruntime-cpu"
    assert lacking in str(loader.lacking(NAME)) if lacking else loader.lacking(NAME) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"decoding": "yolo99"}, "unknown decoding"),
        ({"card": 2}, "is damaged"),
        ({"files": {}}, "is damaged"),
    ],
)
def test_a_card_that_makes_no_sense_is_told(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    export(tmp_path, **changes)
    with pytest.raises(ModelError, match=said):
        DetectorLoader(CATALOG, ModelStore(tmp_path)).load(choice(NAME))


def test_an_engine_takes_pictures_where_they_lie(
    tmp_path: Path, engines: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    export(tmp_path)
    build(tmp_path, engines)
    (tmp_path / "cpp").mkdir()
    loader = DetectorLoader(CATALOG, ModelStore(tmp_path), Fleet(tmp_path, lambda: engines))
    loader.cubins = cpu_cubins(tmp_path / "cpp")
    detector = loader.load(choice(NAME))
    picture = noise(640, 480, PixelFormat.NV12, Colour.BT709_LIMITED)
    with on_device(picture) as frame:
        detector.detect([frame, frame])
    assert loader.lacking(NAME) is None
    assert loader.ledger.read().is_zero_copy
    assert loader.ledger.read().frames == 2
    detector.close()

    loader.cubins = Cubins(tmp_path / "none", [])
    through_host = loader.load(choice(NAME))
    assert "pictures go through the host" in caplog.text
    assert str(loader.lacking(NAME)).startswith(f"pictures go through the host to {NAME}: no kernel can be")
    assert not loader.may_do_better(NAME), "the engine itself is as good as it can be"
    assert len(through_host.detect([picture])) == 1
    through_host.close()
