"""How far the alerts of a drill have come; written by every thread that they pass."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgeguard.types import Alert, AlertState, Observation

SEEN = ("captured", "inferred", "noticed", "decided", "committed", "published", "acknowledged")
"""The way of what is seen, as the daemon knows it; at its end a subscriber has `received` it."""
HEARD = tuple(place for place in SEEN if place != "inferred")
"""Of what is heard: models take sound in pieces that are nobody's alone."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happens in a drill, and the alert that shall follow."""

    name: str
    rule: str
    source: str
    way: tuple[str, ...] = SEEN


@dataclass(frozen=True, slots=True)
class Passage:
    """How far one act has come."""

    act: Act
    at_ns: Mapping[str, int] = field(default_factory=dict)
    """Monotonic times, by place."""
    alert_id: str | None = None
    taken: int = 0
    """Pictures or chunks that its source gave."""
    looked: int = 0
    """Pictures that were analysed, ..."""
    showing: int = 0
    """... and those of them with somebody in it."""
    refusal: str | None = None
    """What the broker said instead of taking it."""

    @property
    def stopped_at(self) -> str | None:
        """The first place that it did not reach; None if it reached them all."""
        reached = [self.act.way.index(place) for place in self.at_ns if place in self.act.way]
        after = self.act.way[max(reached, default=-1) + 1 :]
        return after[0] if after else None


class DrillBook:
    """Of the drill that goes on; empty while none does. For any thread, and cheap while there is none."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._passages: dict[str, Passage] = {}
        self._answers: dict[int, tuple[int, str | None]] = {}
        """What the broker said of messages, by id: it may come before their sender knows that."""
        self._sent: dict[int, str] = {}
        self._unready: set[str] = set()
        self._begun_ns = self._lasts_ns = 0
        self._plays_until_ns: int | None = None
        """None: not all sources are ready yet."""
        self.running = False

    def begin(self, acts: Sequence[Act], lasts_ns: int, now_ns: int = 0) -> None:
        """It plays for so long, from the moment on at which all its sources are ready."""
        with self._lock:
            self._passages = {act.name: Passage(act) for act in acts}
            self._answers, self._sent = {}, {}
            self._unready = {act.source for act in acts}
            self._lasts_ns, self._plays_until_ns = lasts_ns, None
            self._begun_ns = now_ns
            self.running = True

    def end(self) -> None:
        with self._lock:
            self.running = False

    def wants(self, source: str) -> bool:
        """Whether the source shall get ready."""
        return self.running and source in self._unready

    def ready(self, source: str, now_ns: int) -> None:
        """Picture and sound begin together: a busy machine takes its time to draw the first one."""
        with self._lock:
            self._unready.discard(source)
            if not self._unready and self._plays_until_ns is None:
                self._plays_until_ns = now_ns + self._lasts_ns

    @property
    def waits(self) -> bool:
        """Whether it goes on and does not play yet."""
        return self.running and self._plays_until_ns is None

    def plays(self, now_ns: int) -> bool:
        """Whether there is something to see and to hear."""
        return self.running and self._plays_until_ns is not None and now_ns < self._plays_until_ns

    @property
    def passages(self) -> tuple[Passage, ...]:
        """Of the drill that goes on, or that was last."""
        with self._lock:
            return tuple(self._passages.values())

    def took(self, source: str, now_ns: int) -> None:
        """The source gave a picture or a chunk. When the act itself was captured, its alert says."""
        with self._lock:
            for passage in self._of(source):
                self._set(self._reach(passage, "captured", now_ns), taken=passage.taken + 1)

    def looked(self, source: str, now_ns: int, found: int) -> None:
        """A picture was analysed, and so many were in it."""
        with self._lock:
            for passage in self._of(source):
                looked, showing = passage.looked + 1, passage.showing + bool(found)
                self._set(self._reach(passage, "inferred", now_ns), looked=looked, showing=showing)

    def noticed(self, observation: Observation, now_ns: int) -> None:
        with self._lock:
            for passage in self._by_rule(observation.rule):
                self._set(self._reach(passage, "noticed", now_ns))

    def decided(self, alert: Alert, now_ns: int) -> None:
        """The first alert of an act is the one that counts; the last words on one of the drill before prove
        nothing, nor does what was captured before this one began."""
        captured_ns = alert.stages.arrived_ns
        if alert.state is AlertState.CLOSED or (captured_ns is not None and captured_ns < self._begun_ns):
            return
        with self._lock:
            for passage in self._by_rule(alert.rule):
                if passage.alert_id is None:
                    self._set(self._reach(passage, "decided", now_ns), alert_id=alert.alert_id)

    def to_commit(self) -> tuple[str, ...]:
        """Alerts of which nobody knows yet that the disk has them."""
        if not self.running:
            return ()
        return tuple(
            one.alert_id for one in self.passages if one.alert_id is not None and "committed" not in one.at_ns
        )

    def committed(self, alert_id: str, stages: Mapping[str, int | None], now_ns: int) -> None:
        """With the times that the alert itself tells."""
        told = {
            "captured": stages.get("arrived_ns"),
            "inferred": stages.get("infer_end_ns"),
            "noticed": stages.get("ruled_ns"),
            "decided": stages.get("decided_ns"),
            "committed": stages.get("committed_ns") or now_ns,
        }
        with self._lock:
            for passage in self._by_alert(alert_id):
                known = {
                    place: ns for place, ns in told.items() if ns is not None and place in passage.act.way
                }
                self._set(replace(passage, at_ns={**passage.at_ns, **known}))

    def published(self, alert_id: str, mid: int, now_ns: int) -> None:
        with self._lock:
            for passage in self._by_alert(alert_id):
                self._set(self._reach(passage, "published", now_ns))
            self._sent[mid] = alert_id
            if mid in self._answers:
                self._judge(mid)

    def answered(self, mid: int, now_ns: int, refusal: str | None) -> None:
        """The broker took the message of that id, or said why not."""
        with self._lock:
            self._answers[mid] = (now_ns, refusal)
            if mid in self._sent:
                self._judge(mid)

    def _judge(self, mid: int) -> None:
        now_ns, refusal = self._answers[mid]
        for passage in self._by_alert(self._sent[mid]):
            if refusal is None:
                self._set(self._reach(passage, "acknowledged", now_ns), refusal=None)
            else:
                self._set(passage, refusal=refusal)

    def _of(self, source: str) -> list[Passage]:
        return [one for one in self._passages.values() if self.running and one.act.source == source]

    def _by_rule(self, rule: str | None) -> list[Passage]:
        return [one for one in self._passages.values() if self.running and one.act.rule == rule]

    def _by_alert(self, alert_id: str) -> list[Passage]:
        return [one for one in self._passages.values() if self.running and one.alert_id == alert_id]

    def _reach(self, passage: Passage, place: str, now_ns: int) -> Passage:
        """The first time counts."""
        return replace(passage, at_ns={place: now_ns, **passage.at_ns})

    def _set(self, passage: Passage, **members: object) -> None:
        self._passages[passage.act.name] = replace(passage, **members)  # type: ignore[arg-type]
