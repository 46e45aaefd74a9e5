"""The drill's thread: begins one when it is asked for, judges it, and says so when none passes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from edgeguard.clock import Clock
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.drill_alarm import DrillAlarm
from edgeguard.runtime.drill_book import Act, DrillBook, Passage
from edgeguard.runtime.drill_folder import DrillFolder, DrillRequest, Record, Verdict
from edgeguard.runtime.drill_notes import DrillNotes
from edgeguard.runtime.drill_patience import SLACK, Patience
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.synth.scenes.drill import ENDS_S
from edgeguard.types import Observation

log = logging.getLogger(__name__)

_WORD_NS = 5_000_000_000
"""How long after its time the subscriber may still say what it heard."""
_APART_NS = 300_000_000_000
"""Drills that are asked for from afar leave pictures and alerts behind, as others do."""
_LOOKS: Mapping[str, str] = {
    "captured": "nothing came from its source",
    "inferred": "no detector looked at its pictures",
    "noticed": "no rule noticed it",
    "decided": "no alert was made of it",
    "committed": "the outbox did not take its alert",
    "published": "its alert was not sent",
    "acknowledged": "the broker did not acknowledge its alert",
    "received": "the subscriber did not receive its alert",
}


@dataclass(frozen=True, slots=True)
class Script:
    """What is played now, what is left out, and why."""

    acts: tuple[Act, ...]
    left_out: Mapping[str, str]
    judges: Mapping[str, str]
    """Which model each act is for."""
    holds: Callable[[], bool] = lambda: True
    """Whether the site is still the one that it was written for."""


@dataclass(frozen=True, slots=True)
class _Held:
    """The drill that goes on."""

    request: DrillRequest
    script: Script
    begun_ns: int

    @property
    def until_ns(self) -> int:
        return self.begun_ns + round(self.request.timeout_s * 1e9)


class DrillStage(Stage):
    """`why` says what is wrong with the part of the daemon that a place belongs to."""

    name = "drill"

    def __init__(
        self,
        book: DrillBook,
        folder: DrillFolder,
        script: Callable[[], Script],
        why: Callable[[str], str | None],
        observations: Channel[Observation],
        part: Part,
        clock: Clock,
        every_h: float | None = None,
        wait_s: float = STEP_S,
        covers: Callable[[int], bool] = lambda _utc_ns: True,
    ) -> None:
        """`covers` tells whether the timer may hold one at a UTC time."""
        self._book = book
        self._folder = folder
        self._script = script
        self._why = why
        self._part = part
        self._clock = clock
        self._every_h = every_h
        self._patience = Patience(every_h, covers)
        self._wait_s = wait_s
        self._notes = DrillNotes(clock)
        self._asked: Channel[DrillRequest] = Channel(1)
        self._asked_ns: int | None = None
        self._held: _Held | None = None
        self._record = Record()
        self._told: dict[str, Any] = {}
        self._alarm = DrillAlarm(observations, clock)

    def ask(self, timeout_s: float) -> str | None:
        """Hold a drill that no subscriber judges; why not, if one is held already. For any thread."""
        if self._held is not None or len(self._asked):
            return "a drill is held already"
        now_ns = self._clock.monotonic_ns()
        if self._asked_ns is not None and now_ns - self._asked_ns < _APART_NS:
            return "the last one was asked for less than five minutes ago"
        self._asked_ns = now_ns
        self._asked.put(DrillRequest(str(uuid4()), timeout_s, self._clock.utc_ns(), subscriber=False))
        return None

    def open(self) -> None:
        self._record = self._folder.record()
        if self._every_h is None:
            self._record = replace(self._record, watched_utc_ns=0, overdue=False)
        self._say()

    def step(self) -> None:
        request = self._asked.get(self._wait_s)
        if self._held is None:
            request = request or self._folder.take_request(self._clock.utc_ns())
            if request is not None:
                self._begin(request)
        else:
            self._go_on(self._held)
        self._wait_for_one()
        self._notes.again()
        self._say()
        self._alarm.look(self._fault)

    def close(self) -> None:
        self._book.end()
        self._held = None

    def _wait_for_one(self) -> None:
        utc_ns, before = self._clock.utc_ns(), self._record
        waiting = self._patience.waiting(before, utc_ns)
        self._record = self._patience.look(waiting, utc_ns, self._clock.monotonic_ns())
        if self._record != before:
            self._remember()

    def _begin(self, request: DrillRequest) -> None:
        script, now_ns = self._script(), self._clock.monotonic_ns()
        held = _Held(request, script, now_ns)
        log.info("drill %s begins: %s", request.drill_id, ", ".join(act.name for act in script.acts))
        self._held = held
        self._book.begin(script.acts, round(ENDS_S * 1e9), now_ns)
        self._tell(held, "running")
        if not script.acts:
            self._end(held, "there is nothing to be drilled here", "nothing_to_drill")

    def _go_on(self, held: _Held) -> None:
        self._tell(held, "running")
        verdict = self._folder.verdict(held.request.drill_id) if held.request.subscriber else None
        passages, now_ns = self._book.passages, self._clock.monotonic_ns()
        if verdict is not None:
            self._judge(held, passages, verdict)
        elif now_ns > held.until_ns + (_WORD_NS if held.request.subscriber else 0):
            self._time_out(held, passages)
        elif not held.request.subscriber and all(one.stopped_at is None for one in passages):
            self._end(held)

    def _judge(self, held: _Held, passages: tuple[Passage, ...], verdict: Verdict) -> None:
        lost = [one for one in passages if one.alert_id not in verdict.received_ns]
        stopped = next((one for one in lost if one.stopped_at), None)
        if not lost:
            self._end(held)
        elif stopped is None and verdict.reason is not None:
            self._end(held, f"the subscriber could not listen: {verdict.reason}", "subscriber_lost")
        else:
            first = stopped or lost[0]
            self._miss(held, first, first.stopped_at or "received")

    def _time_out(self, held: _Held, passages: tuple[Passage, ...]) -> None:
        stopped = next((one for one in passages if one.stopped_at is not None), None)
        if stopped is None:
            self._end(held, "the subscriber gave no word on what it heard", "subscriber_lost")
        else:
            assert stopped.stopped_at is not None
            self._miss(held, stopped, stopped.stopped_at)

    def _miss(self, held: _Held, passage: Passage, place: str) -> None:
        reason = f"{passage.act.name}: {_LOOKS[place]}{self._details(held, passage, place)}"
        self._end(held, reason, f"not_{place}", {"act": passage.act.name, "at": place})

    def _details(self, held: _Held, passage: Passage, place: str) -> str:
        model = held.script.judges.get(passage.act.name)
        words = [
            f"{model} is in charge" if model and place in ("inferred", "noticed") else None,
            _looks(passage) if place == "noticed" and passage.looked else None,
            f"the broker says: {passage.refusal}" if passage.refusal else None,
            self._why(place),
        ]
        listed = "; ".join(word for word in words if word)
        return f" ({listed})" if listed else ""

    def _end(
        self,
        held: _Held,
        reason: str | None = None,
        code: str = "missed",
        stopped: Mapping[str, str] | None = None,
    ) -> None:
        """It passed if there is no reason why not."""
        took_s = round((self._clock.monotonic_ns() - held.begun_ns) / 1e9, 3)
        utc_ns = self._clock.utc_ns()
        record = self._record
        if reason is None:
            self._record = record.with_pass(utc_ns, took_s, heard=held.request.subscriber)
        elif held.script.holds():
            self._record = record.with_miss(utc_ns, reason, code)
        else:  # trackers and models began anew in the middle of it
            reason = f"the configuration was changed meanwhile, hold it again: {reason}"
        log.log(
            logging.INFO if reason is None else logging.ERROR, "drill %s", reason or f"passed in {took_s} s"
        )
        self._tell(held, "missed" if reason else "passed", reason=reason, stopped=dict(stopped or {}))
        self._book.end()
        self._held = None
        self._remember()

    def _tell(self, held: _Held, state: str, **more: Any) -> None:
        """What changed; the disk decides nothing here."""
        progress = {
            "drill_id": held.request.drill_id,
            "state": state,
            "begun_ns": held.begun_ns,
            "left_out": dict(held.script.left_out),
            "acts": [_shown(one, held.script.judges.get(one.act.name)) for one in self._book.passages],
            **more,
        }
        if progress != self._told:
            self._told = progress
            self._notes.write("progress", lambda: self._folder.tell(progress))

    def _remember(self) -> None:
        self._notes.write("record", lambda: self._folder.remember(self._record))

    def _say(self) -> None:
        record = self._record
        self._part.note(
            held=self._held is not None, passed=record.passed, missed=record.missed, took_s=record.took_s
        )
        if record.passed_utc_ns is not None:
            self._part.note(passed_utc_ns=record.passed_utc_ns)
        fault = self._fault or self._notes.fault
        if fault is None:
            self._part.set(State.OK)
        else:
            self._part.set(State.DEGRADED, *fault)

    @property
    def _fault(self) -> tuple[str, str] | None:
        """Reason and code."""
        record = self._record
        if record.reason is not None:
            return f"the last drill was missed: {record.reason}", record.code or "missed"
        if self._every_h is not None and record.overdue:
            return f"no drill passed for more than {self._every_h * SLACK:g} hours", "overdue"
        return None


def _looks(passage: Passage) -> str:
    return (
        f"of {passage.taken} pictures {passage.looked} were looked at and {passage.showing} showed somebody"
    )


def _shown(passage: Passage, judge: str | None) -> dict[str, Any]:
    return {
        "act": passage.act.name,
        "rule": passage.act.rule,
        "source": passage.act.source,
        "model": judge,
        "alert_id": passage.alert_id,
        "at_ns": dict(passage.at_ns),
        "way": list(passage.act.way),
        "stopped_at": passage.stopped_at,
        "taken": passage.taken,
        "looked": passage.looked,
        "showing": passage.showing,
    }
