"""A camera or microphone whose password cannot be read costs itself alone, and only until it can."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from edgeguard.errors import ConfigError, SourceError
from edgeguard.runtime.sources import Source, Timed

T = TypeVar("T", bound=Timed)


class LockedSource(Generic[T]):
    """Makes its source as soon as `make` no longer raises ConfigError, with each `open` anew until then."""

    def __init__(self, name: str, make: Callable[[], Source[T]]) -> None:
        self.name = name
        self._make = make
        self._source: Source[T] | None = None

    def open(self) -> None:
        """Raises SourceError, also while the password cannot be read."""
        if self._source is None:
            try:
                self._source = self._make()
            except ConfigError as error:
                raise SourceError(str(error), "refused_login") from error
        self._source.open()

    def read(self, timeout_s: float) -> T | None:
        assert self._source is not None, "open first"
        return self._source.read(timeout_s)

    def close(self) -> None:
        if self._source is not None:
            self._source.close()

    def counters(self) -> dict[str, int | float | str]:
        """What health tells of it."""
        told: Callable[[], dict[str, int | float | str]] = getattr(self._source, "counters", dict)
        return told()
