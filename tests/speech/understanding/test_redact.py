from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.speech.understanding.redact import redact

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
HAN = "零一二三四五六七八九"


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("write to john.smith+x@example.co.uk now", "write to [e-mail] now"),
        ("mail john dot smith at example dot com please", "mail [e-mail] please"),
        ("my card is 4111 1111 1111 1111 ok", "my card is [card] ok"),
        ("my card is 4111-1111-1111-1112 ok", "my card is [number] ok"),
        ("call me on +41 79 123 45 67", "call me on +[number]"),
        ("call four one five five five oh one nine nine", "call [number]"),
        ("the code is double seven three one", "the code is [number]"),
        ("it is twenty twenty six", "it is [number]"),
        ("four one one one, one one one one, one one one one, one one one one", "[card]"),
        ("密码是一二三四", "密码是[number]"),
        ("电话幺三九零零一二三四五六", "电话[number]"),
        ("it is five five uh one two", "it is [number]"),
        ("card 4111，1111，1111，1111", "card [card]"),
        ("call 555_123_4567", "call [number]"),
        ("twelve thousand euros", "[number] euros"),
        ("j a n e at mail dot com", "[e-mail]"),
        ("zhang艾特qq点com", "[e-mail]"),
        ("三千块", "[number]块"),
        ("two men at gate 3", "two men at gate 3"),
        ("call 911", "call 911"),
        ("oh no, oh no", "oh no, oh no"),
        ("三十五个人", "三十五个人"),
        ("one of them, two of them, three of them, four", "one of them, two of them, three of them, four"),
        ("", ""),
    ],
)
def test_redacts(said: str, kept: str) -> None:
    assert redact(said) == kept


def test_of_a_number_that_is_cut_no_digit_is_left() -> None:
    assert redact("card 4111 1111 1111 1111 ok", 20) == "[card] ok"
    assert redact("code 12345 ok", 0, 7) == "code [number]"
    assert redact("12345 was it", 5) == " was it"


@given(
    st.text(),
    st.lists(st.integers(0, 9), min_size=4, max_size=24),
    st.sampled_from(["", " ", "-"]),
    st.text(),
)
def test_no_written_number_survives(before: str, digits: list[int], gap: str, after: str) -> None:
    number = gap.join(map(str, digits))
    assert number not in redact(f"{before} {number} {after}")


@given(st.lists(st.integers(0, 9), min_size=4, max_size=19), st.booleans())
def test_no_spoken_number_survives(digits: list[int], chinese: bool) -> None:
    said = "".join(HAN[d] for d in digits) if chinese else " ".join(DIGITS[d] for d in digits)
    kept = redact(f"code {said} end")
    assert said not in kept
    assert kept in ("code [number] end", "code [card] end")


@given(st.text())
def test_what_is_redacted_once_stays_as_it_is(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
