"""Faults in a configuration, and how they are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from edgeguard.config.secrets import MASK, is_secret_key, masked_text

Path = tuple[str | int, ...]
"""Keys and list positions, from the top."""
_MOST = 100
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong."""

    path: Path
    text: str
    line: int | None = None
    """Where it is written, from 1; None if that follows from the path."""


def report(faults: Collection[Fault], lines: Mapping[Path, int], name: str) -> str:
    """All faults, one per line, in the order of the file: `file:line: path: text`."""
    placed = sorted(((fault.line or _line(fault.path, lines), fault) for fault in faults), key=_place)
    told = [f"{name}:{line}: {_subject(fault)}" for line, fault in placed]
    return "\n".join(
        [*told[:_MOST], *([f"{name}: and {len(told) - _MOST} more"] if len(told) > _MOST else [])]
    )


def dotted(path: Path) -> str:
    """`cameras.gate.zones.dock.polygon[2]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{one_line(part)}" for part in path)
    return text.removeprefix(".")


def given(value: Any, path: Path) -> str:
    """`value` on one line, short, without secrets."""
    if any(is_secret_key(part) for part in path):
        return MASK
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_scalar, value))}]" if _is_short(value) else f"a list of {len(value)}"
    return _scalar(value) if value is None or isinstance(value, (str, bool, int, float)) else "a mapping"


def one_line(text: str) -> str:
    """`text` short, printable and without secrets."""
    text = masked_text(text)
    short = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in short)


def suggestion(word: object, known: Collection[str], elsewhere: Mapping[str, str]) -> str:
    """`; did you mean "gate"?`, or nothing. `elsewhere` tells how other programs call a known word."""
    if not isinstance(word, str) or word in known:
        return ""
    usual = elsewhere.get(word.lower(), "")
    close = [usual] if usual in known else get_close_matches(word[:_LONGEST], known, n=1, cutoff=0.6)
    return f'; did you mean "{one_line(close[0])}"?' if close else ""


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return f'"{one_line(value)}"' if isinstance(value, str) else str(value)


def _is_short(values: Collection[Any]) -> bool:
    return len(values) <= 4 and not any(isinstance(value, (dict, list)) for value in values)


def _subject(fault: Fault) -> str:
    return f"{dotted(fault.path)}: {fault.text}" if fault.path else fault.text


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of `path`, or else of the nearest thing above it."""
    return next((lines[path[:end]] for end in range(len(path), 0, -1) if path[:end] in lines), 1)


def _place(placed: tuple[int, Fault]) -> tuple[int, str]:
    return placed[0], dotted(placed[1].path)
