"""Sources that give, while nobody looks at their pictures or listens to their sound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

from edgeguard.clock import Clock
from edgeguard.runtime.coverage import Notice

_LASTS_NS = 5_000_000_000
"""A detector that is being loaded, and a stage that begins again, are no loss."""
_STANDS_NS = 2_000_000_000


class Lapse(NamedTuple):
    """Why a source is not analysed, and since when (monotonic) if that is known."""

    cause: str
    since_ns: int | None = None


Unheeded = Callable[[], Mapping[str, Lapse]]
"""All sources that are not analysed now."""


class Strides:
    """Whether a stage goes on: it says so with each step, and any thread may ask."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last_ns: int | None = None

    def took(self) -> None:
        """A step is over."""
        self._last_ns = self._clock.monotonic_ns()

    @property
    def standing_since_ns(self) -> int | None:
        """When the last step was over, if that is long ago: it hangs, or it failed and waits."""
        last_ns = self._last_ns
        stands = last_ns is not None and self._clock.monotonic_ns() - last_ns > _STANDS_NS
        return last_ns if stands else None


class Heed:
    """Joins what the sources' threads say with what the analysing ones do not do. Owned by one thread."""

    def __init__(self, sources: Collection[str], unheeded: Unheeded) -> None:
        self._unheeded = unheeded
        self._silent = set(sources)
        """What gives nothing, by itself."""
        self._since: dict[str, tuple[str, int]] = {}
        self._told: dict[str, str] = {}

    def refit(self, come: Collection[str], gone: Collection[str]) -> None:
        """What comes gives nothing yet, what is gone never will."""
        self._silent = (self._silent | set(come)) - set(gone)
        for name in gone:
            self._since.pop(name, None)
            self._told.pop(name, None)

    def joined(self, notice: Notice) -> Notice:
        """What follows from that notice: a source that gives again may be unheeded still."""
        if notice.cause is not None:
            self._silent.add(notice.source)
            return notice
        self._silent.discard(notice.source)
        return Notice(notice.source, self._told.get(notice.source), notice.at_ns)

    def tick(self, now_ns: int) -> list[Notice]:
        """What has changed by now."""
        lapses = self._unheeded()
        over = [
            name
            for name, (cause, _) in self._since.items()
            if name not in lapses or lapses[name].cause != cause
        ]
        heard = [Notice(name, None, now_ns) for name in over if self._told.pop(name, None)]
        for name in over:
            del self._since[name]
        for name, (cause, since) in lapses.items():
            _, since_ns = self._since.setdefault(name, (cause, now_ns if since is None else since))
            if name not in self._told and now_ns - since_ns >= _LASTS_NS:
                self._told[name] = cause
                heard.append(Notice(name, cause, since_ns))
        return [notice for notice in heard if notice.source not in self._silent]
