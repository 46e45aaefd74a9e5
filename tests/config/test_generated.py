from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeguard.config.generated import DOCUMENT, files
from edgeguard.config.table import tables, with_tables
from tests.config.test_loading import TOLD
from tests.config.test_schema import properties
from tests.conftest import REPOSITORY


@pytest.mark.parametrize("path", files(REPOSITORY), ids=str)
def test_what_is_generated_is_current(path: Path) -> None:
    """Apart from the order of a schema's keywords, which pydantic's versions choose differently."""
    here, current = (REPOSITORY / path).read_text(encoding="utf-8"), files(REPOSITORY)[path]
    same = json.loads(here) == json.loads(current) if path.suffix == ".json" else here == current
    assert same, "run `python -m edgeguard.config` in the repository"


@pytest.mark.parametrize(("key", "node"), properties(), ids=[key for key, _ in properties()])
def test_every_key_is_in_the_tables(key: str, node: object) -> None:
    assert f"\n| `{key.partition('.')[2]}` | " in tables()


def test_tables_are_replaced_and_nothing_else() -> None:
    document = (REPOSITORY / DOCUMENT).read_text(encoding="utf-8")
    assert with_tables(with_tables("a\n<!-- keys: begin -->old<!-- keys: end -->\nb")).startswith(
        "a\n<!-- keys"
    )
    assert with_tables("a\n<!-- keys: begin -->old<!-- keys: end -->\nb").endswith("<!-- keys: end -->\nb")
    assert with_tables(document).partition("<!-- keys")[0] == document.partition("<!-- keys")[0]


def test_the_document_shows_faults_as_they_read() -> None:
    document = (REPOSITORY / DOCUMENT).read_text(encoding="utf-8")
    shown = document.partition("one per line")[2].split("```")[1].strip().splitlines()
    assert len(shown) == 4
    told = [line.split(": ", 1)[1] for line in TOLD.splitlines()]
    for line in shown:
        assert line.split(": ", 1)[1] in told
