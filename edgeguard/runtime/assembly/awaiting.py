"""What rules and patterns wait to hear, and from which microphone."""

from __future__ import annotations

from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.patterns import terms_of
from edgeguard.config.source import enabled
from edgeguard.types import drill

_HEARD_BY = {"keyword": "speech", "intent": "speech", "utterance": "speech", "sound": "sounds"}
"""The part of health without which a kind of observation is never made."""


def _is_about(rule: kinds.HeardRule, microphone: str) -> bool:
    """A rule on any microphone is about all that are real."""
    return rule.microphone == microphone or (rule.microphone is None and microphone != drill.MICROPHONE)


def awaited(config: Config) -> frozenset[str]:
    """What rules and patterns wait for, of any microphone: `speech`, `sounds`."""
    return frozenset().union(*(awaited_of(config, name) for name in enabled(config.microphones)))


def rules_about(config: Config, microphone: str) -> list[kinds.HeardRule]:
    """Those on it alone, and those on any."""
    return [
        rule
        for rule in config.rules
        if rule.enabled and isinstance(rule, kinds.HeardRule) and _is_about(rule, microphone)
    ]


def awaited_of(config: Config, microphone: str) -> frozenset[str]:
    """What its rules, and patterns that it may be part of, wait for; the drill's wait for nothing."""
    if microphone == drill.MICROPHONE:
        return frozenset()
    rules = rules_about(config, microphone)
    terms = [term for pattern in config.patterns if pattern.enabled for term in terms_of(pattern)]
    asked = [rule.kind for rule in rules]
    asked += [term.kind for term in terms if term.sources is None or microphone in term.sources]
    for rule in rules:
        if isinstance(rule, kinds.HeardAndSeen):
            asked += [kind for kind, some in (("sound", rule.tags), ("keyword", rule.keywords)) if some]
    heard = config.microphones[microphone]
    wanted = {"speech": heard.speech, "sounds": heard.sounds}
    return frozenset(name for kind, name in _HEARD_BY.items() if kind in asked and wanted[name])


def phrases(config: Config, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """What is to be heard for the keywords of these names; for all of them if None."""
    keywords = config.speech.keywords
    return tuple(keyword.phrase for keyword in keywords if names is None or keyword.name in names)
