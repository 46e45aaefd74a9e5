"""Alerts as a busy site raises them: many kinds, sizes and lives, all from one seed."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace

from edgeguard.alerts.ids import Uuid7
from edgeguard.clock import Clock
from edgeguard.types import Alert, AlertState, ClipRef, Measure, ModelRef, Severity, Stages

_CAMERAS = ("gate", "yard", "loading-dock", "fence-north", "fence-south", "lobby")
_ZONES = ("pen", "ramp", "forecourt")
_WORDS = (
    *("stop", "help", "fire", "open", "the", "gate", "now", "somebody", "there", "is", "smoke"),
    *("behind", "second", "hall", "please"),
)
_SEVERITIES = (Severity.INFO, Severity.WARNING, Severity.ALARM, Severity.CRITICAL)
_SHARES = (30, 45, 22, 3)
_MODEL = ModelRef("yolox-nano-416", hashlib.sha256(b"model").hexdigest(), "onnxruntime-cpu")
_MOST_OPEN = 12


class Inventor:
    """Gives one revision after another; `track_ids` of each is the number of the revision alone."""

    def __init__(self, seed: int, clock: Clock, first: int = 1) -> None:
        self.number = first - 1
        """Of the last revision that was given."""
        self._random = random.Random(seed)  # noqa: S311  to be repeated, not to be secret
        self._clock = clock
        self._new_id = Uuid7(clock, self._random.getrandbits)
        self._open: list[Alert] = []

    def next(self) -> Alert:
        self.number += 1
        chance = self._random.random()
        if self._open and (chance < 0.5 or len(self._open) >= _MOST_OPEN):
            return self._continued(self._random.randrange(len(self._open)))
        alert = self._random.choice((_stay, _crossing, _speech))(self._random, self._blank())
        if alert.closed_utc_ns is None:
            self._open.append(alert)
        return alert

    def _continued(self, place: int) -> Alert:
        now_ns = self._clock.utc_ns()
        over = self._random.random() < 0.5
        before = self._open.pop(place)
        after = replace(
            before,
            revision=before.revision + 1,
            state=AlertState.CLOSED if over else AlertState.UPDATED,
            observed_utc_ns=now_ns,
            closed_utc_ns=now_ns if over else None,
            track_ids=(self.number,),
            decided_ns=self._clock.monotonic_ns(),
        )
        if not over:
            self._open.append(after)
        return after

    def _blank(self) -> Alert:
        utc_ns, now_ns = self._clock.utc_ns(), self._clock.monotonic_ns()
        (severity,) = self._random.choices(_SEVERITIES, _SHARES)
        return Alert(
            alert_id=self._new_id(),
            revision=1,
            state=AlertState.OPENED,
            kind="",
            severity=severity,
            source=self._random.choice(_CAMERAS),
            rule="",
            opened_utc_ns=utc_ns,
            observed_utc_ns=utc_ns,
            closed_utc_ns=utc_ns,
            confidence=round(self._random.uniform(0.4, 1), 4),
            summary="",
            track_ids=(self.number,),
            stages=Stages(now_ns - 40_000_000, now_ns - 38_000_000, now_ns - 8_000_000, now_ns - 1_000_000),
            decided_ns=now_ns,
            models=(_MODEL,),
        )


def _stay(rng: random.Random, blank: Alert) -> Alert:
    """Goes on until it is closed, with pictures."""
    dwell_s, zone = round(rng.uniform(10, 300), 1), rng.choice(_ZONES)
    return replace(
        blank,
        kind="loitering",
        rule=f"stays-in-{zone}",
        zone=zone,
        label="person",
        closed_utc_ns=None,
        summary=f"person {rng.randrange(500)} stayed {dwell_s} s in {zone} (limit 10 s)",
        measures=(Measure("dwell_s", dwell_s, ">=", 10.0), Measure("confidence", blank.confidence)),
        evidence=tuple(_picture(rng, blank.alert_id, view) for view in range(rng.randint(0, 3))),
    )


def _crossing(rng: random.Random, blank: Alert) -> Alert:
    direction = rng.choice(("left", "right"))
    return replace(
        blank,
        kind="line_crossed",
        rule="passes",
        zone="west",
        label=rng.choice(("person", "car", "truck")),
        summary=f"crossed west to the {direction}",
        measures=(Measure("direction", direction),),
    )


def _speech(rng: random.Random, blank: Alert) -> Alert:
    text = " ".join(rng.choices(_WORDS, k=rng.randint(1, 120)))
    return replace(
        blank,
        kind="keyword",
        rule="calls-for-help",
        label="help",
        text=text,
        summary=f"somebody said: {text[:80]}",
        measures=(Measure("delay_s", round(rng.uniform(0.2, 3), 2)),),
    )


def _picture(rng: random.Random, alert_id: str, view: int) -> ClipRef:
    path = f"2026/05/04/{alert_id}-{view}.jpg"
    digest = hashlib.sha256(path.encode()).hexdigest()
    return ClipRef(alert_id, "image/jpeg", path, digest, rng.randrange(20_000, 400_000))
