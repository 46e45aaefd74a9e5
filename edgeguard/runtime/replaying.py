"""What other rules would have made of what was noticed.

A log may go through several starts of the box, each with a monotonic time of its own, and through steps of
UTC: `ReplayTime` makes one time of them. Schedules go by UTC as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from edgeguard.clock import ManualClock
from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.runtime.assembly.awaiting import phrases
from edgeguard.runtime.assembly.fusing import fuser, policy
from edgeguard.runtime.replay_time import ReplayTime
from edgeguard.types import Alert, AlertState, Observation

_STEP_NS = 1_000_000_000
_STEPS = 60
"""Seconds of a gap that are walked through one by one, for what falls silent; the rest is one step."""
_AFTER_S = 60.0
_HEARD = (kinds.Keyword, kinds.Sound, kinds.Intent, kinds.MicrophoneFault)
"""Rules that choose among what is noticed anyway: any such rule can be replayed."""


@dataclass(slots=True)
class Replay:
    """The alerts of one configuration; `run` it once, then look at what else it tells."""

    config: Config
    unseen: set[str] = field(default_factory=set)
    """Rules on pictures of which the log holds nothing: it cannot tell what they would have noticed."""

    def run(self, observations: Iterable[Observation]) -> Iterator[Alert]:
        """Alerts in the order in which they would have been opened, each as bad as patterns made it since."""
        told: dict[str, Alert] = {}
        for alert in self._revisions(observations):
            if alert.alert_id not in told:
                told[alert.alert_id] = alert
            elif alert.joined:
                told[alert.alert_id] = replace(alert, state=AlertState.OPENED)
        yield from told.values()

    def _revisions(self, observations: Iterable[Observation]) -> Iterator[Alert]:
        clock = ManualClock(0, 0)
        numbers = itertools.count(1)
        joining = fuser(self.config)
        deciding = policy(self.config, clock, lambda: f"replayed-{next(numbers)}")
        rules = [rule for rule in self.config.rules if rule.enabled]
        self.unseen = {rule.name for rule in rules if not isinstance(rule, (*_HEARD, kinds.HeardAndSeen))}

        def decide(noticed: Iterable[Observation]) -> Iterator[Alert]:
            return itertools.chain.from_iterable(deciding.update(one) for one in noticed)

        def advance(until_ns: int, ahead_ns: int) -> Iterator[Alert]:
            for now_ns in _steps(clock.now_ns, until_ns):
                clock.now_ns = now_ns
                yield from decide(joining.tick(now_ns, now_ns - ahead_ns))
                deciding.tick()

        ahead_ns = 0
        for observation in _of_rules(observations, self.config):
            self.unseen.discard(observation.rule or "")
            ahead_ns = observation.pts_ns - observation.utc_ns
            yield from advance(observation.pts_ns, ahead_ns)
            yield from decide(joining.update(observation))
        yield from advance(clock.now_ns + round(_AFTER_S * 1e9), ahead_ns)
        yield from decide(joining.finish())


def _steps(now_ns: int, until_ns: int) -> Iterator[int]:
    if now_ns == 0:
        yield until_ns
        return
    walked = range(now_ns + _STEP_NS, min(until_ns, now_ns + _STEPS * _STEP_NS), _STEP_NS)
    yield from walked
    if until_ns > now_ns:
        yield until_ns


def _of_rules(observations: Iterable[Observation], config: Config) -> Iterator[Observation]:
    """On one time, each with the rules of `config` that ask for it, as the daemon would have it."""
    last: Observation | None = None
    time = ReplayTime()
    for observation in observations:
        seen = replace(observation, pts_ns=time.at(observation))
        if seen.kind not in _CHOSEN:
            if (rule := _rule(config, seen.rule)) is None or _reaches(rule, seen):
                yield seen
        elif last is None or replace(seen, rule=last.rule) != last:  # told once for each rule that asked
            last = seen
            asking: list[str | None] = [
                rule.name for rule in config.rules if rule.enabled and _asks(config, rule, seen)
            ]
            yield from (replace(seen, rule=name) for name in asking or [None])


_CHOSEN = {"keyword", "sound", "intent", "microphone_fault"}


def _rule(config: Config, name: str | None) -> kinds.Rule | None:
    return next((rule for rule in config.rules if rule.name == name), None)


def _asks(config: Config, rule: kinds.Rule, seen: Observation) -> bool:
    if not isinstance(rule, _HEARD) or rule.kind != seen.kind or rule.microphone not in (None, seen.source):
        return False
    match rule:
        case kinds.Keyword():
            return seen.label in phrases(config, rule.keywords)
        case kinds.Sound():
            return rule.tags is None or seen.label in rule.tags
        case kinds.Intent():
            usual = config.speech.understanding.urgency
            asked = usual if rule.urgency is None else rule.urgency
            return seen.confidence >= asked and (rule.intents is None or seen.label in rule.intents)
        case kinds.MicrophoneFault():
            return rule.faults is None or seen.label in rule.faults
    return False


def _reaches(rule: kinds.Rule, seen: Observation) -> bool:
    """Whether this rule's thresholds would let it be noticed, where they are higher than they were."""
    measured = {measure.name: measure.value for measure in seen.measures}
    for name in ("dwell_s", "count", "ratio", "for_s"):
        least, value = getattr(rule, name, None), measured.get(name)
        if least is not None and value is not None and float(value) < least:
            return False
    wanted = getattr(rule, "classes", None)
    return wanted is None or seen.label is None or seen.label in (*wanted, "motion")
