from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edgeguard.cli.main import app
from edgeguard.errors import ModelError
from edgeguard.models.cost import MODULES, Cost, LayerCost, cost, cost_of
from edgeguard.models.onnx_graph import parse_graph
from tests.models.graphs import CHANNELS, constant, model, node, plain, quantised, saved, weights

HERE = Path("model.onnx")
CONV_MACS = CHANNELS * 16 * 16 * 3 * 3 * 3
NANO, NX, AGX = MODULES


def counted(graph: object, batch: int = 1) -> Cost:
    return cost_of(parse_graph(graph.SerializeToString(), HERE), batch)  # type: ignore[attr-defined]


@pytest.mark.parametrize("batch", [1, 4])
def test_counts_a_convolution(batch: int) -> None:
    found = counted(plain(), batch)
    assert found.macs == batch * CONV_MACS
    assert found.flops == 2 * found.macs
    assert found.parameters == weights().size + CHANNELS
    assert found.activations == batch * 16 * 16 * (3 + CHANNELS)
    assert found.int8_mac_share == 0


def test_a_quantised_one_counts_the_same_and_is_int8() -> None:
    found = counted(quantised())
    assert found.macs == CONV_MACS
    assert found.parameters == weights().size + CHANNELS
    assert found.int8_mac_share == 1
    assert found.activation_bytes("fp16") == found.activations
    assert counted(plain()).activation_bytes("fp16") == 2 * found.activations


def test_half_quantised_is_not_int8() -> None:
    assert counted(quantised(quantise_weights=False)).int8_mac_share == 0


def test_counts_matrices_and_grouped_and_transposed_convolutions() -> None:
    rng = np.random.default_rng(0)
    nodes = [
        node("Conv", ["x", "deep"], "c", group=3, pads=[1] * 4),
        node("ConvTranspose", ["c", "up"], "u", strides=[2, 2]),
        node("Flatten", ["u"], "f"),
        node("Gemm", ["f", "g"], "y"),
    ]
    sizes = {"deep": (3, 1, 3, 3), "up": (3, 2, 2, 2), "g": (2 * 32 * 32, 5)}
    constants = [constant(name, rng.normal(size=size)) for name, size in sizes.items()]
    macs = [layer.macs for layer in counted(model(nodes, constants, output=["batch", 5])).layers]
    assert macs == [3 * 16 * 16 * 9, 3 * 16 * 16 * 2 * 4, 2 * 32 * 32 * 5]


def test_the_floor_is_that_of_the_reference() -> None:
    """A detector like YOLOv8n at 640: 4.371 G multiply-accumulates, 35.1 M activations, 3.15 M parameters."""
    reference = Cost(1, (LayerCost("all", "Conv", 4_371_000_000, 3_150_000, 35_100_000, True),))
    assert reference.floor_s(NANO) == pytest.approx(0.56e-3, rel=0.02)
    assert reference.floor_s(NX) == pytest.approx(0.37e-3, rel=0.02)
    assert reference.floor_s(AGX) == pytest.approx(0.19e-3, rel=0.02)


def test_where_arithmetic_takes_longer_than_memory_it_is_the_floor() -> None:
    busy = Cost(1, (LayerCost("all", "Conv", 10_000_000_000, 1, 1, True),))
    assert busy.floor_s(NANO) == pytest.approx(20e9 / 20.5e12, rel=0.01)


def test_a_size_that_is_not_known_is_told() -> None:
    free = model([node("Conv", ["x", "w"], "y")], [constant("w", weights())], shape=["n", 3, "h", "w"])
    with pytest.raises(ModelError, match=r"model\.onnx.*fixed height and width"):
        counted(free)


@pytest.mark.parametrize(
    ("name", "macs"), [("yolox_nano_416", 522_553_408), ("yolox_nano_640x640", 1_236_812_800)]
)
def test_counts_a_real_detector(mirror: Path, name: str, macs: int) -> None:
    found = cost(mirror / f"models/detect/{name}.onnx")
    assert found.macs == macs
    assert found.parameters == 904_463


def test_loses_no_batch_in_a_real_detector(mirror: Path) -> None:
    assert cost(mirror / "models/detect/nanodet_m_320.onnx").macs > 200e6


def test_the_command_prints_figures(tmp_path: Path) -> None:
    path = str(saved(quantised(), tmp_path))
    answer = CliRunner().invoke(app, ["engines", "cost", path, "--batch", "2", "--json"])
    figures = json.loads(answer.output)
    assert figures["macs"] == 2 * CONV_MACS
    assert figures["int8_mac_share"] == 1
    assert set(figures["floor_ms"]) == {module.name for module in MODULES}
    assert "computed" in CliRunner().invoke(app, ["engines", "cost", path]).output
