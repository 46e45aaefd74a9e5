"""Building, gating, falling back and finding again: with the fakes, but in real processes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edgeguard.clock import SystemClock
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError
from edgeguard.models.engines.order import Precision
from edgeguard.models.engines.shelf import Shelf, shelf_of
from edgeguard.models.engines.trt import TensorRt
from edgeguard.models.engines.workshop import Effort, Machine, Workshop, engine_of, usable
from edgeguard.models.exported import Exported, read_exported
from edgeguard.models.files import sha256_of
from tests.models.engines.exports import BROKEN_SCALE, GOOD_SCALE, NAME, detector, export
from tests.models.onnx_bytes import adder, external_tensor
from tests.support.gpu import HERE, VERSIONS, FakeGpu, fake_cuda_folder, fake_tensorrt


@pytest.fixture(params=VERSIONS)
def machine(
    request: pytest.FixtureRequest, cuda: CtypesCuda, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machine]:
    """The compiler's process finds the fakes, too."""
    root = HERE.parent.parent
    monkeypatch.setenv("PYTHONPATH", f"{HERE / 'fake_tensorrt' / request.param}:{root}")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(fake_cuda_folder()))
    with fake_tensorrt(request.param) as module:
        yield Machine(TensorRt(module), cuda)


class Bench:
    """One model, its shelf, and what was said."""

    def __init__(self, root: Path, machine: Machine) -> None:
        self.root = root
        self.machine = machine
        self.said: list[str] = []
        self.steps: list[tuple[str, int, int]] = []

    @property
    def exported(self) -> Exported:
        return read_exported(self.root / NAME / f"{NAME}.card.json")

    @property
    def shelf(self) -> Shelf:
        return shelf_of(self.root, NAME)

    def workshop(self, **effort: int) -> Workshop:
        self.said.clear()
        return Workshop(
            self.exported,
            self.shelf,
            self.machine,
            Effort(**effort),
            SystemClock(),
            self.said.append,
            lambda *step: self.steps.append(step),
        )

    @property
    def notes(self) -> str:
        return "\n".join(self.said)


@pytest.fixture
def bench(tmp_path: Path, machine: Machine) -> Bench:
    export(tmp_path)
    return Bench(tmp_path, machine)


def test_builds_int8_gates_it_and_keeps_it_with_its_fingerprint(bench: Bench) -> None:
    made = bench.workshop(cameras=3).build()
    assert made.basis.precision is Precision.INT8
    assert (made.basis.best_batch, made.basis.max_batch) == (3, 8)
    assert made.basis.calibration_sha256 == "c" * 64
    assert (made.weighted_layers, made.int8_layers) == (1, 1)
    assert made.golden_recall == made.golden_precision == 1.0
    assert made.latency_ms is not None
    assert made.build_s > 0
    assert made.flags == (("FP16", "INT8") if bench.machine.tensorrt.weakly_typed else ())
    assert "because there is no engine yet" in bench.notes
    assert bench.steps[-1] == ("Building engine", 4, 4)
    assert bench.shelf.timing_cache.exists()
    assert not list(bench.shelf.folder.glob("*.new"))
    note = json.loads((bench.shelf.folder / f"{NAME}.int8.json").read_text())
    assert note["basis"]["gpu"] == "Fake Orin"


def test_what_was_built_runs(bench: Bench) -> None:
    bench.workshop().build()
    (precision,) = usable(bench.exported, bench.shelf, bench.machine)
    engine = engine_of(bench.shelf.load(precision.value), bench.exported, bench.machine)
    assert engine.model.backend == "tensorrt-int8"
    assert engine.model.sha256 == bench.exported.variants["int8"].sha256
    engine.slots["images"][:] = 100
    assert engine.run(2)["detections"].shape == (2, 4, 6)
    engine.close()


def test_does_nothing_twice(bench: Bench) -> None:
    first = bench.workshop().build()
    assert bench.workshop().build() == first
    assert bench.said == [f"{NAME}: the int8 engine is current"]


def test_says_why_it_builds_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.workshop().build()
    module = "edgeguard.models.engines.workshop.driver_release"
    monkeypatch.setattr(module, lambda: "R36 (release), REVISION: 5.0")
    bench.workshop(cameras=4).build()
    assert "the number of cameras was 1 and is 4" in bench.notes
    assert "the driver was unknown and is R36 (release), REVISION: 5.0" in bench.notes


def test_more_cameras_make_an_engine_slower_not_wrong(bench: Bench) -> None:
    bench.workshop(cameras=5).build()
    assert list(usable(bench.exported, bench.shelf, bench.machine)) == [Precision.INT8]


def test_an_int8_engine_that_detects_nothing_gives_way_to_fp16_loudly(
    tmp_path: Path, machine: Machine
) -> None:
    export(tmp_path, scale=BROKEN_SCALE)
    bench = Bench(tmp_path, machine)
    made = bench.workshop().build()
    assert made.basis.precision is Precision.FP16
    assert "INT8 IS NOT USED: of " in bench.notes
    assert "finds 0.0% again" in bench.notes
    assert not bench.shelf.path("int8").exists()
    assert list(usable(bench.exported, bench.shelf, machine)) == [Precision.FP16]
    bench.workshop().build()
    assert "found before" in bench.notes, "a refused engine is not made at every start"
    assert "the fp16 engine is current" in bench.notes


def test_a_model_without_a_golden_set_is_compared_number_by_number(tmp_path: Path, machine: Machine) -> None:
    export(tmp_path, scale=BROKEN_SCALE, golden=False)
    bench = Bench(tmp_path, machine)
    made = bench.workshop().build()
    assert made.basis.precision is Precision.FP16
    assert made.golden_recall is None
    assert "to a cosine of" in bench.notes


def test_a_golden_set_that_was_changed_refuses_all(bench: Bench) -> None:
    with (bench.root / NAME / f"{NAME}.golden.npz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match="not the golden set that its card names"):
        bench.workshop().build()


def test_a_model_that_does_not_match_its_card_is_told(tmp_path: Path, machine: Machine) -> None:
    export(tmp_path, outputs={"detections": ["batch", 300, 6]})
    with pytest.raises(ModelError, match=r"its card says detections \('batch', 300, 6\)"):
        Bench(tmp_path, machine).workshop().build()


def test_an_onnx_file_that_was_changed_is_not_built(bench: Bench) -> None:
    for file in (bench.root / NAME).glob("*.onnx"):
        file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="is not the file that its card names"):
        bench.workshop().build()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: b"<html>404</html>", "damaged"),
        (lambda data: detector(GOOD_SCALE, rows="elsewhere").SerializeToString(), "its card says detections"),
        (lambda data: adder(weights=external_tensor("w")), "tensors in other files"),
    ],
    ids=["cut", "page", "other outputs", "external data"],
)
def test_a_bad_onnx_file_under_a_card_that_names_it_is_told(
    tmp_path: Path, machine: Machine, spoil: Callable[[bytes], bytes], said: str
) -> None:
    path = export(tmp_path, golden=False)
    card = json.loads(path.read_text())
    for entry in card["files"].values():
        file = tmp_path / NAME / entry["file"]
        file.write_bytes(spoil(file.read_bytes()))
        entry["sha256"] = sha256_of(file)
    path.write_text(json.dumps(card))
    with pytest.raises(ModelError, match=said):
        Bench(tmp_path, machine).workshop().build()


def test_two_builders_do_not_meet(bench: Bench) -> None:
    with bench.shelf.building():
        assert bench.shelf.is_building
        with pytest.raises(ModelError, match="another program is building"):
            bench.workshop().build()
    assert not bench.shelf.is_building


def test_a_compiler_short_of_memory_takes_nothing_down(bench: Bench) -> None:
    with pytest.raises(ModelError, match=r"compiling .* broke off|not enough memory"):
        bench.workshop(memory_bytes=8 << 20).build()


def test_a_gpu_that_is_lost_ends_the_build_at_once(bench: Bench, gpu: FakeGpu) -> None:
    gpu.fail("cuGraphLaunch", 700)
    with pytest.raises(ModelError, match="until the service restarts"):
        bench.workshop().build()
    assert "NOT USED" not in bench.notes


def test_the_figures_are_numbers(bench: Bench) -> None:
    made = bench.workshop().build()
    assert np.isfinite([made.build_s, made.latency_ms or np.nan]).all()
