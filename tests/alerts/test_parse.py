from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.messages import encode, status_message
from edgeguard.alerts.parse import MAX_BYTES, MAX_DEPTH, parse
from tests.support.alerts import IDENTITY, UTC_NS

STATUS = status_message("online", IDENTITY, UTC_NS, 3)


def with_member(text: str) -> bytes:
    return encode(STATUS)[:-1] + b"," + text.encode() + b"}"


def test_what_was_said_is_read() -> None:
    assert parse(encode(STATUS), "status") == STATUS


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Expecting value"),
        (b"\xff", "utf-8"),
        (b"[]", "not a valid status"),
        (b"null", "not a valid status"),
        (with_member('"state":"offline"'), "stands twice"),
        (with_member('"x":NaN'), "NaN is not JSON"),
        (with_member('"x":-Infinity'), "-Infinity is not JSON"),
        (with_member('"x":1e999'), "too large"),
        (with_member(f'"x":{"9" * 5000}'), "5000 digits"),
        (with_member('"x":"\\ud800"'), "surrogates not allowed"),
        (with_member(f'"x":{"[" * 100_000}'), "nested deeper"),
        (with_member(f'"x":{"[" * MAX_DEPTH}{"]" * MAX_DEPTH}'), "nested deeper"),
        (b" " * (MAX_BYTES + 1), "at most"),
    ],
)
def test_what_a_stranger_may_send_is_refused_in_words(body: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(body, "status")


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_bytes_are_read_or_refused_and_nothing_else(body: bytes) -> None:
    with pytest.raises(ValueError):
        parse(body, "alert")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_an_unknown_member_passes_with_its_value(value: object) -> None:
    body = json.dumps({**STATUS, "later": value}).encode()
    assert parse(body, "status")["later"] == value
