"""The collector's parts for commands, or one sentence where they are not installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from edgeguard.config import CollectorConfig
from edgeguard.errors import DependencyError, how_to_install

_NEEDED = ("sqlalchemy>=2.0.30", "pg8000>=1.31", "fastapi>=0.115", "uvicorn>=0.30", "pika>=1.3")

if TYPE_CHECKING:
    from edgeguard.collector.reading import Reader


def centre(name: str) -> Any:
    """`name` of the collector's assembly. Raises DependencyError where the extra is missing."""
    try:
        return getattr(import_module("edgeguard.runtime.assembly.centre"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("edgeguard"):
            raise
        raise DependencyError(
            f"the collector needs {error.name}, which is not installed: {how_to_install(*_NEEDED)}"
        ) from error


@contextmanager
def reader(config: CollectorConfig) -> Iterator[Reader]:
    """The collector's database, to look at only."""
    open_database: Callable[..., Any] = centre("open_database")
    database = open_database(config, read_only=True)
    try:
        from edgeguard.collector.reading import Reader

        yield Reader(database)
    finally:
        database.close()
