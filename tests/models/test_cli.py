"""`edgeguard models`, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edgeguard.cli import models
from edgeguard.models import Catalog, load_catalog
from tests.models.conftest import Upstream
from tests.models.test_store import CARD, MODEL, TOKENS, fill, published, without_checksums

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command on a store below the test's folder; the catalog knows the test's model only."""
    monkeypatch.setattr(models, "load_catalog", lambda: Catalog({"m": CARD}))

    def run(*arguments: str, answer: str | None = None) -> Any:
        monkeypatch.setattr(models, "_somebody_is_there", lambda: answer is not None)
        return CliRunner().invoke(models.app, [*arguments, "--store", str(tmp_path / "store")], input=answer)

    return run


@pytest.fixture
def stick(tmp_path: Path) -> str:
    return str(fill(tmp_path / "stick", {"m.onnx": MODEL, "tokens.txt": TOKENS}))


def test_pull_then_list_verify_and_where(run: Run, stick: str, tmp_path: Path) -> None:
    assert run("pull", "m", "--from", stick, "--yes").exit_code == 0
    assert "m      asr   0.0 MB  MIT      yes   published" in run("list").stdout
    assert run("verify").stdout == "m: ok\n"
    assert run("where", "m").stdout.splitlines() == [
        str(tmp_path / "store" / "m" / name) for name in ("m.onnx", "tokens.txt")
    ]


def test_list_in_json(run: Run, stick: str) -> None:
    before = json.loads(run("list", "--json").stdout)
    assert [(row["name"], row["installed"], row["checksum"]) for row in before] == [("m", False, "published")]
    (row,) = json.loads(run("list", "--json", "--mirror", stick).stdout)
    assert not row["installed"], "a flat folder is for pulling, not for use in place"


def test_list_by_task(run: Run) -> None:
    assert json.loads(run("list", "--task", "asr", "--json").stdout)
    assert json.loads(run("list", "--task", "vad", "--json").stdout) == []
    assert run("list", "--task", "fly").exit_code == 2


def test_the_licence_is_asked_for_once(run: Run, stick: str) -> None:
    first = run("pull", "m", "--from", stick, answer="y\n")
    assert first.exit_code == 0
    assert "MIT: https://example.org/licence" in first.stdout
    assert "MIT" not in run("pull", "m", "--from", stick).stdout


def test_a_licence_refused_is_the_end(run: Run, stick: str, tmp_path: Path) -> None:
    refused = run("pull", "m", "--from", stick, answer="n\n")
    assert refused.exit_code == 1
    assert "its licence is not accepted" in refused.stderr
    assert not (tmp_path / "store").exists()


def test_a_script_must_say_yes(run: Run, stick: str) -> None:
    silent = run("pull", "m", "--from", stick)
    assert silent.exit_code == 1
    assert "pass --yes" in silent.stderr


def test_a_caveat_is_shown_with_the_licence(run: Run, stick: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "load_catalog", lambda: Catalog({"m": replace(CARD, caveat="Ask a lawyer.")}))
    assert "Ask a lawyer." in run("pull", "m", "--from", stick, "--yes").stdout


def test_first_use_is_shown_in_the_list(
    run: Run, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = without_checksums(published(CARD, upstream))
    monkeypatch.setattr(models, "load_catalog", lambda: Catalog({"m": card}))
    assert "none published" in run("list").stdout
    asked = run("pull", "m", "--yes")
    assert asked.exit_code == 1
    assert "--accept-unverified" in asked.stderr
    assert run("pull", "m", "--yes", "--accept-unverified").exit_code == 0
    assert "first use" in run("list").stdout


def test_verify_tells_what_is_damaged(run: Run, stick: str, tmp_path: Path) -> None:
    run("pull", "m", "--from", stick, "--yes")
    fill(tmp_path / "store", {"m/m.onnx": b"evil"})
    damaged = run("verify")
    assert damaged.exit_code == 1
    assert "is not the m.onnx that m needs: run `edgeguard models pull m`" in damaged.stderr
    in_json = run("verify", "--json")
    assert in_json.exit_code == 1
    assert len(json.loads(in_json.stdout)["m"]) == 1


def test_verify_of_an_empty_store_is_fine_and_of_a_missing_model_is_not(run: Run) -> None:
    assert run("verify").exit_code == 0
    assert run("verify", "m").exit_code == 1


@pytest.mark.parametrize("command", ["pull", "verify", "where"])
def test_an_unknown_model_is_a_mistake_of_use(run: Run, command: str) -> None:
    unknown = run(command, "mm")
    assert unknown.exit_code == 2
    assert unknown.stderr == "no model is called 'mm': did you mean m?\n"


def test_where_says_how_to_get_it(run: Run) -> None:
    missing = run("where", "m")
    assert missing.exit_code == 1
    assert missing.stderr.count("\n") == 1
    assert "edgeguard models pull m" in missing.stderr


def test_the_real_catalog_can_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = CliRunner().invoke(models.app, ["list", "--store", str(tmp_path)])
    assert listed.exit_code == 0
    for card in load_catalog().cards:
        assert card.name in listed.stdout
