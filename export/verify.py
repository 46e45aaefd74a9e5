"""The accuracy gate: FP32 beside INT8 on annotated pictures that neither was chosen by.

    python -m export.verify yolox-nano-416 --out built/ [--engine PLAN] [--json]

What is not in `--out` yet is made first, as by `python -m export.quantise`, which takes a few minutes.
With `--engine`, a TensorRT plan of this machine takes the place of the INT8 file on ONNX Runtime.

Exit code 1 if INT8 loses more than the recipe's floor allows, or if TensorRT's parser would refuse the model.
The last line with `--json` is one object with the figures.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path

from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.models import OnnxSession, Session
from edgeguard.models.cost import cost
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.workshop import open_machine
from edgeguard.models.files import reading
from edgeguard.models.lint import lint
from edgeguard.models.onnx_graph import load_graph
from edgeguard.types import ModelRef
from export.card import accuracy_of, card_path, update_card
from export.judge import Verdict
from export.measure import calibration_pictures, judge_on
from export.onnx import add_source_arguments, source_file
from export.progress import say
from export.recipe import Pictures, Recipe, load_recipe
from export.report import show_verdict


def verify(
    recipe: Recipe,
    fp32: Path,
    int8: Path,
    mirror: Path,
    pictures: Pictures | None = None,
    engine: Path | None = None,
) -> tuple[Verdict, int]:
    """Both files on the recipe's validation pictures (or `pictures`), and how many those were.

    ModelError if a file is damaged, does not match its recipe, or breaks a rule of TensorRT's parser.
    """
    for path in (fp32, int8):
        require_sound(path, recipe)
    quantised = engine_session(recipe, engine) if engine else _session(recipe, int8)
    judge, _ = judge_on(recipe, _session(recipe, fp32), pictures or recipe.validation, mirror)
    return judge(quantised), judge.images


def require_sound(path: Path, recipe: Recipe) -> None:
    """ModelError with every rule of TensorRT's parser that the file breaks, or if its input is another."""
    errors = [str(finding) for finding in lint(path) if finding.level == "error"]
    if errors:
        raise ModelError(f"TensorRT would refuse {path}:\n" + "\n".join(errors))
    inputs = load_graph(path).inputs
    if inputs != [recipe.input.tensor]:
        raise ModelError(f"{path} takes {', '.join(inputs)}, but {recipe.name} takes {recipe.input.tensor}")


def engine_session(recipe: Recipe, plan: Path) -> Session:
    """A TensorRT plan at work; only one of your own, for a plan is a program.

    DependencyError without TensorRT or a driver, ModelError without a GPU or if the plan is for another one.
    """
    with reading(plan):
        data = plan.read_bytes()
    machine = open_machine()
    return TensorRtEngine(data, ModelRef(recipe.name, None, "tensorrt"), machine.tensorrt, machine.cuda)


def _session(recipe: Recipe, path: Path) -> Session:
    return OnnxSession(path, recipe.name, threads=2)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m export.verify", description=__doc__)
    add_source_arguments(parser)
    parser.add_argument("--images", help="folder of other validation pictures, below the mirror")
    parser.add_argument("--annotations", help="their COCO JSON, below the mirror")
    parser.add_argument("--engine", type=Path, metavar="PLAN", help="your own TensorRT plan, built here")
    parser.add_argument("--json", action="store_true", help="print nothing but the JSON object")
    args = parser.parse_args()
    recipe = load_recipe(args.recipe)
    fp32, int8 = (args.out / f"{recipe.name}{end}.onnx" for end in ("", ".int8"))
    pictures = Pictures(args.images, args.annotations) if args.images else None
    if not (fp32.is_file() and int8.is_file()):
        _make(recipe, args)
    verdict, images = verify(recipe, fp32, int8, args.mirror, pictures, args.engine)
    share = cost(int8).int8_mac_share
    if not args.json:
        show_verdict(verdict, images, (fp32.stat().st_size, int8.stat().st_size), share)
    if pictures is None and args.engine is None and card_path(recipe, args.out).is_file():
        update_card(recipe, args.out, accuracy=accuracy_of(verdict, recipe.validation.images, images))
    print(json.dumps(figures(recipe, verdict, images, share)))
    if not verdict.passes(recipe):
        print(
            f"{args.engine or int8} is refused: it loses {verdict.drop:.4f}, and the floor of its recipe "
            f"allows {recipe.allowed_drop:.4f}. Quantise it again: `python -m export.quantise {recipe.name}`",
            file=sys.stderr,
        )
    return 0 if verdict.passes(recipe) else 1


def _make(recipe: Recipe, args: argparse.Namespace) -> None:
    """Both files, by the recipe; what is printed on the way goes to standard error."""
    from export.quantise import build  # which verifies what it built

    say(f"{recipe.name} is not in {args.out} yet: making it")
    source = source_file(recipe, args.source, args.mirror)
    calibration = calibration_pictures(recipe, None, args.mirror)
    with contextlib.redirect_stdout(sys.stderr):
        build(recipe, source, calibration, args.mirror, args.out)


def figures(recipe: Recipe, verdict: Verdict, images: int, share: float) -> dict[str, object]:
    """What the last line says; mAP is null for what is no detector."""
    return {
        "model": recipe.name,
        "images": images,
        "map_fp32": round(verdict.fp32.map, 4) if verdict.fp32 else None,
        "map_int8": round(verdict.int8.map, 4) if verdict.int8 else None,
        "drop": round(verdict.drop, 4),
        "int8_mac_share": round(share, 4),
    }


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EdgeGuardError as error:
        sys.exit(str(error))
