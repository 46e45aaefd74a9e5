"""What every command says the same way."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console

from edgeguard.errors import ConfigError, EdgeGuardError

EX_CONFIG = 78

P = ParamSpec("P")
R = TypeVar("R")

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The configuration file.")]


def fail(message: str, code: int = 1) -> NoReturn:
    """Say what is wrong, in red on standard error, and end with `code`."""
    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(message, style="red")
    raise typer.Exit(code)


def said_plainly(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose expected errors are a sentence and an exit code, never a traceback."""

    @functools.wraps(command)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            fail(str(error), EX_CONFIG)
        except EdgeGuardError as error:
            fail(str(error))
        except KeyboardInterrupt:
            fail("stopped", 130)

    return plain
