"""The files that are written from the schema. `python -m edgeguard.config` brings them up to date."""

from __future__ import annotations

import json
from pathlib import Path

from edgeguard.config.collector import CollectorConfig
from edgeguard.config.reference import reference
from edgeguard.config.schema import Node, schema
from edgeguard.config.table import with_tables

DOCUMENT = Path("docs/configuration.md")
COLLECTOR_DOCUMENT = Path("docs/collector.md")
COLLECTOR_SCHEMA = "collector.schema.json"


def files(repository: Path) -> dict[Path, str]:
    """What each generated file should hold, by its path in the repository."""
    return {
        Path("configs/edgeguard.schema.json"): _json(schema()),
        Path("configs/reference.yaml"): reference(),
        DOCUMENT: with_tables((repository / DOCUMENT).read_text(encoding="utf-8")),
        Path("configs") / COLLECTOR_SCHEMA: _json(schema(CollectorConfig)),
        Path("configs/collector.yaml"): reference(CollectorConfig, COLLECTOR_SCHEMA),
        COLLECTOR_DOCUMENT: with_tables(
            (repository / COLLECTOR_DOCUMENT).read_text(encoding="utf-8"), CollectorConfig
        ),
    }


def _json(value: Node) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
