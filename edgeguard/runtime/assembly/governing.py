"""A daemon that takes up other configurations while it runs, and never watches nothing for a wrong one."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from edgeguard.clock import Clock, SystemClock
from edgeguard.config import Config, load
from edgeguard.config.proposal import state_dir_of
from edgeguard.errors import EdgeGuardError
from edgeguard.runtime import logs
from edgeguard.runtime.assembly.changing import beyond, touched
from edgeguard.runtime.assembly.house import House
from edgeguard.runtime.assembly.rehearsing import rehearse
from edgeguard.runtime.choosing import Chosen, choose, give_up
from edgeguard.runtime.claim import claim
from edgeguard.runtime.config_store import ConfigStore
from edgeguard.runtime.daemon import Daemon
from edgeguard.runtime.reloading import ReloadStage

log = logging.getLogger(__name__)


class HousePremises:
    """A house, as the reloading thread sees it."""

    def __init__(self, house: House) -> None:
        self._house = house

    @property
    def config(self) -> Config:
        return self._house.config

    def try_on(self, config: Config) -> None:
        rehearse(self.config, config, self._house.clock)

    def beyond(self, config: Config) -> list[str]:
        return beyond(self.config, config)

    def refit(self, config: Config) -> Iterator[None]:
        return self._house.refit(config)

    def renew(self) -> Iterator[None]:
        return self._house.renew()

    def touched(self, before: Config) -> Callable[[str], bool]:
        return touched(before, self.config)


def governed(path: Path, clock: Clock | None = None) -> Daemon:
    """The daemon of the configuration file, or of the last configuration that proved itself.

    Raises ConfigError if the file is wrong and nothing ever proved itself, StorageError and SourceError as
    `House.daemon` does.
    """
    clock = clock or SystemClock()
    state_dir = state_dir_of(path)
    store = ConfigStore(state_dir)
    if not store.folder.is_dir():
        state_dir = load(path).state_dir
    claimed = claim(state_dir)
    chosen, house = _settled(choose(path, store, clock), store, clock)
    config = chosen.config
    daemon = house.daemon(claimed=claimed if config.state_dir == state_dir else None)
    stage = ReloadStage(
        path,
        chosen,
        store,
        HousePremises(house),
        house.board,
        clock,
        house.tell_config,
        daemon.restart,
        config.health.prove_s,
    )
    daemon.reload = stage.reload
    house.govern(stage, stage.offer if config.mqtt.accept_config else None)
    return daemon


def _settled(chosen: Chosen, store: ConfigStore, clock: Clock) -> tuple[Chosen, House]:
    """The house of what was chosen, or, where it cannot even be made, of what proved itself before."""
    _log_as(chosen.config)
    try:
        return chosen, House(chosen.config, clock)
    except EdgeGuardError as error:
        good = store.good()
        if good is None or chosen.kept.state != "pending":
            raise
        fallen = give_up(chosen.kept, good, store, str(error))
    _log_as(fallen.config)
    return fallen, House(fallen.config, clock)


def _log_as(config: Config) -> None:
    logs.set_up(config.log.level, as_json=config.log.format == "json")


def begin_anew() -> None:
    """Become a new process of the same command, in the same place: systemd's main process stays the same.

    Never returns. SIGHUP is ignored until the new one listens for it.
    """
    log.info("beginning anew")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            if int(entry.name) > 2:
                os.set_inheritable(int(entry.name), False)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - the command that we are
