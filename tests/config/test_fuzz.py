"""Documents as hands, editors and enemies write them: each is valid, or refused with all its faults.

The text is damaged here, not the values: `test_properties.py` has those.
"""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from edgeguard.config import load, parse, reference
from edgeguard.config.faults import dotted
from edgeguard.errors import ConfigError
from tests.config.trees import rule, tree

TEXT = yaml.safe_dump(rule(), sort_keys=False)
LINES = TEXT.splitlines()
REFERENCE = yaml.safe_load(reference())
BAD_TOKENS = (
    *("2026-11-28", "2026-11-28T09:00:00Z", "22:00", "1:30:00", "0x1F", "0o17", "1_000", "007", "1e400"),
    *("9" * 18, "9" * 400, "-" + "9" * 400, "1e999999999", ".inf", "-.INF", ".nan", "+", "-", "~", "=", "<<"),
    *("yes", "NO", "on", "Off", "y", "null", "''", '"\\x00"', '"\\uD800"', '"\\U0010FFFF"', "|", ">-", "%"),
    *("!!binary aGVsbG8=", "!!python/name:os.system", "!!set {a, b}", "!!int 12", "!!float x", "!local x"),
    *("&a", "*a", "&a *a", "*nobody", "&gate [*gate]", "{<<: *a}", "{<<: [1]}", "{? [1] : 2}", "? x"),
    *(
        "[",
        "]",
        "{",
        "}",
        "[" * 60,
        "{a: " * 60,
        "- " * 60,
        "a: b: c",
        "- x",
        "# only a remark",
        "---",
        "...",
    ),
    *("\t", "\ttrue", "x\ty", "\u2028", "\u0085", "\x07", "\x00", "\ufeff", "\ud7ff", "😀", "é", "\u202e"),
)
BAD_BYTES = (b"\xff", b"\xfe\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5", b"\x80", b"\x00", b"\xef\xbb\xbf")

patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def judge(text: str) -> list[str]:
    """What is said against a document; nothing if it is valid. Anything but ConfigError is a failure."""
    try:
        parse(text, "test.yaml")
    except ConfigError as error:
        told = str(error).splitlines()
        assert told
        assert all(line.startswith("test.yaml:") and line.isprintable() for line in told)
        return told
    return []


def indent(line: str, by: int) -> str:
    return " " * max(0, len(line) - len(line.lstrip()) + by) + line.lstrip()


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A valid document with one to four things done to its lines."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        key, colon, value = line.partition(": ")
        match draw(st.integers(0, 11)):
            case 0:
                lines.insert(draw(st.integers(0, len(lines))), line)
            case 1:
                lines[at] = indent(line, draw(st.integers(-3, 3)))
            case 2:
                lines[at] = "\t" + line.lstrip()
            case 3 | 4 | 5:
                lines[at] = f"{key}{colon or ': '}{draw(st.sampled_from(BAD_TOKENS))}"
            case 6:
                lines[at] = f"{key}{colon}&a {value}" if colon else f"{line} &a"
            case 7:
                lines.insert(
                    at, indent(f"<<: *{draw(st.sampled_from('ab'))}", len(line) - len(line.lstrip()))
                )
            case 8:
                cut = draw(st.integers(0, len(line)))
                lines[at] = line[:cut] + draw(st.sampled_from(BAD_TOKENS)) + line[cut:]
            case 9:
                del lines[at:]
                lines.append(line[: draw(st.integers(0, len(line)))])
            case 10:
                lines[at] = line.replace(":", draw(st.sampled_from(["", " :", "::", "=", ":\t"])), 1)
            case 11:
                lines[at] = line.replace(key.strip("- "), draw(st.sampled_from(BAD_TOKENS)), 1)
    return draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])).join(lines) + "\n"


@settings(patient, max_examples=1200)
@given(damaged())
def test_any_damaged_text(text: str) -> None:
    judge(text)


@settings(patient, max_examples=1000)
@given(st.lists(st.sampled_from([*BAD_TOKENS, *TEXT.split(), "\n", "\n  ", ": ", ", ", "- "]), max_size=30))
@example(["a: &a {<<: *a}"])
@example(["&a", "[", "*a", ",", "*a", "]"])
def test_any_heap_of_tokens(tokens: list[str]) -> None:
    judge(" ".join(tokens))


def refusal_of(file: Path) -> str:
    """What is said against a file; nothing if it is valid."""
    try:
        load(file)
    except ConfigError as error:
        return str(error) or "nothing"
    return ""


@settings(patient, max_examples=300)
@given(st.integers(0, len(TEXT)), st.sampled_from(BAD_BYTES) | st.binary(max_size=6), st.booleans())
def test_any_bytes_in_a_file(tmp_path: Path, at: int, data: bytes, instead: bool) -> None:
    file = tmp_path / "edgeguard.yaml"
    whole = TEXT.encode()
    file.write_bytes(whole[:at] + data + whole[at + len(data) * instead :])
    for line in refusal_of(file).splitlines():
        assert str(file) in line
        assert line.isprintable()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "latin-1", "cp037"])
def test_other_encodings_are_refused_or_read_as_what_they_say(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "edgeguard.yaml"
    file.write_bytes(yaml.safe_dump(tree(site="hafen-süd"), allow_unicode=True).encode(encoding))
    with pytest.raises(ConfigError):
        load(file)


def scalars_of(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every key and entry that holds neither keys nor entries of its own; a point is one value."""
    if not isinstance(values, (dict, list)) or any(isinstance(value, (int, float)) for value in values):
        return [path]
    below = values.items() if isinstance(values, dict) else enumerate(values)
    return [place for key, value in below for place in scalars_of(value, (*path, key))]


PLACES = [place for place in scalars_of(REFERENCE) if place[-1] not in ("kind", "url")]
"""What is wrong with a rule that is of no known kind cannot be told, nor of a source of no known kind."""


def with_nonsense(places: list[tuple[Any, ...]]) -> str:
    """The reference with something in these places that fits nowhere."""
    values = copy.deepcopy(REFERENCE)
    for *above, last in places:
        parent = values
        for key in above:
            parent = parent[key]
        parent[last] = {"no_such_key": [{}]}
    return json.dumps(values)


@settings(patient, max_examples=60)
@given(st.lists(st.sampled_from(PLACES), min_size=2, max_size=12, unique=True))
def test_every_fault_of_a_document_is_told_at_once(places: list[tuple[Any, ...]]) -> None:
    told = judge(with_nonsense(places))
    for place in places:
        name = re.escape(dotted(place))
        assert any(re.search(rf"{name}(\.no_such_key)?: ", line) for line in told), (dotted(place), told)


def test_no_key_takes_nonsense() -> None:
    """Every key of the reference, a few dozen at a time."""
    for start in range(0, len(PLACES), 50):
        some = PLACES[start : start + 50]
        told = "\n".join(judge(with_nonsense(some)))
        assert [dotted(place) for place in some if f" {dotted(place)}" not in told] == []
