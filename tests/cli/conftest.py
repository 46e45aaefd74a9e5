"""`edgeguard`, as a person types it, without a process of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from edgeguard.cli.main import app
from tests.support.daemon import settings
from tests.support.walkers import camera, rules

Type = Callable[..., Result]


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch) -> Type:
    for name in ("EDGEGUARD_STATE_DIR", "EDGEGUARD_MODELS", "EDGEGUARD_MIRROR"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str | Path) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    return run


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """A right configuration, to be spoilt."""
    return settings(1883, {"yard": camera((tmp_path / "walk.mp4").as_uri())}, rules("yard"))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, Any]], Path]:
    """Write a configuration to a file."""

    def write(config: dict[str, Any]) -> Path:
        path = tmp_path / "edgeguard.yaml"
        path.write_text(yaml.safe_dump(config, sort_keys=False))
        return path

    return write
