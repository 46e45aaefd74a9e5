from __future__ import annotations

from typing import Any

import pytest

from edgeguard.config.faults import Fault, dotted, given, report, suggestion


def test_paths_read_as_they_are_written() -> None:
    assert dotted(("cameras", "gate", "zones", "dock", "polygon", 2)) == "cameras.gate.zones.dock.polygon[2]"
    assert dotted(("rules", 0, "classes", 1)) == "rules[0].classes[1]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1.4, "1.4"),
        (True, "true"),
        (None, "nothing"),
        ("x", '"x"'),
        ("a\nb\x1b[31m\ud800", '"a\\nb\\x1b[31m\\ud800"'),
        ("x" * 500, '"' + "x" * 59 + '…"'),
        ([640, 0.2], "[640, 0.2]"),
        ([1, 2, 3, 4, 5], "a list of 5"),
        ([[1], [2]], "a list of 2"),
        ({"a": 1}, "a mapping"),
        ("rtsp://u:p@host/x", '"rtsp://***@host/x"'),
        (["rtsp://u:p@host/x"], '["rtsp://***@host/x"]'),
    ],
)
def test_values_are_shown_on_one_line_and_without_secrets(value: Any, shown: str) -> None:
    assert given(value, ("key",)) == shown


@pytest.mark.parametrize(
    "key", ["password", "PASSWORD", "rtsp_pass", "token", "client_secret", "private_key"]
)
def test_what_stands_under_a_secret_key_is_not_shown(key: str) -> None:
    assert given("hunter2", ("mqtt", key)) == "***"
    assert given({"a": "hunter2"}, (key, "a")) == "***"


def test_the_place_of_a_secret_is_shown() -> None:
    assert given("/etc/secret", ("mqtt", "password_file")) == '"/etc/secret"'


@pytest.mark.parametrize(
    ("word", "expected"),
    [("gaet", '; did you mean "gate"?'), ("fps", '; did you mean "analyse_fps"?'), ("xyz", ""), (5, "")],
)
def test_suggestions(word: object, expected: str) -> None:
    assert (
        suggestion(word, ["gate", "yard", "analyse_fps"], {"fps": "analyse_fps", "xyz": "absent"}) == expected
    )


def test_a_known_word_needs_no_suggestion() -> None:
    assert suggestion("gate", ["gate", "gates"], {}) == ""


def test_the_report_follows_the_file_and_falls_back_to_the_line_above() -> None:
    faults = [Fault(("b", "c", 1), "two"), Fault(("a",), "one"), Fault((), "three", 9)]
    assert report(faults, {("a",): 1, ("b", "c"): 4}, "x.yaml").splitlines() == [
        "x.yaml:1: a: one",
        "x.yaml:4: b.c[1]: two",
        "x.yaml:9: three",
    ]


def test_a_very_long_report_ends() -> None:
    lines = report([Fault(("a", n), "x") for n in range(1000)], {}, "x.yaml").splitlines()
    assert len(lines) == 101
    assert lines[-1] == "x.yaml: and 900 more"
