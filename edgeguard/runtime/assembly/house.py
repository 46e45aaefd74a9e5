"""All that one daemon consists of, and how it is joined."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from typing import IO, Any

from edgeguard import gst
from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.desk import Configure
from edgeguard.clock import Clock, SystemClock
from edgeguard.config import Config
from edgeguard.errors import DependencyError, SourceError
from edgeguard.fusion import HeardAndSeen
from edgeguard.models import load_catalog
from edgeguard.runtime.assembly.changing import change
from edgeguard.runtime.assembly.covering import Covering
from edgeguard.runtime.assembly.doctoring import checkup
from edgeguard.runtime.assembly.drilling import Drilling
from edgeguard.runtime.assembly.hearing import Hearing
from edgeguard.runtime.assembly.modelling import store_of
from edgeguard.runtime.assembly.seeing import Seeing
from edgeguard.runtime.assembly.sharing import Taps, pairs_of
from edgeguard.runtime.assembly.sources import logins
from edgeguard.runtime.assembly.syncing import syncing_of
from edgeguard.runtime.assembly.telling import Telling
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.claim import claim
from edgeguard.runtime.daemon import Crew, Daemon
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.http import HealthStage
from edgeguard.runtime.latency import Latency
from edgeguard.runtime.machine import BoxWatch
from edgeguard.runtime.reloading import ReloadStage
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.stage import Stage, StageThread
from edgeguard.runtime.timekeeping import TimeWatch
from edgeguard.types import Alert, ModelRef, Observation

log = logging.getLogger(__name__)

_CLOSE_NS = 30_000_000_000
"""How long a camera or microphone may take to stop."""
_TRIES = 3
"""How often a source may fail in a row where the run is to end once all sources have."""


class House:
    """One configuration, made into stages and the channels between them."""

    def __init__(self, config: Config, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.board = HealthBoard(self.clock)
        self._config = config
        catalog = load_catalog()
        store = store_of(config)
        self._box = BoxWatch(self.board.part("box"), config.state_dir)
        self._time = TimeWatch(self.board.part("clock"))
        alerts = self.board.part("alerts")
        observations: Channel[Observation] = Channel(10_000, coming=lambda _: alerts.asked())
        self._shelf = shelf = Shelf(beside=_beside(config))
        self._taps = taps = Taps(config)
        self._syncing = syncing = syncing_of(config, self.board)
        self._staff: dict[str, StageThread] = {}
        """The threads, by the part of health that each has."""
        self._logins = logins(config)
        """Of the sources, as they were opened last."""
        self._sources: list[StageThread] = []
        self._changers: list[StageThread] = []
        self._latency = Latency(self.board.part("latency"), self.clock)
        self._covering = Covering(
            config,
            self.clock,
            self.board,
            observations,
            lambda: {**self._seeing.unheeded(), **self._hearing.unheeded()},
            lambda day: self._telling.tell_coverage(day),
            lambda: self._telling.delivery.coverage_day,
        )
        self._drilling = Drilling(
            config,
            self.clock,
            self.board,
            observations,
            lambda: (self._seeing.models(), self._hearing.models()),
        )
        self._seeing = Seeing(
            self._drilling.config,
            self.clock,
            self.board,
            catalog,
            store,
            observations,
            shelf,
            lambda counts: self._telling.tell_counts(counts),
            self._covering.notices,
            taps,
            syncing,
            self._drilling,
            self._latency.note,
        )
        self._hearing = Hearing(
            self._drilling.config,
            self.clock,
            self.board,
            catalog,
            store,
            observations,
            self._covering.notices,
            taps,
            syncing,
            drilling=self._drilling,
            note_latency=self._latency.note,
        )
        self._telling = Telling(
            *(config, self.clock, self.board, observations, shelf, self._models),
            self._covering.nearby.attach,
            self._drilling,
            self._latency.note,
            self._covering.nearby.told,
        )

    @property
    def config(self) -> Config:
        """In effect."""
        return self._config

    def daemon(self, *, until_done: bool = False, claimed: IO[str] | None = None) -> Daemon:
        """Raises StorageError if the state folder cannot be used, SourceError for a scene that is none.

        `claimed` is the state folder, where somebody took it already.
        """
        self._state_folder = claimed or claim(self._config.state_dir)
        with suppress(DependencyError):  # the sources that need it say so themselves
            log.info("%s", gst.start())
        tellers = self._threads({**self._health_port(), **self._telling.stages()})
        self._sources = self._threads(
            {**self._seeing.sources(), **self._hearing.sources()}, _TRIES if until_done else None
        )
        crew = Crew(
            tellers=tellers,
            thinkers=self._threads(
                {
                    **self._covering.thinkers(),
                    **self._seeing.thinkers(),
                    **self._hearing.thinkers(),
                    **self._telling.callers(),
                    **({} if until_done else self._drill_stages()),
                    **checkup(lambda: self._config, self.board, self.clock),
                }
            ),
            sources=self._sources,
            changers=self._changers,
        )
        return Daemon(
            crew,
            self.board,
            self.clock,
            tell_health=self._telling.tell_health,
            drained=self._drained,
            refresh=self._refresh,
            health_every_s=self._config.health.interval_s,
            until_done=until_done,
        )

    def rehearse(self) -> None:
        """Make every stage, and start none. Raises EdgeGuardError with what cannot be had."""
        for stages in (
            self._telling.stages,
            self._covering.thinkers,
            self._seeing.sources,
            self._hearing.sources,
            self._telling.callers,
        ):
            stages()

    def govern(self, stage: ReloadStage, configure: Configure | None) -> None:
        """Let that stage change what is in effect, and `configure` take what is sent to the device."""
        self._changers += self._threads({"config": stage})
        if configure is not None:
            self._telling.take_configurations(configure)

    def tell_config(self, report: ConfigReport) -> None:
        """Report which configuration is in effect."""
        self._telling.tell_config(report)

    def refit(self, config: Config) -> Iterator[None]:
        """Put `config` in effect while all that stays the same runs on; each step returns soon."""
        while not all(thread.started for thread in self._staff.values()):
            yield
        before, after = self._drilling.config, self._drilling.over(config)
        changed = change(before, after)
        yield from self._close(changed.closed)
        prepared = yield from self._seeing.prepare(after)
        syncing = syncing_of(config, self.board, self._syncing, changed.opened | changed.reheard)
        self._taps.refit(config, changed.opened)
        self._shelf.refit(_beside(config), changed.opened)
        self._config, self._drilling.config, self._syncing = config, after, syncing
        yield from self._let("alerts", lambda: self._telling.refit(config))
        yield from self._let("coverage", lambda: self._covering.refit(config))
        yield from self._let("hearing", lambda: self._hearing.refit(after, changed, syncing))
        gone: list[Part] = []
        yield from self._let(
            "vision", lambda: gone.extend(self._seeing.refit(after, changed, syncing, prepared))
        )
        now = logins(config)
        self._logins = {name: now[name] if name in changed.opened else self._logins.get(name) for name in now}
        self._open(changed.opened)
        self._forget(changed.closed - changed.opened, gone)
        yield from self.renew()

    def renew(self) -> Iterator[None]:
        """Open the sources anew whose password is another one by now.

        The broker's is read at each connect.
        """
        now = logins(self._config)
        names = {name for name, login in now.items() if login != self._logins.get(name)}
        self._logins = now
        names |= {name for pair in pairs_of(self._config) if names & {*pair} for name in pair}
        if names:
            log.info("another password: %s", ", ".join(sorted(names)))
        yield from self._close(names)
        self._open(names)

    def _close(self, names: Collection[str]) -> Iterator[None]:
        """Raises SourceError if one does not stop."""
        threads = [(name, self._staff.pop(part)) for name in names for part in self._parts_of(name)]
        for _, thread in threads:
            thread.ask_to_stop()
        until_ns = self.clock.monotonic_ns() + _CLOSE_NS
        for name, thread in threads:
            while thread.alive and self.clock.monotonic_ns() < until_ns:
                yield
            if thread.alive:
                raise SourceError(f"{name} does not stop")
            self._sources.remove(thread)
            self._covering.notices.lost(name, "connecting", self.clock.monotonic_ns())

    def _open(self, names: Collection[str]) -> None:
        for name in names:
            if name in self._config.cameras:
                stages = {f"camera/{name}": self._seeing.stage(name)}
            else:
                stages = {f"microphone/{name}": self._hearing.stage(name)}
            for part in stages:
                self.board.part(part).set(State.STARTING)
            for thread in self._threads(stages):
                self._sources.append(thread)
                thread.start()

    def _let(self, part: str, errand: Callable[[], object]) -> Iterator[None]:
        """Let the thread of that part do something."""
        done = self._staff[part].between(errand)
        while not done.done():
            yield
        done.result()

    def _forget(self, names: Collection[str], parts: Sequence[Part]) -> None:
        for part in parts:
            self.board.drop(part.name)
        for name in names:
            self._covering.notices.forget(name)
            for kind in ("camera", "microphone", "view"):
                self.board.drop(f"{kind}/{name}")

    def _parts_of(self, name: str) -> list[str]:
        return [part for part in (f"camera/{name}", f"microphone/{name}") if part in self._staff]

    def report(self) -> dict[str, Any]:
        """The health report, with counters up to date."""
        self._refresh()
        return {"state": self.board.state.value, "parts": self.board.report()}

    def _refresh(self) -> None:
        self._seeing.refresh()
        self._box.refresh()
        self._time.refresh()
        self._latency.refresh()

    def _drill_stages(self) -> dict[str, Stage]:
        """Not where the run is to end with its files: the hidden sources never end."""
        return {**self._drilling.stages(), **self._seeing.hidden(), **self._hearing.hidden()}

    def _health_port(self) -> dict[str, Stage]:
        port = self._config.health.http_port
        return {"health": HealthStage(port, self.report, self.board.part("health"))} if port else {}

    def _models(self, alert: Alert) -> tuple[ModelRef, ...]:
        """What saw or heard it."""
        seen, heard = self._seeing.models().get(alert.source), self._hearing.models()
        kinds = [alert.kind, *(one.kind for one in alert.joined)]
        listened = heard.values() if alert.kind == HeardAndSeen.kind else map(heard.get, dict.fromkeys(kinds))
        return tuple(model for model in (seen, *listened) if model is not None)

    def _threads(self, stages: dict[str, Stage], tries: int | None = None) -> list[StageThread]:
        """A thread for each stage, under the name of its part in health."""
        threads = {
            part: StageThread(stage, self.board.part(part), self.clock, tries=tries)
            for part, stage in stages.items()
        }
        self._staff |= threads
        return [*threads.values()]

    def _drained(self) -> bool:
        return self._covering.idle and self._seeing.idle and self._hearing.idle and self._telling.idle


def _beside(config: Config) -> list[str]:
    """Cameras whose pictures go with what a microphone hears."""
    return [microphone.camera for microphone in config.microphones.values() if microphone.camera]
