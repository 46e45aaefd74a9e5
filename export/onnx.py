"""From a published file to the FP32 ONNX that TensorRT gets, with its card beside it.

python -m export.onnx yolox-nano-416 --out built/
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from onnx import ModelProto

from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.models import ModelStore, default_root
from edgeguard.models.files import sha256_of, writing_below
from export import graph
from export.card import write_card
from export.heads import BOXES, HEADS, SCORES, keep_best
from export.recipe import Recipe, load_recipe, recipe_names


def prepare(recipe: Recipe, source: Path) -> ModelProto:
    """The recipe's model from the file `source`: normalised, and decoded inside if it is a detector.

    ModelError if the file is damaged or is not what the recipe says.
    """
    model = graph.normalise(graph.load(source), source.name, dynamic_batch=recipe.batch == "dynamic")
    _require_input(model, recipe, source)
    if recipe.head is None:
        return model
    if recipe.head not in HEADS:
        raise ModelError(f"{recipe.name}: there is no head {recipe.head}, only {', '.join(HEADS)}")
    HEADS[recipe.head](model, recipe.input)
    cells, classes = _candidates(model, source)
    labels = recipe.card.labels
    if labels and classes != len(labels):
        raise ModelError(f"{source} knows {classes} classes, but {recipe.name} has {len(labels)} labels")
    keep_best(model, cells, classes)
    return graph.finish(graph.simplify(model), source.name)


def source_file(recipe: Recipe, given: Path | None, mirror: Path | None) -> Path:
    """The file that the recipe starts from, its SHA-256 checked; ModelError says how to get it."""
    if given is None:
        store = ModelStore(default_root(), [mirror] if mirror else [])
        return store.path(recipe.card)
    check_source(recipe, given)
    return given


def check_source(recipe: Recipe, given: Path) -> None:
    """ModelError unless the file's SHA-256 is one that the recipe accepts, or it names none."""
    digest, digests = sha256_of(given), recipe.card.file().digests
    if digests and digest not in digests:
        raise ModelError(
            f"{given} is not the file that {recipe.name} starts from (SHA-256 {digest}, expected "
            f"{' or '.join(sorted(digests))}): fetch it from {recipe.card.file().url}"
        )


def _require_input(model: ModelProto, recipe: Recipe, source: Path) -> None:
    spec = recipe.input
    size = [spec.height_px, spec.width_px]
    want = [3, *size] if spec.layout == "nchw" else [*size, 3]
    have = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:]
        for value in model.graph.input
    }
    if have != {spec.tensor: want}:
        raise ModelError(
            f"{source} takes {have} for one picture, but the recipe says {{{spec.tensor!r}: {want}}}"
        )


def _candidates(model: ModelProto, source: Path) -> tuple[int, int]:
    """How many cells and classes the head found; shapes are inferred up to there."""
    inferred = graph.finish(graph.with_outputs(model, [BOXES, SCORES]), source.name)
    shapes = {value.name: value.type.tensor_type.shape.dim for value in inferred.graph.output}
    return shapes[SCORES][1].dim_value, shapes[SCORES][2].dim_value


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that every tool here shares."""
    parser.add_argument("recipe", metavar="NAME", help=f"one of {', '.join(recipe_names())}, or a .yaml file")
    parser.add_argument("--source", type=Path, help="the published file (default: from mirror or store)")
    mirror = os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared")
    parser.add_argument(
        "--mirror", type=Path, default=Path(mirror), help="folder with model files (%(default)s)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("built"), help="folder for the results (%(default)s)"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.onnx", description=__doc__)
    add_source_arguments(parser)
    args = parser.parse_args()
    recipe = load_recipe(args.recipe)
    source = source_file(recipe, args.source, args.mirror)
    model = prepare(recipe, source)
    target = args.out / f"{recipe.name}.onnx"
    with writing_below(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
        graph.save(model, target)
    card = write_card(recipe, source, args.out)
    print(f"{target}\n{card}")


if __name__ == "__main__":
    try:
        main()
    except EdgeGuardError as error:
        sys.exit(str(error))
