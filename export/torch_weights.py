"""For models that come as PyTorch weights: from the network and its weights to the FP32 ONNX and its card.

    python -m export.torch_weights dfine-n --weights dfine_n_coco.pth --network my_dfine:build --out built/

`--network` names a function that builds the network without weights; it must be importable, so run this in
the checkout of the model's authors. Needs PyTorch (`pip install 'edgeguard[export,export-torch]'`, the CPU
build will do). Weights are loaded as tensors only: no code that a weights file brings is run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from edgeguard.errors import DependencyError, EdgeGuardError, ModelError
from edgeguard.models.files import reading, writing_below
from export import graph
from export.card import write_card
from export.onnx import add_source_arguments, check_source, prepare
from export.recipe import Recipe, load_recipe
from export.runner import MemorySession

OUTPUTS = {"detr": ["logits", "pred_boxes"], "yolox": ["output"]}
_WRAPPERS = ("ema", "model", "module", "state_dict")
"""Keys under which training scripts put the weights."""
_TOLERANCE = 1e-3


def export_network(recipe: Recipe, network: Any, target: Path) -> None:
    """Write a torch.nn.Module as ONNX; ModelError if it cannot be traced or computes something else."""
    torch = _torch()
    spec = recipe.input
    example = torch.rand(1, 3, spec.height_px, spec.width_px)
    names = OUTPUTS.get(recipe.head or "", ["output"])
    network = network.eval()
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing, about constants that are constant here
            expected = network(example)
            torch.onnx.export(
                network,
                (example,),
                str(target),
                input_names=[spec.tensor],
                output_names=names,
                opset_version=graph.OPSET,
                dynamo=False,
            )
    except Exception as error:  # tracing runs the network's own code
        raise ModelError(f"{recipe.name}: PyTorch cannot export this network: {error}") from error
    _require_same(recipe, target, example.numpy(), _flat(expected))


def load_weights(network: Any, weights: Path) -> None:
    """Put a checkpoint's tensors into the network; ModelError if they are not its own."""
    torch = _torch()
    try:
        with reading(weights):
            state = torch.load(weights, map_location="cpu", weights_only=True)
        while (wrapper := next((key for key in _WRAPPERS if key in state), None)) is not None:
            state = state[wrapper]
        network.load_state_dict(state)
    except EdgeGuardError:
        raise
    except Exception as error:  # unpickling and mismatches raise errors of many kinds
        raise ModelError(f"{weights} does not hold the weights of this network: {error}") from error


def build_network(place: str) -> Any:
    """What `package.module:function` returns; ModelError if there is no such function."""
    module, _, function = place.partition(":")
    try:
        return getattr(importlib.import_module(module), function)()
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelError(
            f"cannot build the network {place!r} ({error}): give package.module:function"
        ) from error


def _require_same(recipe: Recipe, target: Path, example: np.ndarray, expected: list[Any]) -> None:
    found = MemorySession(graph.load(target), recipe.name).infer({recipe.input.tensor: example})
    for want, have in zip(expected, found.values(), strict=True):
        if not np.allclose(want.numpy(), have, rtol=_TOLERANCE, atol=_TOLERANCE):
            raise ModelError(
                f"{recipe.name} computes something else as ONNX: its network depends on its input"
            )


def _flat(outputs: Any) -> list[Any]:
    """The tensors of a network's answer: one, several, or by name."""
    if isinstance(outputs, dict):
        return list(outputs.values())
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise DependencyError(
            "PyTorch is not installed: `pip install 'edgeguard[export-torch]'` (the CPU build will do)"
        ) from error
    return torch


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.torch_weights", description=__doc__)
    add_source_arguments(parser)
    parser.add_argument("--weights", type=Path, required=True, help="checkpoint of the model's authors")
    parser.add_argument(
        "--network", help="package.module:function that builds the network (default: the recipe's)"
    )
    args = parser.parse_args()
    recipe = load_recipe(args.recipe)
    place = args.network or recipe.network
    if place is None:
        parser.error(f"{recipe.name} does not say how its network is built: give --network")
    check_source(recipe, args.weights)
    network = build_network(place)
    load_weights(network, args.weights)
    target = args.out / f"{recipe.name}.onnx"
    with writing_below(args.out), tempfile.TemporaryDirectory() as folder:
        args.out.mkdir(parents=True, exist_ok=True)
        traced = Path(folder) / "traced.onnx"
        export_network(recipe, network, traced)
        graph.save(prepare(recipe, traced), target)
    print(f"{target}\n{write_card(recipe, args.weights, args.out)}")


if __name__ == "__main__":
    try:
        main()
    except EdgeGuardError as error:
        sys.exit(str(error))
