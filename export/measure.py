"""The sets of pictures that a recipe names, and the judge for its kind of model."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from onnx import ModelProto

from edgeguard.errors import ModelError
from edgeguard.models import Session
from export.coco import Truth, read_truth
from export.judge import CosineJudge, Judge, MapJudge
from export.pictures import PictureSet, open_pictures
from export.recipe import Pictures, Recipe

OTHER_MODELS_PICTURES = 64
"""A cosine needs no more."""


def calibration_pictures(recipe: Recipe, given: Path | None, mirror: Path) -> PictureSet:
    """The site's own (`given`) or the recipe's; ModelError if there are none."""
    return open_pictures(given or mirror / recipe.calibration.images, recipe.calibration_images)


def judge_on(
    recipe: Recipe,
    original: ModelProto | Session,
    pictures: Pictures,
    mirror: Path,
    without: Collection[str] = (),
) -> tuple[Judge, PictureSet]:
    """The judge for these pictures, less those with the file names `without`, and the pictures themselves."""
    if recipe.head is None:
        shown = open_pictures(mirror / pictures.images, OTHER_MODELS_PICTURES)
        return CosineJudge(recipe, original, shown), shown
    truth = annotated(pictures, mirror, without)
    return MapJudge(recipe, original, truth), truth.pictures


def annotated(pictures: Pictures, mirror: Path, without: Collection[str] = ()) -> Truth:
    if pictures.annotations is None:
        raise ModelError(f"nothing says what is on the pictures {pictures.images}: name their COCO JSON")
    return read_truth(mirror / pictures.images, mirror / pictures.annotations, without)
