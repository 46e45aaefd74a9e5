"""Bars for long work, on standard error, and none where nobody watches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.progress import track

T = TypeVar("T")

console = Console(stderr=True, highlight=False, soft_wrap=True)


def steps(items: Sequence[T], what: str) -> Iterator[T]:
    """`items`, with a bar that says how many are done."""
    yield from track(items, what, console=console, transient=True, disable=not console.is_terminal)


def say(line: str) -> None:
    console.print(line, markup=False)
