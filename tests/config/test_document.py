from __future__ import annotations

from typing import Any

import pytest
import yaml

from edgeguard.config import document
from edgeguard.config.document import MAX_CHARACTERS, MAX_DEPTH, MAX_VALUES, read


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("22:00", "22:00"),
        ("1:30:00", "1:30:00"),
        ("on", "on"),
        ("off", "off"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-7", -7),
        ("007", 7),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".nan", ".nan"),
        (".inf", ".inf"),
        ("2020-01-01", "2020-01-01"),
        ("=", "="),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("[1, [2]]", [1, [2]]),
    ],
)
def test_scalars_follow_yaml_1_2(written: str, value: Any) -> None:
    found = read(f"key: {written}").tree["key"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_text_whatever_they_look_like() -> None:
    assert read("{1: a, on: b, null: c, 22:00: d, 1.5: e}").tree == dict(
        zip(("1", "on", "null", "22:00", "1.5"), "abcde", strict=True)
    )


def test_lines_are_known_for_keys_and_entries() -> None:
    lines = read("a:\n  b: 1\nc:\n  - x\n  - d: 2\n").lines
    assert lines == {("a",): 1, ("a", "b"): 2, ("c",): 3, ("c", 0): 4, ("c", 1): 5, ("c", 1, "d"): 5}


def test_a_key_that_comes_twice_is_a_fault_and_the_rest_is_read() -> None:
    found = read("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert found.tree == {"a": 1, "b": {"c": 1}}
    assert [(fault.path, fault.line) for fault in found.faults] == [(("b", "c"), 4), (("a",), 5)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: &x {p: 1, q: 2}, b: *x}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}}),
        ("{a: &x {p: 1, q: 2}, b: {<<: *x, q: 3}}", {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 3}}),
        ("{a: &x {p: 1}, b: &y {<<: *x, q: 2}, c: {<<: *y}}", {"c": {"p": 1, "q": 2}}),
        ("{a: &x {p: 1}, b: &y {p: 2, q: 2}, c: {<<: [*x, *y]}}", {"c": {"p": 1, "q": 2}}),
    ],
)
def test_aliases_and_merges(text: str, value: dict[str, Any]) -> None:
    assert value.items() <= read(text).tree.items()


LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LAUGHS, f"more than {MAX_VALUES} values"),
        ("".join(f"k{n}: 1\n" for n in range(MAX_VALUES + 1)), f"more than {MAX_VALUES} values"),
        ("[" * 5000, f"deeper than {MAX_DEPTH}"),
        ("{a: " * 5000, f"deeper than {MAX_DEPTH}"),
        ("- " * 5000, f"deeper than {MAX_DEPTH}"),
        ("a: &a [*a]", f"deeper than {MAX_DEPTH}"),
        ("a: &a {<<: [*a, *a]}\nb: {<<: *a}", "`<<`"),
        ("a: {<<: 5}", "`<<`"),
        ("a: !secret x", "has a tag"),
        ("a: !!python/object/apply:os.system [ls]", "has a tag"),
        ("a: !!int x", "is not YAML"),
        ("{[1]: 2}", "a key that is not a word"),
        ("a" * (MAX_CHARACTERS + 1), "longer than"),
        ("a: \x00", "not text"),
        ('a: "\\UFFFFFFFF"', "is not YAML"),
        ("%YAML 1." + "9" * 5000 + "\n--- a", "is not YAML"),
        ("a: [1", "is not YAML"),
        ("--- a\n--- b", "single document"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    found = read(text)
    assert found.tree is None
    assert says in found.faults[0].text


@pytest.mark.parametrize("secret", ["*hunter2", "&hunter2 x: y", "!hunter2!x y", "%hunter2", "'hunter2"])
def test_the_parsers_complaints_do_not_quote_the_document(secret: str) -> None:
    assert "hunter2" not in str(read(f"a: b\npassword: {secret}").faults)


def test_a_fault_in_the_syntax_has_its_line() -> None:
    assert read("a: 1\nb: }\nc: 2\n").faults[0].line == 2
    assert read("a: 1\nb: \x07\n").faults[0].line == 2


def test_the_loader_of_others_is_left_alone() -> None:
    assert document._Loader.yaml_implicit_resolvers is not yaml.SafeLoader.yaml_implicit_resolvers
    assert yaml.safe_load("on") is True
