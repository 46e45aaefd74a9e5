"""What differs between two configurations in effect."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from edgeguard.config.root import Config
from edgeguard.config.show import masked

_NOTHING: Any = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """One key, or one entry, that is not the same; secrets are masked."""

    path: str
    """`cameras.gate.analyse_fps`, `rules[dock-entered]`."""
    before: Any = None
    after: Any = None
    sign: str = "~"
    """`+` only after, `-` only before, `~` changed."""

    def __str__(self) -> str:
        match self.sign:
            case "+":
                return f"+ {self.path}: {_word(self.after)}"
            case "-":
                return f"- {self.path}: {_word(self.before)}"
        return f"~ {self.path}: {_word(self.before)} -> {_word(self.after)}"


def differences(before: Config, after: Config) -> list[Difference]:
    """In the order of the file."""
    found = list(_compared("", masked(before), masked(after)))
    return [*found, *_behind_the_mask(before, after, {one.path for one in found})]


def _compared(path: str, before: Any, after: Any) -> Iterator[Difference]:
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _members(f"{path}." if path else "", before, after, "")
    elif (one := _by_name(before)) is not None and (other := _by_name(after)) is not None:
        yield from _members(f"{path}[", one, other, "]")
    elif before != after:
        yield Difference(path, before, after)


def _members(
    start: str, before: Mapping[str, Any], after: Mapping[str, Any], end: str
) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        path = f"{start}{key}{end}"
        old, new = before.get(key, _NOTHING), after.get(key, _NOTHING)
        if old is _NOTHING:
            yield Difference(path, after=new, sign="+")
        elif new is _NOTHING:
            yield Difference(path, before=old, sign="-")
        else:
            yield from _compared(path, old, new)


def _by_name(values: Any) -> dict[str, Any] | None:
    """Entries that have a name, under it; None for another list."""
    if not isinstance(values, list) or not all(isinstance(one, dict) and "name" in one for one in values):
        return None
    return {str(one["name"]): one for one in values}


def _behind_the_mask(before: Config, after: Config, told: set[str]) -> Iterator[Difference]:
    """A password in a URL is not shown, but that it is another one is."""
    for section in ("cameras", "microphones"):
        old, new = getattr(before, section), getattr(after, section)
        for name in old.keys() & new.keys():
            path = f"{section}.{name}.url"
            if path not in told and old[name].url != new[name].url:
                yield Difference(path, str(old[name].url), f"{new[name].url} (another login)")


def _word(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
