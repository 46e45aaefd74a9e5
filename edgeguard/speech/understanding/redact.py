"""Takes out of a text what identifies somebody or opens something: numbers, cards, e-mail addresses.

A number of four digits or more is redacted, written or spoken; shorter ones (`gate 3`, `two men`) stay, as
they say where and how many. What passes Luhn's check (ISO/IEC 7812-1) with 13 to 19 digits is named a card.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from edgeguard.speech.understanding.tokens import FILLERS

_SHORT = 3
"""Digits that may stay together."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SPOKEN_EMAIL = re.compile(
    r"\b(?:\w\s+)*[\w+-]+(?:\s+(?:dot|point|underscore|dash)\s+[\w+-]+)*"
    r"\s+at\s+[\w-]+(?:\s+(?:dot|point)\s+[\w-]+)+\b",
    re.IGNORECASE,
)
_CHINESE_EMAIL = re.compile(
    r"[\w.+-]+\s*(?:艾特|圈\s*a)\s*[a-z0-9-]+(?:\s*(?:点|dot)\s*[a-z0-9-]+)+", re.IGNORECASE
)
_DIGITS = {
    word: str(value)
    for value, words in enumerate(
        [
            "zero oh o nought 零 〇",
            "one 一 幺 壹",
            "two 二 两 贰",
            "three 三 叁",
            "four 四 肆",
            "five 五 伍",
            "six 六 陆",
            "seven 七 柒",
            "eight 八 捌",
            "nine niner 九 玖",
        ]
    )
    for word in words.split()
}
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"]
_TEENS += ["eighteen", "nineteen"]
_SPOKEN = {
    **_DIGITS,
    **{word: str(10 + row) for row, word in enumerate(_TEENS)},
    **{word: str(20 + 10 * row) for row, word in enumerate(_TENS)},
}
_TIMES = {"double": 2, "triple": 3}
_ZEROS = {"thousand": 3, "million": 6, "千": 3, "万": 4}
_LINKS = FILLERS | {"hundred", "and", "十", "百", "plus"}
"""Words that keep a number going, as hesitation does."""
_TOKEN = re.compile(r"[㐀-鿿〇]|\d+|[A-Za-z]+")
_GAP = re.compile(r"[\W_]*\Z")
"""What may stand between the parts of one number."""


@dataclass(slots=True)
class _Run:
    """A number, written or spoken."""

    start: int
    stop: int
    """Where its last digit ends."""
    reach: int
    """Where its last word ends, which may be a `double` or an `and`."""
    digits: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True)
class _Secret:
    start: int
    stop: int
    name: str


def redact(text: str, start: int = 0, stop: int | None = None) -> str:
    """`text` with `[e-mail]`, `[card]` and `[number]` in place of what must not be read.

    Of a part of it (`start` to `stop`), judged as a part of the whole: of a longer number no digit is left.
    """
    stop = len(text) if stop is None else stop
    parts: list[str] = []
    done = start
    for secret in _secrets(text):
        if secret.stop <= start or secret.start >= stop:
            continue
        parts += [text[done : max(secret.start, done)], secret.name]
        done = min(secret.stop, stop)
    return "".join([*parts, text[done:stop]])


def _secrets(text: str) -> list[_Secret]:
    """From left to right, without overlap."""
    found = []
    for pattern in (_EMAIL, _SPOKEN_EMAIL, _CHINESE_EMAIL):
        found += [_Secret(*match.span(), "[e-mail]") for match in pattern.finditer(text)]
        text = pattern.sub(lambda match: "x" * len(match[0]), text)
    found += [
        _Secret(run.start, run.stop, "[card]" if _is_card(run.digits) else "[number]")
        for run in _numbers(text)
        if len(run.digits) > _SHORT
    ]
    apart: list[_Secret] = []
    for secret in sorted(found, key=lambda secret: (secret.start, -secret.stop)):
        if not apart or secret.start >= apart[-1].stop:
            apart.append(secret)
    return apart


def _numbers(text: str) -> Iterator[_Run]:
    run: _Run | None = None
    for match in _TOKEN.finditer(text):
        word = match[0].casefold()
        if run is not None and not (_is_part(word) and _GAP.match(text[run.reach : match.start()])):
            yield run
            run = None
        if run is None:
            if _begins(word):
                run = _Run(match.start(), match.start(), match.start())
            else:
                continue
        _extend(run, word, match.end())
    if run is not None:
        yield run


def _begins(word: str) -> bool:
    return word.isdecimal() or word in _SPOKEN or word in _TIMES


def _is_part(word: str) -> bool:
    return _begins(word) or word in _LINKS or word in _ZEROS


def _extend(run: _Run, word: str, stop: int) -> None:
    run.reach = stop
    if word in _TIMES:
        run.times = _TIMES[word]
        return
    if word in _LINKS:
        return
    if word in _ZEROS:
        run.digits, run.stop = run.digits + _ZEROS[word] * "0", stop
        return
    run.digits += (word if word.isdecimal() else _SPOKEN[word]) * run.times
    run.times, run.stop = 1, stop


def _is_card(digits: str) -> bool:
    if not 13 <= len(digits) <= 19:
        return False
    # Every second digit from the right counts twice, and its own digits are added.
    total = sum(
        sum(divmod(int(digit) * (2 if row % 2 else 1), 10)) for row, digit in enumerate(reversed(digits))
    )
    return total % 10 == 0
