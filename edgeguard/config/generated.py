"""The files that are written from the schema. `python -m edgeguard.config` brings them up to date."""

from __future__ import annotations

import json
from pathlib import Path

from edgeguard.config.reference import reference
from edgeguard.config.schema import schema
from edgeguard.config.table import with_tables

DOCUMENT = Path("docs/configuration.md")


def files(repository: Path) -> dict[Path, str]:
    """What each generated file should hold, by its path in the repository."""
    return {
        Path("configs/edgeguard.schema.json"): json.dumps(schema(), indent=2, ensure_ascii=False) + "\n",
        Path("configs/reference.yaml"): reference(),
        DOCUMENT: with_tables((repository / DOCUMENT).read_text(encoding="utf-8")),
    }
