"""Which configuration a start begins with: a box must not watch nothing because one is wrong.

1. One on trial that ran already is given up: the service ended before it had proved itself.
2. One on trial that never ran is tried now.
3. The last-known-good holds as long as the file says what it said when that was adopted, whoever sent it.
4. A file that says something else is tried, unless it was given up before and still says the same.
5. Where that cannot be, the last-known-good runs, and health says why.
Without a last-known-good, or with one that this version does not understand any more, the file runs, or what
is wrong with it is told and nothing does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config.guarding import cut_off
from edgeguard.config.proposal import propose
from edgeguard.errors import ConfigError, StorageError
from edgeguard.runtime.config_store import ConfigStore, Kept

log = logging.getLogger(__name__)

ENDED_EARLY = "the service ended before this configuration had proved itself"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What runs, and what became of what did not."""

    config: Config
    kept: Kept
    """Where it comes from; `pending` while it has to prove itself."""
    given_up: Kept | None = None
    """What was to run instead."""


def choose(path: Path, store: ConfigStore, clock: Clock) -> Chosen:
    """Raises ConfigError if the file is wrong and nothing ever proved itself here."""
    good, pending = store.good(), store.pending()
    if good is not None and (why := _unfit(good)) is not None:
        log.error("the last configuration that proved itself cannot be used any more: %s", why)
        return replace(
            _by_file(path, None, store, clock), given_up=replace(good, state="refused", reason=why)
        )
    if pending is not None and not pending.started:
        return _tried(replace(pending, started=True), good, store)
    if pending is not None and good is not None:
        if pending.proposal == good.proposal:  # it had proved itself, and then there was no time to tidy up
            _write_down(lambda: store.settle(good))
        else:
            _write_down(lambda: store.give_up(pending, "rolled_back", ENDED_EARLY))
    return _by_file(path, good, store, clock)


def _unfit(kept: Kept) -> str | None:
    """Why it cannot be used; a newer version, or the environment, may know better than when it was kept."""
    try:
        kept.proposal.config()
    except ConfigError as error:
        return str(error)
    return None


def _by_file(path: Path, good: Kept | None, store: ConfigStore, clock: Clock) -> Chosen:
    if good is None:
        kept = Kept(propose(path), clock.utc_ns(), "pending", started=True)
        return _begun(Chosen(kept.proposal.config(), kept), store)
    try:
        proposal = propose(path)
    except ConfigError as error:
        return _fallen_back(good, _unreadable(good, str(error), clock))
    refused = store.refused()
    if (proposal.file_text, proposal.folder) == (good.proposal.file_text, good.proposal.folder):
        return _fallen_back(good, refused if refused and refused.proposal.sent else None)
    if refused is not None and refused.proposal.digest == proposal.digest:
        return _fallen_back(good, refused)
    return _tried(Kept(proposal, clock.utc_ns(), "pending", started=True, parts=good.parts), good, store)


def _tried(kept: Kept, good: Kept | None, store: ConfigStore) -> Chosen:
    try:
        config = kept.proposal.config()
    except ConfigError as error:
        if good is None:
            raise
        return give_up(kept, good, store, str(error))
    if good is not None and (why := cut_off(good.proposal.config(), config)) is not None:
        return give_up(kept, good, store, why)
    return _begun(Chosen(config, kept), store)


def give_up(kept: Kept, good: Kept, store: ConfigStore, reason: str) -> Chosen:
    """`good` instead of what cannot be had."""
    _write_down(lambda: store.give_up(kept, "refused", reason))
    return _fallen_back(good, replace(kept, state="refused", reason=reason))


def _begun(chosen: Chosen, store: ConfigStore) -> Chosen:
    _write_down(lambda: store.try_out(chosen.kept))
    return chosen


def _fallen_back(good: Kept, given_up: Kept | None) -> Chosen:
    if given_up is not None:
        log.error("the last configuration that proved itself runs instead: %s", given_up.reason)
    return Chosen(good.proposal.config(), good, given_up)


def _unreadable(good: Kept, reason: str, clock: Clock) -> Kept:
    """Stands for a file that cannot even be read."""
    return Kept(replace(good.proposal, sent=None), clock.utc_ns(), "refused", reason)


def _write_down(act: Callable[[], object]) -> None:
    """A disk that refuses must not keep a box from watching."""
    try:
        act()
    except StorageError as error:
        log.warning("%s", error)
