"""Messages from the wire are strangers: bounded, strict JSON, and checked against their schema."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from edgeguard.alerts.check import faults, schema
from edgeguard.alerts.fits import fits

MAX_BYTES = 262_144
MAX_DEPTH = 16
_MAX_DIGITS = 20
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def parse(body: bytes, name: str) -> dict[str, Any]:
    """The message of schema `name` in `body`; ValueError says what is wrong with it.

    Refused although Python's JSON reader takes them: duplicate keys, NaN and infinity, lone surrogates,
    endless nesting and numbers.
    """
    value = strict_json(body)
    if not fits(name)(value):
        raise ValueError(f"not a valid {name}: {'; '.join(faults(value, schema(name))[:3])}")
    message: dict[str, Any] = value
    return message


def parse_named(body: bytes) -> dict[str, Any] | None:
    """The object in `body`, whatever its schema, if it says which durable message it is: of which device, run
    and number. Raises ValueError for what is no strict JSON."""
    value = strict_json(body)
    if not isinstance(value, dict) or not {"site", "device"} <= value.keys():
        return None
    boot_id, seq = value.get("boot_id"), value.get("seq")
    named = isinstance(boot_id, str) and _UUID.fullmatch(boot_id) and type(seq) is int and seq >= 1
    return value if named else None


def strict_json(body: bytes) -> Any:
    """The value in `body`, of whatever shape. Raises ValueError."""
    if len(body) > MAX_BYTES:
        raise ValueError(f"{len(body)} bytes, at most {MAX_BYTES} are read")
    try:
        value = _decode(body.decode("utf-8"))
    except RecursionError:
        raise ValueError(f"nested deeper than {MAX_DEPTH}") from None
    if not _is_flat_and_plain(body):
        _check_depth_and_text(value)
    return value


def _is_flat_and_plain(body: bytes) -> bool:
    """Too few brackets to nest deep, and no escape that could make half a character: the usual message."""
    return body.count(b"{") + body.count(b"[") <= MAX_DEPTH and b"\\u" not in body


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return members


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


def _short_int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number too large")
    return number


_decode = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_short_int, parse_float=_finite
).decode


def _check_depth_and_text(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for item in level:
            if isinstance(item, str):
                item.encode("utf-8")
            elif isinstance(item, list):
                deeper.extend(item)
            elif isinstance(item, dict):
                deeper.extend(item.keys())
                deeper.extend(item.values())
        level = deeper
    if level:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
