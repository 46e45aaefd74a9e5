"""The alerts thread: observations in, alerts with their evidence out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from edgeguard.alerts.policy import AlertRule
from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.evidence import EvidenceStore
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.journal import Journal
from edgeguard.runtime.latency import Note, unnoted
from edgeguard.runtime.paces import DECISIONS
from edgeguard.runtime.shelf import Shelf, View
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.types import Alert, AlertState, ClipRef, ModelRef, Observation, drill
from edgeguard.vision.snapshot import Overlay, snapshot

log = logging.getLogger(__name__)

_PRUNE_EVERY_NS = 60_000_000_000
_LOSS_IS_NEWS_NS = 300_000_000_000
_NEARLY_FULL = (
    State.DEGRADED,
    "the disk is nearly full; new evidence takes the place of the oldest",
    "disk_nearly_full",
)


Nearness = Callable[[Alert, Observation | None], Alert]
"""Gives an alert the blind time that is near it; with what was noticed now, if it was."""


def without_gaps(alert: Alert, _noticed: Observation | None) -> Alert:
    """Nobody keeps a book of blind time."""
    return alert


class Fusing(Protocol):
    """Joins observations."""

    @property
    def late(self) -> int: ...

    @property
    def crowded(self) -> int: ...

    def update(self, observation: Observation) -> list[Observation]: ...

    def tick(self, now_ns: int, utc_ns: int, /) -> list[Observation]: ...

    def finish(self) -> list[Observation]: ...


class Deciding(Protocol):
    """Turns observations into alerts."""

    def update(self, observation: Observation) -> list[Alert]: ...

    def tick(self) -> list[Alert]: ...

    def refit(self, rules: Mapping[str, AlertRule], /) -> list[Alert]: ...

    def close_all(self) -> list[Alert]: ...

    def attach(self, alert_id: str, evidence: tuple[ClipRef, ...], error: str | None = None) -> None: ...


class Witness:
    """Makes the picture that proves an alert.

    `overlays` are by camera; `beside` names the camera whose picture goes with what a microphone hears.
    """

    def __init__(
        self,
        shelf: Shelf,
        store: EvidenceStore,
        overlays: Mapping[str, Overlay],
        beside: Mapping[str, str],
        part: Part,
        max_width_px: int,
        quality: int,
    ) -> None:
        self._shelf = shelf
        self._store = store
        self._overlays = overlays
        self._beside = beside
        self._part = part
        self._max_width_px = max_width_px
        self._quality = quality

    def refit(self, overlays: Mapping[str, Overlay], beside: Mapping[str, str]) -> None:
        """Draw these from now on."""
        self._overlays, self._beside = overlays, beside

    def open(self) -> None:
        try:
            self._store.open()
        except StorageError as error:
            self._part.set(State.DEGRADED, str(error), code_of(error))
        else:
            self._part.set(State.OK)

    def prove(self, alert: Alert, noticed: Observation) -> Alert:
        """The alert with its evidence, or with the reason why there is none; an alert never fails for it."""
        camera = self._camera(alert.source)
        if camera is None:
            return alert
        sequence = noticed.sequence if camera == alert.source else None
        view = self._shelf.find(camera, sequence, noticed.pts_ns)
        if view is None:
            return replace(alert, evidence_error=f"{camera} gave no picture at that time")
        try:
            reference = self._save(alert, view)
        except StorageError as error:
            return self._without(alert, str(error), code_of(error))
        except Exception as error:  # a bug in drawing must not cost an alert
            log.exception("the evidence of %s could not be made", alert.alert_id)
            return self._without(alert, f"the evidence could not be made: {error}", code_of(error))
        self._part.set(*self._room())
        self._part.count("saved")
        return replace(alert, evidence=(reference,))

    def prune(self) -> None:
        """Make room and look whether there is some; what cannot be done now is tried again."""
        try:
            self._part.count("pruned", self._store.prune())
            self._store.check()
        except StorageError as error:
            self._part.set(State.DEGRADED, str(error), code_of(error))
        else:
            self._part.set(*self._room())

    def _camera(self, source: str) -> str | None:
        """Whose pictures go with what `source` noticed."""
        return source if source in self._overlays else self._beside.get(source)

    def _room(self) -> tuple[State, str | None, str | None]:
        return _NEARLY_FULL if self._store.disk_nearly_full else (State.OK, None, None)

    def _without(self, alert: Alert, reason: str, code: str) -> Alert:
        self._part.set(State.DEGRADED, reason, code)
        return replace(alert, evidence_error=reason)

    def _save(self, alert: Alert, view: View) -> ClipRef:
        picture = snapshot(
            view.frame,
            view.tracks,
            self._overlays.get(view.frame.source, Overlay()),
            zone=alert.zone,
            causes=alert.track_ids,
            caption=alert.summary,
            max_width_px=self._max_width_px,
            quality=self._quality,
        )
        return self._store.save(alert.alert_id, picture)


class AlertStage(Stage):
    """Joins, decides, proves, and hands over to the publisher; the only user of fuser and policy."""

    name = "alerts"

    def __init__(
        self,
        observations: Channel[Observation],
        fuser: Fusing,
        policy: Deciding,
        witness: Witness | None,
        out: Callable[[Alert], object],
        models: Callable[[Alert], tuple[ModelRef, ...]],
        journal: Journal | None,
        part: Part,
        clock: Clock,
        nearness: Nearness = without_gaps,
        note_latency: Note = unnoted,
    ) -> None:
        self._observations = observations
        self._nearness = nearness
        self._note_latency = note_latency
        self._fuser = fuser
        self._policy = policy
        self._witness = witness
        self._out = out
        self._models = models
        self._journal = journal
        self._part = part
        self._clock = clock
        self._prune_ns = clock.monotonic_ns() + _PRUNE_EVERY_NS
        part.expect(DECISIONS)
        for state in AlertState:
            part.count(state.value, 0)
        self._lost = self._lost_ns = 0

    def open(self) -> None:
        if self._witness:
            self._witness.open()

    def refit(
        self,
        fuser: Fusing | None,
        rules: Mapping[str, AlertRule],
        overlays: Mapping[str, Overlay],
        beside: Mapping[str, str],
    ) -> None:
        """Join and decide otherwise from now on; `fuser` None: join as before. For its own thread."""
        if fuser is not None:
            self._decide(self._fuser.finish())
            self._fuser = fuser
        for alert in self._policy.refit(rules):
            self._tell(alert)
        if self._witness:
            self._witness.refit(overlays, beside)

    def step(self) -> None:
        if (observation := self._observations.get(STEP_S)) is not None:
            self._take(observation)
        self._decide(self._fuser.tick(self._clock.monotonic_ns(), self._clock.utc_ns()))
        for alert in self._policy.tick():
            self._tell(alert)
        self._prune()
        self._report()

    def finish(self) -> None:
        """Take what still waits, then close every open alert: nobody will watch any more."""
        for observation in self._observations.get_all(0):
            self._take(observation)
        self._decide(self._fuser.finish())
        for alert in self._policy.close_all():
            self._tell(alert)

    def _take(self, observation: Observation) -> None:
        if self._journal and observation.source not in drill.SOURCES:
            self._journal.write(observation)
        self._part.count("observations")
        self._decide(self._fuser.update(observation))
        self._part.worked()

    def _decide(self, observations: Sequence[Observation]) -> None:
        for noticed in observations:
            for alert in self._policy.update(noticed):
                self._tell(alert, noticed)

    def _tell(self, alert: Alert, noticed: Observation | None = None) -> None:
        if self._witness and noticed and alert.state is AlertState.OPENED:
            alert = self._witness.prove(alert, noticed)
            self._policy.attach(alert.alert_id, alert.evidence, alert.evidence_error)
        self._out(self._nearness(replace(alert, models=self._models(alert)), noticed))
        if alert.stages.ruled_ns is not None and alert.decided_ns is not None:
            self._note_latency("decide", alert.decided_ns - alert.stages.ruled_ns)
        self._part.count(alert.state.value)

    def _prune(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._witness and now_ns >= self._prune_ns:
            self._prune_ns = now_ns + _PRUNE_EVERY_NS
            self._witness.prune()

    def _report(self) -> None:
        self._part.note(late_for_patterns=self._fuser.late, hurried_for_patterns=self._fuser.crowded)
        lost, now_ns = sum(self._observations.drops().values()), self._clock.monotonic_ns()
        if lost > self._lost:
            self._lost, self._lost_ns = lost, now_ns
            self._part.note(observations_lost=lost)
        if lost and now_ns - self._lost_ns < _LOSS_IS_NEWS_NS:
            self._part.set(
                State.DEGRADED, f"{lost} observations were lost: the box is overloaded", "overloaded"
            )
        else:
            self._part.set(State.OK)
