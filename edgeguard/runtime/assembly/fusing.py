"""Rules and patterns, made into what joins observations and what decides on alerts.

The same for the daemon and for a replay of what it noticed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edgeguard.alerts.ids import Uuid7
from edgeguard.alerts.policy import AlertRule, Policy
from edgeguard.alerts.raising import Raises
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config import patterns as patterns_in
from edgeguard.config import rules as kinds
from edgeguard.fusion import (
    ALONE,
    Absent,
    Fuser,
    HeardAndSeen,
    Pattern,
    Repeated,
    Sequence,
    Term,
    Together,
    Witnessed,
)
from edgeguard.runtime.assembly.awaiting import phrases
from edgeguard.runtime.assembly.scheduling import schedule
from edgeguard.types import EVERYWHERE as EVERYWHERE
from edgeguard.types import Severity, drill

_UPDATE_S, _LASTING_UPDATE_S = 10.0, 3600.0
"""Between two revisions of an open alert; what may last for days is told less often."""


def fuser(config: Config) -> Fuser:
    """All that joins observations of this site."""
    rules = [rule for rule in config.rules if rule.enabled and isinstance(rule, kinds.HeardAndSeen)]
    patterns = [pattern for pattern in config.patterns if pattern.enabled]
    return Fuser(
        [_heard_and_seen(config, rule) for rule in rules],
        [_pattern(config, pattern) for pattern in patterns],
        settle_s=config.fusion.settle_s,
        offset_ns=_offsets(config),
        held=frozenset(one.rule for one in patterns if isinstance(one, patterns_in.Witnessed)),
    )


def policy(
    config: Config,
    clock: Clock,
    new_id: Callable[[], str] | None = None,
    more: Iterable[AlertRule] = (),
) -> Policy:
    """What decides on the alerts of all rules and patterns, and of `more`."""
    return Policy(alert_rules(config, more), clock, new_id or Uuid7(clock))


def alert_rules(config: Config, more: Iterable[AlertRule] = ()) -> dict[str, AlertRule]:
    """How the observations of all rules and patterns, and of `more`, become alerts; by rule."""
    rules = {rule.name: _alert_rule(config, rule) for rule in config.rules if rule.enabled}
    rules |= {rule.name: rule for rule in more}
    for pattern in config.patterns:
        if pattern.enabled:
            rules |= _alert_rules(config, pattern)
    return rules


def joined_by(config: Config) -> tuple[object, ...]:
    """What the fuser of `config` is made by: where it is the same, so is the fuser."""
    rules = [rule for rule in config.rules if rule.enabled and isinstance(rule, kinds.HeardAndSeen)]
    patterns = [pattern for pattern in config.patterns if pattern.enabled]
    if not patterns:
        return (rules,)
    sources = [*config.cameras, *config.microphones]
    return rules, patterns, config.fusion, _offsets(config), config.schedules, config.holidays, sources


def watched_zones(config: Config, camera: str) -> tuple[str | None, ...]:
    """Zones of the camera whose presence is joined with something; None is the whole picture."""
    rules = [rule for rule in config.rules if rule.enabled and isinstance(rule, kinds.HeardAndSeen)]
    terms = [term for one in config.patterns if one.enabled for term in patterns_in.terms_of(one)]
    mine = config.cameras[camera].zones
    asked = [
        term.zone
        for term in terms
        if term.kind == "presence" and (term.sources is None or camera in term.sources)
    ]
    zones = [*(rule.zone for rule in rules if rule.camera == camera), *asked]
    return tuple(dict.fromkeys(zone for zone in zones if zone is None or zone in mine))


def _offsets(config: Config) -> Mapping[str, int]:
    sources = {**config.cameras, **config.microphones}
    return {name: source.offset_ms * 1_000_000 for name, source in sources.items() if source.offset_ms}


def _heard_and_seen(config: Config, rule: kinds.HeardAndSeen) -> HeardAndSeen:
    spoken = phrases(config, rule.keywords)
    microphones = None if rule.microphone is None else frozenset({rule.microphone})
    return HeardAndSeen(
        rule.name,
        frozenset({*rule.tags, *spoken}),
        rule.camera,
        rule.zone,
        rule.within_s,
        seen=None if rule.classes is None else frozenset({*rule.classes, "motion"}),
        microphones=microphones,
    )


def _pattern(config: Config, one: patterns_in.PatternSection) -> Pattern:
    def terms(sections: tuple[patterns_in.Term, ...]) -> list[Term]:
        return [_term(config, section) for section in sections]

    match one:
        case patterns_in.Together():
            return Together(one.name, terms(one.of), one.within_s, terms(one.unless))
        case patterns_in.Sequence():
            return Sequence(one.name, terms(one.steps), one.within_s, terms(one.unless))
        case patterns_in.Repeated():
            return Repeated(one.name, _term(config, one.of), one.count, one.within_s)
        case patterns_in.Absent():
            armed = schedule(config, one.schedule)
            missed = _term(config, one.of)
            source = min(one.of.sources or [*config.cameras, *config.microphones])
            return Absent(one.name, missed, one.for_s, source, armed.covers if armed else None)
        case patterns_in.Witnessed():
            kind = next(rule.kind for rule in config.rules if rule.name == one.rule)
            alone = one.otherwise == "info"
            held = Term(kind, rule=one.rule)
            return Witnessed(one.name, held, terms(one.by), one.within_s, tell_alone=alone)
    raise TypeError(f"no pattern is built for the kind {one.kind}")


def _term(config: Config, term: patterns_in.Term) -> Term:
    labels = term.labels
    if labels is not None and term.kind == "keyword":
        labels = phrases(config, labels)
    seen = ("motion",) if term.kind == "presence" else ()  # without a model everything that moves counts
    return Term(
        term.kind,
        None if labels is None else frozenset({*labels, *seen}),
        None if term.sources is None else frozenset(term.sources),
        _zone(term),
        term.rule,
        term.confidence,
        term.text,
    )


def _zone(term: patterns_in.Term) -> str | None:
    """Who is in two zones of one camera is one witness where no zone is named."""
    return EVERYWHERE if term.kind == "presence" and term.zone is None else term.zone


def _alert_rule(config: Config, rule: kinds.Rule) -> AlertRule:
    lasting = isinstance(rule, kinds.Blind | kinds.Tampered)
    return AlertRule(
        rule.name,
        rule.severity,
        rule.cooldown_s,
        update_every_s=_LASTING_UPDATE_S if lasting else _UPDATE_S,
        schedule=schedule(config, rule.schedule),
        drill=rule.name in drill.RULES,
    )


def _alert_rules(config: Config, one: patterns_in.PatternSection) -> dict[str, AlertRule]:
    """By the rule that its observations name."""
    when = schedule(config, one.schedule)
    rules = {one.name: AlertRule(one.name, one.severity, one.cooldown_s, schedule=when, raises=_raises(one))}
    if isinstance(one, patterns_in.Witnessed) and one.otherwise == "info":
        rules[one.name + ALONE] = AlertRule(one.name, Severity.INFO, one.cooldown_s, schedule=when)
    return rules


def _raises(one: patterns_in.PatternSection) -> Raises | None:
    if isinstance(one, patterns_in.Raising) and one.raises is not None:
        return Raises(one.raises, one.within_s)
    return None
