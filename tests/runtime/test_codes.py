"""Codes have a meaning, and whoever reads docs/operations.md finds it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.runtime import codes, paces
from edgeguard.runtime.codes import MEANINGS
from edgeguard.runtime.pace import Pace

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")


def literal_codes() -> Iterator[str]:
    """Those that the source gives as `part.set(state, reason, "code")`."""
    for path in (ROOT / "edgeguard" / "runtime").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "attr", None) != "set":
                continue
            values = [one.value for one in node.args[2:3] if isinstance(one, ast.Constant)]
            yield from (value for value in values if isinstance(value, str))


def test_every_code_in_the_source_has_a_meaning() -> None:
    found = set(literal_codes())
    assert {"fallback", "not_wanted", "overloaded"} <= found
    assert found <= set(MEANINGS)


def test_every_error_and_every_pace_has_a_code_with_a_meaning() -> None:
    named = {code for _, code in codes._BY_ERROR}
    declared = [pace for pace in vars(paces).values() if isinstance(pace, Pace)]
    declared += [paces.frames(5.0), paces.chunks(5.0), paces.pubacks(10.0)]
    assert named | {pace.code for pace in declared} <= set(MEANINGS)


@pytest.mark.parametrize("code", sorted(MEANINGS))
def test_every_code_is_explained(code: str) -> None:
    assert f"| `{code}` | {MEANINGS[code]} |" in PAGE
    assert re.fullmatch(r"[a-z][a-z0-9_]*", code)


def test_every_longest_pause_is_explained() -> None:
    for pace in (paces.INFERENCE, paces.RULES, paces.LISTENING, paces.DECISIONS, paces.COMMITS):
        assert re.search(rf"\| {pace.longest_s:g} s [^|]*\| `{pace.code}` \|", PAGE)
