"""A model that was exported for engines: its card, and the files beside it.

`export/` writes NAME.card.json with NAME.onnx, NAME.int8.onnx and NAME.golden.npz into one folder. A model of
the catalog that was never exported can be built, too: as it is, in FP16.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeguard.errors import ModelError
from edgeguard.models.card import InputSpec, ModelCard
from edgeguard.models.files import is_file, reading, sha256_of
from edgeguard.models.store import ModelStore

VERSION = 1
DEFAULT_FLOOR = 0.95
DEFAULT_COSINE = 0.99


@dataclass(frozen=True, slots=True)
class OnnxVariant:
    """One ONNX file of a model."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class Exported:
    """What an engine is built from and held to."""

    name: str
    decoding: str
    labels: tuple[str, ...]
    input: InputSpec
    variants: Mapping[str, OnnxVariant]
    """`fp32`, and `int8` where one was accepted."""
    outputs: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    """What the card promises of the outputs; empty if it promises nothing."""
    calibration_sha256: str | None = None
    golden: OnnxVariant | None = None
    floor: float = DEFAULT_FLOOR
    """The least share of the golden set's things that an engine must find again."""
    cosine: float = DEFAULT_COSINE
    """The least cosine between an engine's outputs and ONNX Runtime's, for a model without a golden set."""

    def verified(self, variant: str) -> Path:
        """The ONNX file; ModelError unless it is the one that the card names."""
        file = self.variants[variant]
        if not is_file(file.path):
            raise ModelError(f"{file.path} is missing: export {self.name} again")
        if sha256_of(file.path) != file.sha256:
            raise ModelError(f"{file.path} is not the file that its card names: export {self.name} again")
        return file.path


def find_exported(store: ModelStore, card: ModelCard) -> Exported:
    """What was exported into the model's folder, else the catalog's own file. ModelError without either."""
    folder = store.root / card.name
    path = folder / f"{card.name}.card.json"
    if is_file(path):
        return read_exported(path)
    if card.input is None:
        raise ModelError(f"{card.name} takes no pictures, so no engine is built for it")
    file = store.path(card)
    plain = {"fp32": OnnxVariant(file, sha256_of(file))}
    return Exported(card.name, card.decoding or "", store.labels(card), card.input, plain)


def read_exported(path: Path) -> Exported:
    """ModelError names the file if it is missing, damaged or says what cannot be."""
    try:
        with reading(path):
            values = json.loads(path.read_bytes())
        return _exported(path.parent, values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the card {path} is damaged ({error!r}): export the model again") from error


def _exported(folder: Path, values: dict[str, Any]) -> Exported:
    if values["card"] != VERSION:
        raise ValueError(f"its version is {values['card']}, expected {VERSION}")
    variants = {name: _variant(folder, file) for name, file in values["files"].items()}
    if "fp32" not in variants:
        raise ValueError("it names no FP32 file")
    spec: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values["input"].items()
    }
    calibration, golden = values.get("calibration"), values.get("golden")
    return Exported(
        str(values["name"]),
        str(values["decoding"]),
        tuple(values["labels"]),
        InputSpec(**spec),
        variants,
        {name: tuple(shape) for name, shape in values["outputs"].items()},
        calibration["dataset_sha256"] if calibration else None,
        _variant(folder, golden) if golden else None,
        float(values["floor"].get("golden_recall") or DEFAULT_FLOOR),
        float(values["floor"].get("cosine") or DEFAULT_COSINE),
    )


def _variant(folder: Path, file: dict[str, Any]) -> OnnxVariant:
    """A file beside the card: a name that leads elsewhere is refused."""
    name = str(file["file"])
    if Path(name).name != name:
        raise ValueError(f"{name!r} is not a plain file name")
    return OnnxVariant(folder / name, str(file["sha256"]))
