"""From FP32 to the INT8 form with the best trade that the recipe's floor allows, found by itself.

    python -m export.quantise yolox-nano-416 --out built/ [--calibration FOLDER|VIDEO]

Ranges are measured on the calibration pictures, choices are compared on the tuning pictures, and the
validation pictures are looked at once, after everything is chosen. Exit code 1 if the result passes no floor.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from onnx import ModelProto

from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.models.files import writing_below
from export import graph
from export.card import accuracy_of, plan_of, write_card
from export.golden import make_golden
from export.judge import Verdict
from export.measure import calibration_pictures, judge_on
from export.onnx import add_source_arguments, prepare, source_file
from export.pictures import Feeder, PictureSet
from export.progress import say
from export.recipe import Recipe, load_recipe
from export.report import show_frontier, show_layers, show_verdict
from export.search import Found, search
from export.verify import verify


def quantise(recipe: Recipe, model: ModelProto, calibration: PictureSet, mirror: Path) -> Found:
    """Search on the recipe's tuning pictures, those of the calibration set left out."""
    without = {Path(name).name for name in calibration.names}
    judge, tuning = judge_on(recipe, model, recipe.tuning, mirror, without)
    say(f"{recipe.name}: {len(calibration.names)} pictures to calibrate, {judge.images} to choose by")
    feeder = Feeder(recipe.input)
    return search(model, recipe, feeder.feeds(calibration), feeder.feeds(tuning), judge)


def build(recipe: Recipe, source: Path, calibration: PictureSet, mirror: Path, out: Path) -> Verdict:
    """Write both models, the golden set and the card into `out`; the verdict on the validation pictures.

    ModelError if INT8 is refused: what stays then is FP32, and a card that says so.
    """
    model = prepare(recipe, source)
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise ModelError(f"{source} is quantised already, by its publisher: quantise the FP32 model instead")
    fp32, int8 = out / f"{recipe.name}.onnx", out / f"{recipe.name}.int8.onnx"
    with writing_below(out):
        out.mkdir(parents=True, exist_ok=True)
        int8.unlink(missing_ok=True)
        graph.save(model, fp32)
    golden = make_golden(recipe, model, out) if recipe.head else None
    write_card(recipe, source, out, calibration=calibration.card(), golden=golden)
    found = quantise(recipe, model, calibration, mirror)
    show_layers(found)
    show_frontier(found)
    with writing_below(out):
        graph.save(found.model, int8)
    verdict, images = verify(recipe, fp32, int8, mirror)
    show_verdict(verdict, images, (fp32.stat().st_size, int8.stat().st_size), found.point.share)
    measured = {"plan": plan_of(found), "accuracy": accuracy_of(verdict, recipe.validation.images, images)}
    if not verdict.passes(recipe):
        int8.unlink()
    write_card(recipe, source, out, calibration=calibration.card(), golden=golden, **measured)
    if not verdict.passes(recipe):
        raise ModelError(
            f"{recipe.name} in INT8 is refused: it loses {verdict.drop:.4f} on the validation pictures, and "
            f"its floor allows {recipe.allowed_drop:.4f}. Use it in FP16, or calibrate on more pictures"
        )
    return verdict


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.quantise", description=__doc__)
    add_source_arguments(parser)
    parser.add_argument(
        "--calibration", type=Path, help="folder of pictures, or a video (default: the recipe's)"
    )
    args = parser.parse_args()
    recipe = load_recipe(args.recipe)
    source = source_file(recipe, args.source, args.mirror)
    calibration = calibration_pictures(recipe, args.calibration, args.mirror)
    build(recipe, source, calibration, args.mirror, args.out)


if __name__ == "__main__":
    try:
        main()
    except EdgeGuardError as error:
        sys.exit(str(error))
