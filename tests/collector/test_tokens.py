from __future__ import annotations

from pathlib import Path

import pytest

from edgeguard.collector.tokens import Tokens, grant, read, revoke
from edgeguard.errors import ConfigError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "tokens"


def test_a_token_opens_and_is_stored_nowhere(path: Path) -> None:
    token = grant(path, "wall", "read")
    holder = Tokens(path).holder(token)
    assert holder is not None
    assert (holder.name, holder.role) == ("wall", "read")
    assert token not in path.read_text()
    assert Tokens(path).holder(token + "x") is None
    assert Tokens(path).holder("") is None


def test_a_new_token_ends_the_old_one_at_once(path: Path) -> None:
    tokens = Tokens(path)
    old = grant(path, "wall", "read")
    other = grant(path, "ada", "ack")
    assert tokens.holder(old)
    new = grant(path, "wall", "ack")
    assert tokens.holder(old) is None
    assert [tokens.holder(token).role for token in (new, other)] == ["ack", "ack"]  # type: ignore[union-attr]


def test_a_token_can_be_taken_back(path: Path) -> None:
    tokens = Tokens(path)
    token = grant(path, "wall", "read")
    assert tokens.holder(token)
    assert revoke(path, "wall")
    assert tokens.holder(token) is None
    assert not revoke(path, "wall")


def test_without_a_file_nobody_gets_in(path: Path) -> None:
    assert Tokens(path).holder("anything") is None


@pytest.mark.parametrize(
    ("name", "role"), [("Wall", "read"), ("", "read"), ("a b", "read"), ("wall", "root")]
)
def test_a_name_or_role_that_is_none_is_refused(path: Path, name: str, role: str) -> None:
    with pytest.raises(ConfigError, match="cannot give"):
        grant(path, name, role)
    assert not path.exists()


def test_a_damaged_file_lets_nobody_in_and_names_the_line(path: Path) -> None:
    token = grant(path, "wall", "read")
    path.write_text(path.read_text() + "ada ack\n")
    with pytest.raises(ConfigError, match=":2: expected"):
        Tokens(path).holder(token)
    with pytest.raises(ConfigError):
        read(path)
