"""The thread that takes up another configuration: checked, tried on, put in effect, proved or rolled back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from edgeguard.alerts.configured import ConfigReport
from edgeguard.clock import Clock
from edgeguard.config import Config, fingerprint
from edgeguard.config.proposal import Proposal, propose
from edgeguard.errors import ConfigError, EdgeGuardError, StorageError
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.choosing import Chosen
from edgeguard.runtime.config_store import ConfigStore, Kept
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.proving import Proof, states
from edgeguard.runtime.stage import STEP_S, Stage

log = logging.getLogger(__name__)

BUSY = "another configuration is on trial; send it again once that is over"
_LOOK_S = 0.1
_KEEP_S = 30.0
"""After so long a disk that refused is asked again."""
_SAY_S = 1.0
"""How long the broker is given to hear that the service begins anew."""


class Premises(Protocol):
    """What runs, as far as its configuration goes; called by the reloading thread alone."""

    @property
    def config(self) -> Config:
        """In effect."""

    def try_on(self, config: Config) -> None:
        """Make everything without starting it. Raises EdgeGuardError with what cannot be had."""

    def beyond(self, config: Config) -> list[str]:
        """Sections whose change needs the process to begin anew."""

    def refit(self, config: Config) -> Iterator[None]:
        """Put it in effect while all that stays the same runs on; each step returns soon."""

    def renew(self) -> Iterator[None]:
        """Open anew what has another password by now."""

    def touched(self, before: Config) -> Callable[[str], bool]:
        """Which parts of health the way from `before` to now touched."""


@dataclass(frozen=True, slots=True)
class _Wish:
    proposal: Proposal | None
    """None: look at the file again."""


class ReloadStage(Stage):
    """Takes up one change after the other; `reload` and `offer` are for other threads."""

    name = "config"
    step_s = 240.0
    """A detector is loaded in one step: on a slow card that takes minutes."""

    def __init__(
        self,
        path: Path,
        chosen: Chosen,
        store: ConfigStore,
        premises: Premises,
        board: HealthBoard,
        clock: Clock,
        tell: Callable[[ConfigReport], object],
        restart: Callable[[], object],
        prove_s: float,
    ) -> None:
        """`tell` is given what is to be reported; `restart` ends this process and begins anew."""
        self._path = path
        self._store = store
        self._premises = premises
        self._board = board
        self._clock = clock
        self._tell = tell
        self._restart = restart
        self._prove_s = prove_s
        self._wishes: Channel[_Wish] = Channel(4, WhenFull.REFUSE)
        self._pause = threading.Event()
        self._current = chosen.kept
        """Where the configuration in effect comes from."""
        self._last = chosen.given_up or chosen.kept
        """The last change, and what became of it."""
        self._unkept: Kept | None = None
        """It proved itself, and the disk did not take it yet."""
        self._keep_ns = 0
        on_trial = chosen.kept.state == "pending"
        self._work: Iterator[None] | None = self._prove_start(chosen.kept) if on_trial else None

    def reload(self) -> None:
        """Look at the file again, and at the passwords."""
        self._wishes.put(_Wish(None))

    def offer(self, sent: str, sent_id: str, sent_by: str) -> str | None:
        """Take up what was sent; why not, if not. What becomes of it is told later."""
        if self._work is not None or len(self._wishes):
            return BUSY
        proposal = replace(self._current.proposal, sent=sent, sent_id=sent_id, sent_by=sent_by)
        try:
            proposal.config()
        except ConfigError as error:
            return str(error)
        except Exception as error:  # the thread that asks delivers alerts, and must not fail for this
            log.exception("the configuration that was sent cannot be judged")
            return f"it cannot be judged: {error or type(error).__name__}"
        return None if self._wishes.put(_Wish(proposal)) else BUSY

    def open(self) -> None:
        self._report()

    def step(self) -> None:
        if self._work is None:
            self._keep()
            if (wish := self._wishes.get(STEP_S)) is None:
                return
            self._work = self._reread() if wish.proposal is None else self._try(wish.proposal)
        try:
            next(self._work)
        except StopIteration:
            self._work = None
        except Exception as error:
            log.exception("a change of the configuration broke off; the service begins anew")
            self._work = self._clear_up(error)
        else:
            self._pause.wait(_LOOK_S)

    def _reread(self) -> Iterator[None]:
        try:
            proposal = propose(self._path)
        except ConfigError as error:
            self._refuse(self._new(replace(self._current.proposal, sent=None)), str(error))
            return
        if proposal != self._current.proposal:  # or one that was sent is in effect: the file holds again
            yield from self._try(proposal)
            return
        log.info("%s says what it said; passwords are read again", self._path)
        yield from self._premises.renew()
        if self._last.proposal.sent is None:
            self._last = self._current
        self._report()

    def _clear_up(self, error: Exception) -> Iterator[None]:
        """Nobody knows how much is in effect, or whether a source stands still: the process begins anew."""
        if self._last.state == "pending":
            self._give_up(self._last, f"it could not be put in effect: {error or type(error).__name__}")
        yield from self._begin_anew()

    def _try(self, proposal: Proposal) -> Iterator[None]:
        kept = self._new(proposal)
        try:
            config = proposal.config()
            beyond = self._premises.beyond(config)
            yield
            self._premises.try_on(config)
            self._keep_now()
            self._store.try_out(replace(kept, started=not beyond))
        except EdgeGuardError as error:
            self._refuse(kept, str(error))
            return
        except Exception as error:  # nothing is touched yet, and who asked must hear of it
            log.exception("the configuration could not be tried on")
            self._refuse(kept, f"it could not be tried on: {error or type(error).__name__}")
            return
        self._last = kept
        self._report()
        if beyond:
            log.info("the service begins anew for another %s", ", ".join(beyond))
            yield from self._begin_anew()
        else:
            yield from self._put_in_effect(kept, config)

    def _put_in_effect(self, kept: Kept, config: Config) -> Iterator[None]:
        before, source = self._premises.config, self._current
        yield from self._premises.refit(config)
        self._current = kept
        self._report()
        proof = self._proof(before, kept)
        while (proved := proof.look()) is None:
            yield
        if proved:
            self._settle(kept)
            return
        self._current = source
        self._give_up(kept, proof.reason)
        yield from self._premises.refit(before)
        self._report()

    def _prove_start(self, kept: Kept) -> Iterator[None]:
        """The process began with one on trial."""
        good = self._usable()
        proof = self._proof(good.proposal.config() if good else None, kept)
        while (proved := proof.look()) is None:
            yield
        if proved or good is None:
            self._settle(kept)
            return
        self._give_up(kept, proof.reason)
        yield from self._begin_anew()

    def _usable(self) -> Kept | None:
        """The last-known-good, unless this version does not understand it any more."""
        good = self._store.good()
        try:
            return good if good and good.proposal.config() else None
        except ConfigError:
            return None

    def _proof(self, before: Config | None, kept: Kept) -> Proof:
        """Where there was none before, that it runs for a while is all that is asked."""
        touched = (lambda _: False) if before is None else self._premises.touched(before)
        return Proof(self._board, touched, kept.parts, self._clock, self._prove_s)

    def _begin_anew(self) -> Iterator[None]:
        self._report()
        until_ns = self._clock.monotonic_ns() + round(_SAY_S * 1e9)
        while self._clock.monotonic_ns() < until_ns:
            yield
        self._restart()

    def _settle(self, kept: Kept) -> None:
        """It proved itself."""
        kept = replace(kept, state="applied", since_utc_ns=self._clock.utc_ns(), parts=states(self._board))
        self._current = self._last = kept
        log.info("the configuration %s is in effect", fingerprint(self._premises.config)[:12])
        self._unkept, self._keep_ns = kept, 0
        self._keep()
        self._report()

    def _keep(self) -> None:
        """Write down for the next start what proved itself; a disk that refuses is asked again later."""
        if self._unkept is None or self._clock.monotonic_ns() < self._keep_ns:
            return
        try:
            self._keep_now()
        except StorageError as error:
            self._keep_ns = self._clock.monotonic_ns() + round(_KEEP_S * 1e9)
            log.warning("the configuration in effect is not kept for the next start yet: %s", error)

    def _keep_now(self) -> None:
        if self._unkept is not None:
            self._store.settle(self._unkept)
            self._unkept = None

    def _give_up(self, kept: Kept, reason: str) -> None:
        self._end(kept, "rolled_back", reason)

    def _refuse(self, kept: Kept, reason: str) -> None:
        self._end(kept, "refused", reason)

    def _end(self, kept: Kept, state: str, reason: str) -> None:
        log.error("the configuration is %s: %s", state.replace("_", " "), reason)
        self._last = replace(kept, state=state, reason=reason, since_utc_ns=self._clock.utc_ns())
        try:
            self._store.give_up(self._last, state, reason)
        except StorageError as error:
            log.warning("that is not kept for the next start: %s", error)
        self._report()

    def _new(self, proposal: Proposal) -> Kept:
        return Kept(proposal, self._clock.utc_ns(), "pending", parts=states(self._board))

    def _report(self) -> None:
        """To health and to whom `tell` tells."""
        last, sha256 = self._last, fingerprint(self._premises.config)
        proposal = last.proposal
        part = self._board.part("config")
        part.note(sha256=sha256, origin=self._current.proposal.origin, change=last.state)
        unlike_file = last.state in ("refused", "rolled_back") and proposal.sent is None
        what = f"{proposal.name} is {last.state.replace('_', ' ')}, the one before it is in effect"
        reason = f"{what}: {'; '.join((last.reason or '').splitlines())}"
        state = State.DEGRADED if unlike_file else State.OK
        part.set(state, reason if unlike_file else None, "not_the_file")
        self._tell(
            ConfigReport(
                sha256,
                self._current.proposal.origin,
                last.state,
                last.since_utc_ns,
                last.reason,
                proposal.sent_id,
                proposal.sent_by,
            )
        )
