"""Writes the map of the rooms in docs/architecture.md from the cards at their doors.

python tools/rooms.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- rooms: begin -->", "<!-- rooms: end -->"


def table() -> str:
    """A row per room: what it is for, what belongs there, what it may import."""
    rows = ["| room | what it is | belongs here | may import |", "|---|---|---|---|"]
    for door in sorted((ROOT / "edgeguard").glob("*/__init__.py")):
        card = ast.get_docstring(ast.parse(door.read_text())) or ""
        title = card.split("\n\n")[0].replace("\n", " ")
        fields = [_field(card, name) for name in ("Belongs here", "May import")]
        rows.append(f"| `{door.parent.name}` | {title} | {fields[0]} | {fields[1]} |")
    return "\n".join(rows)


def _field(card: str, name: str) -> str:
    for line in card.splitlines():
        if line.startswith(f"{name}:"):
            return line.partition(":")[2].strip().rstrip(".")
    return ""


def page() -> str:
    """The page with its map brought up to date."""
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page())
