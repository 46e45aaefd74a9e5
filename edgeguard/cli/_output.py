"""What every command says the same way."""

from __future__ import annotations

from typing import NoReturn

import typer
from rich.console import Console


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong, in red on standard error, and end with `code`."""
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(message, style="red")
    raise typer.Exit(code)
