"""The table of models in docs/models.md: `python -m tests.models.catalog_table` writes it anew."""

from __future__ import annotations

from pathlib import Path

from edgeguard.models import ModelCard, load_catalog
from edgeguard.models.store import BUILTIN

PAGE = Path(__file__).resolve().parents[2] / "docs" / "models.md"
START, END = "<!-- models: begin -->\n", "<!-- models: end -->\n"


def table() -> str:
    head = "| model | for | what | size | licence | source |\n|---|---|---|---|---|---|\n"
    return head + "".join(_row(card) for card in load_catalog().cards)


def with_table(page: str) -> str:
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return before + START + table() + END + after


def _row(card: ModelCard) -> str:
    size = f"{card.size_bytes / 1e6:.1f} MB" if card.size_bytes else "?"
    what = card.title + (f" ({card.caveat.rstrip('.')})" if card.caveat else "")
    elsewhere = "in the package" if (BUILTIN / card.name).is_dir() else "mirror only"
    source = "archive" if card.archive else "files" if card.files[0].url else elsewhere
    licence = f"[{card.licence}]({card.licence_url})"
    return f"| `{card.name}` | {card.task} | {what} | {size} | {licence} | {source} |\n"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
