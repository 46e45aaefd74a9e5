"""The card beside an exported model: what it was made of, what it takes and gives, what vouches for it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from edgeguard.errors import ModelError
from edgeguard.files import write_whole
from edgeguard.models.files import reading, sha256_of, writing_below
from edgeguard.models.onnx_graph import load_graph
from export.judge import Verdict
from export.recipe import Recipe
from export.report import precision
from export.search import Found

VERSION = 1


def card_path(recipe: Recipe, folder: Path) -> Path:
    return folder / f"{recipe.name}.card.json"


def write_card(recipe: Recipe, source: Path, folder: Path, **measured: Any) -> Path:
    """Write the card of what lies in `folder`; `measured` fills `calibration`, `plan` and so on."""
    graph = load_graph(folder / f"{recipe.name}.onnx")
    card = recipe.card
    content: dict[str, Any] = {
        "card": VERSION,
        "name": card.name,
        "title": card.title,
        "task": card.task,
        "licence": card.licence,
        "licence_url": card.licence_url,
        "source": {"file": source.name, "url": card.file().url, "sha256": sha256_of(source)},
        "input": dataclasses.asdict(recipe.input),
        "decoding": "compact" if recipe.head else card.decoding,
        "labels": list(card.labels),
        "outputs": {name: graph.shapes[name] for name in graph.outputs},
        "files": _files(recipe, folder),
        "floor": {
            "map_drop": recipe.map_drop,
            "cosine": recipe.cosine,
            "golden_recall": recipe.golden_recall,
        },
        "calibration": None,
        "plan": None,
        "accuracy": None,
        "golden": None,
        **measured,
    }
    path = card_path(recipe, folder)
    _write(path, content)
    return path


def read_card(path: Path) -> dict[str, Any]:
    """ModelError if there is none or it is damaged."""
    try:
        with reading(path):
            content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"the card {path} is damaged: export the model again") from error
    if not isinstance(content, dict) or content.get("card") != VERSION:
        raise ModelError(f"{path} is no card of version {VERSION}: export the model again")
    return content


def update_card(recipe: Recipe, folder: Path, **measured: Any) -> Path:
    """Put new measurements into the card that is there; ModelError if there is none or it is damaged."""
    path = card_path(recipe, folder)
    content = {**read_card(path), "files": _files(recipe, folder), **measured}
    _write(path, content)
    return path


def accuracy_of(verdict: Verdict, dataset: str, images: int) -> dict[str, Any]:
    """How the card tells a verdict."""
    scores = {"fp32": verdict.fp32, "int8": verdict.int8}
    found = {
        precision: {"map": round(score.map, 4), "map50": round(score.map50, 4)}
        for precision, score in scores.items()
        if score
    }
    return {
        "dataset": dataset,
        "images": images,
        "drop": round(verdict.drop, 4),
        "cosine": round(verdict.cosine, 4),
        **found,
    }


def plan_of(found: Found) -> dict[str, Any]:
    """How the card tells which layer runs in what."""
    return {
        "int8_mac_share": round(found.point.share, 4),
        "method": ", ".join(f"{name} {count}" for name, count in found.methods.items() if count),
        "layers": [
            {
                "node": layer.name,
                "op": layer.kind,
                "precision": precision(layer, found.point),
                "macs": layer.macs,
                "sensitivity_db": round(layer.sqnr_db, 1),
                "harm": float(f"{layer.harm:.3g}"),
            }
            for layer in found.layers
        ],
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    with writing_below(path.parent):
        write_whole(path, (json.dumps(content, indent=1, sort_keys=True) + "\n").encode())


def _files(recipe: Recipe, folder: Path) -> dict[str, dict[str, Any]]:
    paths = {"fp32": folder / f"{recipe.name}.onnx", "int8": folder / f"{recipe.name}.int8.onnx"}
    return {
        precision: {"file": path.name, "sha256": sha256_of(path), "size_bytes": path.stat().st_size}
        for precision, path in paths.items()
        if path.is_file()
    }
