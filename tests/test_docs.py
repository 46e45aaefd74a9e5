"""The documents say what is so."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from edgeguard.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
COMMAND = re.compile(r"^ {4}edgeguard ([a-z][a-z ]*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)[^)]*\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    for words in COMMAND.findall(page.read_text()):
        names = words.split()
        known = CliRunner().invoke(app, [names[0], "--help"])
        assert known.exit_code == 0, f"{page.name}: no command edgeguard {names[0]}"


def test_the_map_of_the_rooms_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import rooms

    assert rooms.page() == rooms.PAGE.read_text(), "run `python tools/rooms.py`"
    sys.modules.pop("rooms")


SOURCES = {
    path.relative_to(ROOT).as_posix()
    for folder in ("edgeguard", "tests", "tools", "docs/dashboards")
    for path in (ROOT / folder).rglob("*.py")
}


def is_a_source(name: str) -> bool:
    return any(source == name or source.endswith(f"/{name}") for source in SOURCES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_source_files_that_are_named_exist(page: Path) -> None:
    named = re.findall(r"[`/ ]([a-z_/]+\.py)\b", page.read_text())
    assert [name for name in named if not is_a_source(name.removeprefix("/"))] == []


@pytest.mark.parametrize(
    "door", sorted((ROOT / "edgeguard").rglob("__init__.py")), ids=lambda door: door.parent.name
)
def test_source_files_on_the_cards_exist(door: Path) -> None:
    named = re.findall(r"[`/ ]([a-z_/]+\.py)\b", door.read_text())
    assert [name for name in named if not is_a_source(name)] == []


OURS = sorted([*PAGES, *(ROOT / "edgeguard").rglob("*.py")])


def test_nobody_is_told_to_install_a_strangers_package() -> None:
    """On the public index our name is somebody else's: a path or a wheel is installed, never the name."""
    bare = re.compile(r"pip3? install[^`\n]*[ '\"]edgeguard(\[|'|\"|`| |$)", re.MULTILINE)
    assert [page.name for page in OURS if bare.search(page.read_text())] == []


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [page.name for page in ROOT.glob("docs/*.md") if f"(docs/{page.name})" not in readme] == []


def test_what_the_security_page_names_exists() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    named = re.findall(r"`((?:edgeguard|tests|deploy|systemd|tools)/[^` ]+|[a-z_]+\.toml)`", text)
    assert len(named) > 30
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_command_has_help() -> None:
    for command in get_command(app).commands:  # type: ignore[attr-defined]
        answer = CliRunner().invoke(app, [command, "--help"])
        assert answer.exit_code == 0
        assert len(answer.output) > 200
