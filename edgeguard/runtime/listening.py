"""Hearing one microphone in the thread that asks, without a daemon around it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.errors import EndOfStreamError
from edgeguard.models import load_catalog
from edgeguard.runtime.assembly.hearing import Hearing
from edgeguard.runtime.assembly.modelling import store_of
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.coverage import NoCoverage
from edgeguard.runtime.health import HealthBoard
from edgeguard.types import Observation


class Listening:
    """The hearing of the daemon for the microphones of a configuration; writes nothing down.

    Raises SourceError for a scene that is none.
    """

    def __init__(self, config: Config, clock: Clock) -> None:
        self._board = HealthBoard(clock)
        self._observations: Channel[Observation] = Channel(10_000)
        hearing = Hearing(
            config,
            clock,
            self._board,
            load_catalog(),
            store_of(config),
            self._observations,
            NoCoverage(),
            write_down=False,
        )
        (self._thinker,) = hearing.thinkers().values()
        self._sources = [*hearing.sources().values()]
        self._hearing = hearing

    def open(self) -> None:
        """Load the models and connect. Raises SourceError or DependencyError; `close` follows either way."""
        self._thinker.open()
        for source in self._sources:
            source.open()

    def hear(self) -> Iterator[list[Observation]]:
        """What each step brings, until every source has ended. Raises SourceError."""
        while self._sources:
            for source in [*self._sources]:
                try:
                    source.step()
                except EndOfStreamError:
                    self._sources.remove(source)
                    source.close()
            yield self._think()
        while not self._hearing.idle:
            yield self._think()
        self._thinker.close()
        yield self._observations.get_all(0)

    def close(self) -> None:
        """Let go of everything; safe twice."""
        for source in self._sources:
            source.close()
        self._thinker.close()

    def report(self) -> dict[str, dict[str, Any]]:
        """What the parts say of themselves, as in the daemon's health."""
        return self._board.report()

    def _think(self) -> list[Observation]:
        if not self._hearing.idle:
            self._thinker.step()
        return self._observations.get_all(0)
