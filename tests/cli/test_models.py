"""Where `edgeguard models` looks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Type


def here(type_in: Type, *words: str | Path) -> bool:
    """Whether YAMNet, which no package brings, is told as installed."""
    result = type_in("models", "list", "--task", "sound-tags", "--json", *words)
    assert result.exit_code == 0, result.output
    (row,) = (row for row in json.loads(result.stdout) if row["name"] == "yamnet")
    return bool(row["installed"])


def test_the_environment_says_where_models_are_as_it_does_to_a_guard(
    type_in: Type, tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEGUARD_MODELS", str(tmp_path))
    assert not here(type_in)
    assert here(type_in, "--mirror", mirror)
    monkeypatch.setenv("EDGEGUARD_MIRROR", str(mirror))
    assert here(type_in)
    assert here(type_in, "--mirror", tmp_path), "one beside the other"


def test_the_environment_names_the_store(
    type_in: Type, tmp_path: Path, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEGUARD_MODELS", str(tmp_path / "store"))
    monkeypatch.setenv("EDGEGUARD_MIRROR", str(mirror))
    result = type_in("models", "pull", "yamnet", "--yes")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "store" / "yamnet" / "yamnet.onnx").is_file()
