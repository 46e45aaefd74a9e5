"""The other end of a drill: asks the service for one, listens at the broker, says what it heard."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from edgeguard.client import Client, Told
from edgeguard.clock import Clock
from edgeguard.errors import UnavailableError
from edgeguard.runtime.drill_folder import DrillFolder, DrillRequest, Verdict

_LOOK_S = 0.2
_CONNECT_NS = 5_000_000_000
_TAKEN_NS = 10_000_000_000
_LATE_NS = 5_000_000_000
"""How long an alert may take from the broker that took it to its subscriber."""
_END_NS = 5_000_000_000
_BESIDE = {("acknowledged", "received"): ("published", "received")}
"""The broker answers its sender and its subscribers at the same time."""


@dataclass(frozen=True, slots=True)
class Played:
    """One act, and how its alert came through."""

    act: str
    rule: str
    source: str
    model: str | None
    alert_id: str | None
    stopped_at: str | None
    """The place that it did not reach; None: the subscriber received it."""
    after_ms: Mapping[str, float]
    """When it was at each place, in milliseconds after it was captured."""
    took_ms: Mapping[str, float]
    """How long the way to each place took from the one before."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a drill."""

    drill_id: str
    ok: bool
    took_s: float
    reason: str | None
    acts: tuple[Played, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


class DrillSession:
    """`client` hears the alerts of the drill; it is started here."""

    def __init__(self, client: Client, folder: DrillFolder, clock: Clock, timeout_s: float) -> None:
        self._client = client
        self._folder = folder
        self._clock = clock
        self._timeout_s = timeout_s
        self._drill_id = str(uuid4())
        self._received: dict[str, int] = {}
        """When each alert of a drill came, by its id."""
        self._listened = False

    def hold(self) -> Result:
        """Raises UnavailableError if no drill can be held now, StorageError if none can be asked for."""
        with self._folder.alone(), self._client:
            self._listen(lambda: self._listened, _CONNECT_NS)
            begun_ns = self._clock.monotonic_ns()
            self._ask()
            self._listen(self._heard_all, round(self._timeout_s * 1e9))
            took_s = (self._clock.monotonic_ns() - begun_ns) / 1e9
            return self._result(took_s, self._judge())

    def _ask(self) -> None:
        self._folder.ask(DrillRequest(self._drill_id, self._timeout_s, self._clock.utc_ns()))
        self._listen(lambda: self._progress is not None, _TAKEN_NS)
        if self._progress is None:
            self._folder.withdraw()
            raise UnavailableError(
                "the service does not answer: it does not run with this configuration, it holds a drill "
                "already, or drill.enabled is false there"
            )

    @property
    def _progress(self) -> dict[str, Any] | None:
        """What the service tells of this drill."""
        progress = self._folder.progress()
        return progress if progress is not None and progress.get("drill_id") == self._drill_id else None

    def _heard_all(self) -> bool:
        """Everything that will come, so that there is nothing to wait for."""
        progress = self._progress or {}
        if progress.get("state") != "running":
            return True
        lost = [act for act in progress["acts"] if act["alert_id"] not in self._received]
        if not lost:
            return True
        at_ns = [act["at_ns"].get("acknowledged") for act in lost]
        now_ns = self._clock.monotonic_ns()
        return all(ns is not None and now_ns - ns > _LATE_NS for ns in at_ns)

    def _listen(self, enough: Callable[[], bool], longest_ns: int) -> None:
        until_ns = self._clock.monotonic_ns() + longest_ns
        while self._clock.monotonic_ns() < until_ns:
            for news in self._client.receive(_LOOK_S):
                if isinstance(news, Told) and news.name == "alert" and news.body["drill"]:
                    self._received.setdefault(news.body["alert_id"], self._clock.monotonic_ns())
            self._listened = self._listened or self._client.disconnected is None
            if enough():
                return

    def _judge(self) -> dict[str, Any]:
        """Say what was heard; the service has the last word."""
        reason = None if self._listened else self._client.disconnected
        self._folder.judge(Verdict(self._drill_id, self._received, reason))
        self._listen(lambda: (self._progress or {}).get("state") != "running", _END_NS)
        return self._progress or {}

    def _result(self, took_s: float, progress: dict[str, Any]) -> Result:
        state, reason = progress.get("state"), progress.get("reason")
        if state not in ("passed", "missed"):
            reason = "the service does not say what became of it"
        return Result(
            self._drill_id,
            state == "passed",
            round(took_s, 3),
            reason,
            tuple(self._played(act) for act in progress.get("acts", ())),
            progress.get("left_out", {}),
        )

    def _played(self, act: dict[str, Any]) -> Played:
        at_ns: dict[str, int] = dict(act["at_ns"])
        received_ns = self._received.get(act["alert_id"])
        if received_ns is not None:
            at_ns["received"] = received_ns
        stopped_at = None if received_ns is not None else act["stopped_at"] or "received"
        way = [place for place in (*act["way"], "received") if place in at_ns]
        begun_ns = at_ns[way[0]] if way else 0
        return Played(
            **{name: act[name] for name in ("act", "rule", "source", "model", "alert_id")},
            stopped_at=stopped_at,
            after_ms={place: _ms(at_ns[place] - begun_ns) for place in way},
            took_ms={
                place: _ms(at_ns[place] - at_ns[before])
                for before, place in (_BESIDE.get(pair, pair) for pair in itertools.pairwise(way))
            },
        )


def _ms(ns: int) -> float:
    return round(ns / 1e6, 1)
