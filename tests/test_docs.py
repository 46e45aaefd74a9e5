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
COMMAND = re.compile(r"(?:^ {4}|^ {4}\$ |`)(?:sudo )?edgeguard ([a-z][^`\n#|]*)", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)#]+)[^)]*\)")
PLACE = re.compile(r"\]\((?!https?://)([^)#]*)#([^)]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_a_heading(page: Path) -> None:
    for target, place in PLACE.findall(page.read_text()):
        text = (page.parent / target if target else page).read_text()
        headings = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
        known = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert place in known, f"{page.name} links to {target}#{place}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    for line in COMMAND.findall(page.read_text().replace("\\\n", " ")):
        words, command = line.split(), get_command(app)
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
        assert not (words and hasattr(command, "commands")), f"{page.name}: no command edgeguard {line}"
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        options = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert options <= known, f"{page.name}: edgeguard {line}"


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
