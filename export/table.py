"""The table of measured models in docs/models.md, from the cards in a folder.

python -m export.table built/ docs/models.md
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeguard.errors import EdgeGuardError, ModelError
from edgeguard.models.cost import MODULES, Cost, cost
from edgeguard.models.files import reading
from export.card import card_path, read_card
from export.recipe import load_recipe, recipe_names

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
NOTHING = "–"


def table(folder: Path, recipes: Sequence[str]) -> str:
    """One row for each recipe; what was not exported into `folder` has no figures."""
    modules = " | ".join(f"{module.name} (ms, computed)" for module in MODULES)
    head = ["model", "licence", "file", "GFLOPs", "parameters", "FP32", "INT8", "MACs in INT8"]
    lines = [f"| {' | '.join(head)} | {modules} |", "|---" * (len(head) + len(MODULES)) + "|"]
    lines += [f"| {' | '.join(_row(name, folder))} |" for name in recipes]
    return "\n".join(lines)


def put_into(page: Path, rows: str) -> None:
    """Replace what lies between the markers; ModelError if the page has none."""
    with reading(page):
        text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ModelError(f"{page} has no place for the table: put in {BEGIN} and {END}")
    page.write_text(f"{before}{BEGIN}\n{rows}\n{END}{after}", encoding="utf-8")


def _row(name: str, folder: Path) -> list[str]:
    recipe = load_recipe(name)
    name, path = recipe.name, card_path(recipe, folder)
    if not path.is_file():
        return [f"`{name}`", recipe.card.licence, *[NOTHING] * (6 + len(MODULES))]
    card = read_card(path)
    best = folder / card["files"].get("int8", card["files"]["fp32"])["file"]
    return [f"`{name}`", card["licence"], *_figures(card, cost(best)), *_floors(cost(best))]


def _figures(card: dict[str, Any], found: Cost) -> list[str]:
    size = card["files"].get("int8", card["files"]["fp32"])["size_bytes"]
    accuracy, plan = card["accuracy"] or {}, card["plan"] or {}
    return [
        f"{size / 1e6:.1f} MB",
        f"{found.flops / 1e9:.2f}",
        f"{found.parameters / 1e6:.2f} M",
        _accuracy(accuracy, "fp32"),
        _accuracy(accuracy, "int8"),
        f"{plan['int8_mac_share']:.0%}" if plan else NOTHING,
    ]


def _accuracy(accuracy: dict[str, Any], precision: str) -> str:
    """mAP50-95 of a detector; of any other model the cosine between INT8 and FP32."""
    if precision in accuracy:
        return f"{accuracy[precision]['map']:.3f}"
    if not accuracy or "fp32" in accuracy:
        return NOTHING
    return "1" if precision == "fp32" else f"cosine {accuracy['cosine']:.3f}"


def _floors(found: Cost) -> list[str]:
    return [f"{found.floor_s(module) * 1e3:.2f}" for module in MODULES]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m export.table", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the exported models are")
    parser.add_argument("page", type=Path, nargs="?", help="Markdown page to put the table into")
    args = parser.parse_args()
    rows = table(args.folder, recipe_names())
    if args.page:
        put_into(args.page, rows)
    else:
        print(rows)


if __name__ == "__main__":
    try:
        main()
    except EdgeGuardError as error:
        sys.exit(str(error))
