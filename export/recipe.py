"""What is to be made of a model, read from `recipes/NAME.yaml`."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edgeguard.errors import ModelError
from edgeguard.models import InputSpec, ModelCard, load_catalog
from edgeguard.models.catalog import card_from

HERE = Path(__file__).parent / "recipes"


@dataclass(frozen=True, slots=True)
class Pictures:
    """A set of pictures, with what is on them if `annotations` is given; paths are below the mirror."""

    images: str
    annotations: str | None = None
    """COCO JSON."""


COCO = "data/gt/coco128_yolo"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one model is exported, quantised and judged."""

    card: ModelCard
    """Source, checksum, licence, input and preprocessing: of the catalog, or written out in the recipe."""
    head: str | None = None
    """How its raw outputs are decoded inside the graph: a word of `heads.HEADS`; None keeps the outputs."""
    batch: str = "dynamic"
    """`dynamic`, or `fixed` where the graph only works for the batch size it was exported with."""
    network: str | None = None
    """How the PyTorch exporter builds the network: `package.module:function`; None if upstream has ONNX."""
    calibration: Pictures = Pictures("data/gt/coco_tiny100/train2017")
    """What ranges are measured on; `--calibration` gives the site's own."""
    tuning: Pictures = Pictures(f"{COCO}/images/train2017", f"{COCO}/instances_train2017_128_from_yolo.json")
    """What the search compares its choices on; pictures of the calibration set are left out."""
    validation: Pictures = Pictures(f"{COCO}/images/val2017", f"{COCO}/instances_val2017_128_from_yolo.json")
    """What the result is measured on, once, after everything is chosen."""
    calibration_images: int = 64
    """How many pictures of the calibration set at most, spread evenly over it."""
    map_drop: float = 0.01
    """Accuracy floor of a detector: INT8 may lose this much mAP50-95 (0 to 1)."""
    cosine: float = 0.98
    """Accuracy floor of any other model: mean cosine between the outputs of INT8 and FP32."""
    golden_recall: float = 0.95
    """Share of FP32's detections that an engine on the device must find again."""

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def allowed_drop(self) -> float:
        """Of mAP50-95 for a detector, of the cosine for any other model."""
        return self.map_drop if self.head else 1 - self.cosine

    @property
    def input(self) -> InputSpec:
        """ModelError if the model takes no pictures."""
        if self.card.input is None:
            raise ModelError(f"{self.name} takes no pictures: only models of pictures can be exported")
        return self.card.input


def recipe_names() -> list[str]:
    return sorted(path.stem for path in HERE.glob("*.yaml"))


def load_recipe(name: str) -> Recipe:
    """The recipe called `name`, or the one at that path; ModelError says what is wrong with it."""
    path = Path(name) if name.endswith(".yaml") else HERE / f"{name}.yaml"
    try:
        entry = yaml.safe_load(path.read_text(encoding="utf-8"))
        sets = {
            key: Pictures(**entry[key]) for key in ("calibration", "tuning", "validation") if key in entry
        }
        return Recipe(**{**entry, **sets, "card": _card(path.stem, entry.get("card", path.stem))})
    except FileNotFoundError as error:
        near = difflib.get_close_matches(name, recipe_names(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(recipe_names())}"
        raise ModelError(f"there is no recipe {name}: {hint}") from error
    except OSError as error:
        raise ModelError(f"cannot read the recipe {path}: {error.strerror}") from error
    except (yaml.YAMLError, TypeError, ValueError, AttributeError) as error:
        raise ModelError(f"the recipe {path} is wrong: {error}") from error


def _card(name: str, entry: str | dict[str, Any]) -> ModelCard:
    return load_catalog().card(entry) if isinstance(entry, str) else card_from(name, entry)
