from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.errors import ModelError
from edgeguard.models.onnx_file import refuse_external_data
from tests.models.onnx_bytes import adder, external_tensor, graph, model, node, number, part, tensor

HERE = Path("model.onnx")
OUTSIDE = external_tensor("w")
HIDDEN = {
    "initializer": adder(weights=OUTSIDE),
    "only the location": adder(weights=tensor("w", [1.0], number(14, 1))),
    "only the entry": adder(weights=tensor("w", [1.0], part(13, b""))),
    "sparse initializer": model(graph(part(15, part(1, OUTSIDE)))),
    "sparse indices": model(graph(part(15, part(2, OUTSIDE)))),
    "attribute": model(graph(part(1, node("Constant", [], "y", part(5, OUTSIDE))))),
    "attribute list": model(graph(part(1, node("Constant", [], "y", part(10, OUTSIDE))))),
    "sparse attribute": model(graph(part(1, node("Constant", [], "y", part(22, part(1, OUTSIDE)))))),
    "subgraph": model(graph(part(1, node("If", ["c"], "y", part(6, graph(part(5, OUTSIDE))))))),
    "subgraph list": model(graph(part(1, node("If", ["c"], "y", part(11, graph(part(5, OUTSIDE))))))),
    "function": model(graph(), part(25, part(7, node("Constant", [], "y", part(5, OUTSIDE))))),
    "function attribute": model(graph(), part(25, part(11, part(5, OUTSIDE)))),
    "training": model(graph(), part(20, part(1, graph(part(5, OUTSIDE))))),
    "second graph": model(graph(), part(7, graph(part(5, OUTSIDE)))),
}


def test_accepts_a_model_in_one_file() -> None:
    refuse_external_data(adder(), HERE)


@pytest.mark.parametrize("data", HIDDEN.values(), ids=HIDDEN.keys())
def test_finds_a_tensor_in_another_file_wherever_it_hides(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"model\.onnx keeps tensors in other files"):
        refuse_external_data(data, HERE)


def test_refuses_a_bomb_of_nested_graphs() -> None:
    bomb = graph()
    for _ in range(200):
        bomb = graph(part(1, node("If", [], "y", part(6, bomb))))
    with pytest.raises(ModelError, match="damaged"):
        refuse_external_data(model(bomb), HERE)


@given(st.integers(0, len(adder()) - 1))
def test_a_model_cut_anywhere_is_refused_or_has_nothing_outside(length: int) -> None:
    with suppress(ModelError):
        refuse_external_data(adder()[:length], HERE)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_in_another_way(data: bytes) -> None:
    with suppress(ModelError):
        refuse_external_data(data, HERE)
