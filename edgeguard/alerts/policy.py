"""From observations to alerts: which are told, how often, and when they are over.

A rule's observations belong to lives: one life per rule, source and key (a track, a zone, a keyword).

- BEGAN opens an alert, CONTINUES updates it, ENDED closes it. A life that is first let through while it
  continues (its schedule begins, its cooldown ends) opens then.
- INSTANT opens an alert that is closed from the start: one revision, and none will follow.
- Confidence is the highest of the life so far; what an observation leaves out is kept from the one before.
- Cooldown counts from the time an alert closed, for its own life only.
- What a pattern `raises` is a further revision of that rule's alert, also of one that is just over: once per
  cooldown of the pattern for each alert. Where there is none, it opens one of its own.
- The schedule decides on opening; what is open is updated and closed at any hour.

Cooldowns and updates follow the observations' own time, so that a clip played faster than real time gives
the same alerts. Silence follows the clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from edgeguard.alerts.raising import Raises, Reason, concerned
from edgeguard.alerts.schedule import Schedule
from edgeguard.alerts.summary import sentence
from edgeguard.clock import Clock
from edgeguard.types import Alert, AlertState, ClipRef, Measure, Observation, Phase, Severity, Stages


@dataclass(frozen=True, slots=True)
class AlertRule:
    """How the observations of one configured rule become alerts."""

    name: str
    severity: Severity
    cooldown_s: float = 0.0
    """How long a closed alert keeps the same life from opening another."""
    update_every_s: float = 10.0
    """The least time between two revisions of an open alert."""
    close_after_s: float = 30.0
    """An open alert closes after this long without an observation."""
    schedule: Schedule | None = None
    """None: at any time."""
    drill: bool = False
    raises: Raises | None = None
    """Whose alert is raised instead of one of its own."""


_MOST_OVER = 64
"""Alerts that are over and that a pattern may still raise."""
LifeKey = tuple[str, str, str]
"""Rule name, source, observation key."""


@dataclass(slots=True)
class _Life:
    rule: AlertRule
    alert: Alert
    """The latest revision."""
    told_pts_ns: int
    """Observation time of `alert`."""
    last: Observation
    heard_ns: int
    """When `last` came, by the clock."""
    measures: tuple[Measure, ...]
    """The newest of the rule itself."""
    reason: Reason | None = None
    """What raised it."""


class Policy:
    """Decides; owned by one thread."""

    def __init__(self, rules: Mapping[str, AlertRule], clock: Clock, new_id: Callable[[], str]) -> None:
        self._rules = dict(rules)
        self._may_be_raised = {rule.raises.rule for rule in rules.values() if rule.raises}
        self._clock = clock
        self._new_id = new_id
        self._lives: dict[LifeKey, _Life] = {}
        self._over: deque[_Life] = deque(maxlen=_MOST_OVER)
        self._cooldowns: dict[LifeKey, int] = {}
        self._newest_pts_ns: dict[str, int] = {}

    def update(self, observation: Observation) -> list[Alert]:
        """The alert revisions that this observation causes; none for what no configured rule asked for."""
        rule = self._rules.get(observation.rule or "")
        if rule is None:
            return []
        source = observation.source
        self._newest_pts_ns[source] = max(observation.pts_ns, self._newest_pts_ns.get(source, 0))
        key = (rule.name, source, observation.key)
        if rule.raises and (life := self._concerned(rule.raises, observation)):
            return self._raise(key, rule, life, observation)
        life = self._lives.get(key)
        if life is None or observation.phase is Phase.INSTANT:
            return self._open(key, rule, observation)
        life.last, life.heard_ns = observation, self._clock.monotonic_ns()
        if observation.phase is Phase.ENDED:
            return [self._close(key, life, observation.stages)]
        return self._continue(life)

    def refit(self, rules: Mapping[str, AlertRule]) -> list[Alert]:
        """Decide by these rules from now on; closes what was open by a rule that is no more."""
        self._rules = dict(rules)
        self._may_be_raised = {rule.raises.rule for rule in rules.values() if rule.raises}
        for life in self._lives.values():
            life.rule = rules.get(life.rule.name, life.rule)
        over = [(key, life) for key, life in self._lives.items() if life.rule.name not in rules]
        return [self._close(key, life, Stages()) for key, life in over]

    def tick(self) -> list[Alert]:
        """Close what fell silent, forget what is over; call about once a second."""
        now_ns = self._clock.monotonic_ns()
        self._cooldowns = {
            key: until_ns
            for key, until_ns in self._cooldowns.items()
            if until_ns > self._newest_pts_ns.get(key[1], 0)
        }
        silent = [
            (key, life)
            for key, life in self._lives.items()
            if now_ns - life.heard_ns >= _ns(life.rule.close_after_s)
        ]
        return [self._close(key, life, Stages()) for key, life in silent]

    def close_all(self) -> list[Alert]:
        """Close every open alert, because nobody will watch any more."""
        return [self._close(key, life, Stages()) for key, life in list(self._lives.items())]

    def attach(self, alert_id: str, evidence: tuple[ClipRef, ...], error: str | None = None) -> None:
        """Let the later revisions of an open alert carry this evidence, or why there is none."""
        for life in (*self._lives.values(), *self._over):
            if life.alert.alert_id == alert_id:
                life.alert = replace(life.alert, evidence=evidence, evidence_error=error)

    def _open(self, key: LifeKey, rule: AlertRule, observation: Observation) -> list[Alert]:
        if observation.phase is Phase.ENDED or not self._may_open(key, rule, observation):
            return []
        alert = self._first(rule, observation)
        if observation.phase is Phase.INSTANT:
            alert = replace(alert, closed_utc_ns=observation.utc_ns)
        heard_ns = self._clock.monotonic_ns()
        life = _Life(rule, alert, observation.pts_ns, observation, heard_ns, alert.measures)
        if observation.phase is Phase.INSTANT:
            self._cool_down(key, rule, observation)
            self._remember(life)
        else:
            self._lives[key] = life
        return [alert]

    def _remember(self, life: _Life) -> None:
        """It is over, and a pattern may still raise it."""
        if life.rule.name in self._may_be_raised:
            self._over.append(life)

    def _concerned(self, raises: Raises, found: Observation) -> _Life | None:
        """The alert that `found` raises, of those that are open or were until lately."""
        lately = [life for life in self._over if abs(found.pts_ns - life.last.pts_ns) <= _ns(raises.within_s)]
        lives = [life for life in (*self._lives.values(), *lately) if life.rule.name == raises.rule]
        alert = concerned((life.alert for life in lives), found)
        return next((life for life in lives if life.alert is alert), None)

    def _raise(self, key: LifeKey, rule: AlertRule, life: _Life, found: Observation) -> list[Alert]:
        again = (rule.name, found.source, life.alert.alert_id)
        if not self._may_open(again, rule, found):
            return []
        for cooled in (key, again):
            self._cool_down(cooled, rule, found)
        over = life.alert.closed_utc_ns is not None
        life.reason = Reason(found, rule.severity)
        life.alert = replace(
            self._next(life, AlertState.CLOSED if over else AlertState.UPDATED, found.stages),
            observed_utc_ns=max(found.utc_ns, life.alert.observed_utc_ns),
        )
        return [life.alert]

    def _may_open(self, key: LifeKey, rule: AlertRule, observation: Observation) -> bool:
        cooled = key not in self._cooldowns or observation.pts_ns >= self._cooldowns[key]
        return cooled and (rule.schedule is None or rule.schedule.covers(observation.utc_ns))

    def _continue(self, life: _Life) -> list[Alert]:
        if life.last.pts_ns - life.told_pts_ns < _ns(life.rule.update_every_s):
            return []
        life.alert = self._next(life, AlertState.UPDATED, life.last.stages)
        life.told_pts_ns = life.last.pts_ns
        return [life.alert]

    def _close(self, key: LifeKey, life: _Life, stages: Stages) -> Alert:
        del self._lives[key]
        self._cool_down(key, life.rule, life.last)
        closed = self._next(life, AlertState.CLOSED, stages)
        life.alert = replace(closed, closed_utc_ns=life.last.utc_ns)
        self._remember(life)
        return life.alert

    def _cool_down(self, key: LifeKey, rule: AlertRule, observation: Observation) -> None:
        if rule.cooldown_s > 0:
            self._cooldowns[key] = observation.pts_ns + _ns(rule.cooldown_s)

    def _first(self, rule: AlertRule, observation: Observation) -> Alert:
        return Alert(
            alert_id=self._new_id(),
            revision=1,
            state=AlertState.OPENED,
            kind=observation.kind,
            severity=rule.severity,
            source=observation.source,
            rule=rule.name,
            opened_utc_ns=observation.utc_ns,
            observed_utc_ns=observation.utc_ns,
            closed_utc_ns=None,
            confidence=observation.confidence,
            summary=_said(rule, observation),
            zone=observation.zone,
            label=observation.label,
            text=observation.text,
            track_ids=observation.track_ids,
            measures=observation.measures,
            joined=observation.joined,
            media_ns=observation.media_ns,
            stages=observation.stages,
            decided_ns=self._clock.monotonic_ns(),
            drill=rule.drill,
        )

    def _next(self, life: _Life, state: AlertState, stages: Stages) -> Alert:
        last = life.last
        life.measures = last.measures or life.measures
        alert = replace(
            life.alert,
            revision=life.alert.revision + 1,
            state=state,
            observed_utc_ns=last.utc_ns,
            confidence=max(last.confidence, life.alert.confidence),
            summary=_said(life.rule, last),
            label=last.label or life.alert.label,
            text=last.text or life.alert.text,
            track_ids=last.track_ids or life.alert.track_ids,
            measures=life.measures,
            media_ns=last.media_ns,
            stages=stages,
            decided_ns=self._clock.monotonic_ns(),
        )
        return life.reason.told(alert) if life.reason else alert


def _said(rule: AlertRule, observation: Observation) -> str:
    """Whoever reads only this shall know an exercise for one."""
    return f"drill: {sentence(observation)}" if rule.drill else sentence(observation)


def _ns(seconds: float) -> int:
    return round(seconds * 1_000_000_000)
