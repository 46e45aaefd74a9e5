"""What is allowed but probably not meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeguard.config import patterns, rules
from edgeguard.config.root import Config
from edgeguard.config.secrets import place_of
from edgeguard.config.source import Source
from edgeguard.files import check_private

_BY_RULES = {"zone_entered", "zone_left", "line_crossed", "loitering", "crowd", "person_down"}


def advice(config: Config) -> list[str]:
    """One sentence for each thing to look at; reads the modes of the files that the configuration names."""
    return [*_idle(config), *_secrets(config), *_exposed(config)]


def _idle(config: Config) -> Iterator[str]:
    """Parts that can never do anything."""
    sources: list[Source] = [*config.cameras.values(), *config.microphones.values()]
    if not any(source.enabled for source in sources):
        yield "cameras, microphones: none is enabled, so nothing is watched"
    if not any(one.enabled for one in (*config.rules, *config.patterns)):
        yield "rules: none is enabled, so no alert will ever be raised"
    for index, rule in enumerate(config.rules):
        if rule.enabled and (why := _why_silent(config, rule)):
            yield f"rules[{index}]: {rule.name} can never raise an alert: {why}"
    for index, pattern in enumerate(config.patterns):
        if pattern.enabled and (why := _why_unmet(config, pattern)):
            yield f"patterns[{index}]: {pattern.name} can never raise an alert: {why}"


def _why_unmet(config: Config, pattern: patterns.PatternSection) -> str | None:
    match pattern:
        case patterns.Together():
            needed = pattern.of
        case patterns.Sequence():
            needed = pattern.steps
        case patterns.Repeated():
            needed = (pattern.of,)
        case _:
            return None
    return next((why for term in needed if (why := _why_unnoticed(config, term))), None)


def _why_unnoticed(config: Config, term: patterns.Term) -> str | None:
    """Why nothing can fit the term."""
    if any(rule.name == term.rule and not rule.enabled for rule in config.rules):
        return f"rule {term.rule} is not enabled"
    if term.kind == "presence":
        asked = term.sources or tuple(config.cameras)
        return None if any(config.cameras[name].enabled for name in asked) else "no camera of it is enabled"
    what = {"sound": "sounds", "keyword": "speech", "intent": "speech", "utterance": "speech"}.get(term.kind)
    if what is None:
        return _why_untold(config, term)
    if not getattr(config, what).enabled:
        return f"{what}.enabled is false"
    ears = [ear for name, ear in config.microphones.items() if not term.sources or name in term.sources]
    if any(ear.enabled and getattr(ear, what) for ear in ears):
        return None
    return f"no microphone that it may use is enabled, with `{what}` on"


def _why_untold(config: Config, term: patterns.Term) -> str | None:
    """Of what rules on pictures alone notice."""
    if term.kind not in _BY_RULES or any(_may_tell(config, rule, term) for rule in config.rules):
        return None
    return f"no rule of kind {term.kind} that it may use is enabled"


def _may_tell(config: Config, rule: rules.Rule, term: patterns.Term) -> bool:
    return (
        isinstance(rule, rules.SceneRule)
        and (rule.kind, rule.enabled) == (term.kind, True)
        and (term.rule is None or rule.name == term.rule)
        and (not term.sources or rule.camera in term.sources)
        and term.zone in (None, getattr(rule, "zone", getattr(rule, "line", None)))
        and _why_silent(config, rule) is None
    )


def _why_silent(config: Config, rule: rules.Rule) -> str | None:
    if isinstance(rule, rules.SceneRule) and not config.cameras[rule.camera].enabled:
        return f"camera {rule.camera} is not enabled"
    if isinstance(rule, rules.PersonDown):
        sought = config.cameras[rule.camera].detector.classes
        return None if {*rule.classes} & {*sought} else f"camera {rule.camera} looks for none of its classes"
    if not isinstance(rule, rules.HeardRule):
        return None
    by_words = isinstance(rule, rules.Keyword) or bool(getattr(rule, "keywords", ()))
    if isinstance(rule, rules.Intent):
        return _why_not_understood(config, rule)
    if isinstance(rule, rules.MicrophoneFault):
        return _why_unchecked(config, rule)
    by_sounds = isinstance(rule, rules.Sound) or bool(getattr(rule, "tags", ()))
    reasons = [_why_wordless(config, rule)] * by_words + [_why_deaf(config, rule)] * by_sounds
    return None if None in reasons else reasons[0]


def _why_wordless(config: Config, rule: rules.HeardRule) -> str | None:
    if not config.speech.enabled:
        return "speech.enabled is false"
    if not config.speech.keywords:
        return "speech.keywords is empty"
    return _why_unheard(config, rule, "speech")


def _why_not_understood(config: Config, rule: rules.Intent) -> str | None:
    if not config.speech.enabled:
        return "speech.enabled is false"
    if not config.speech.understanding.enabled:
        return "speech.understanding.enabled is false"
    return _why_unheard(config, rule, "speech")


def _why_unchecked(config: Config, rule: rules.MicrophoneFault) -> str | None:
    ears = config.microphones
    asked = [rule.microphone] if rule.microphone else list(ears)
    if any(ears[name].enabled and ears[name].checks.enabled for name in asked):
        return None
    return "no microphone that it may use is enabled, with `checks` on"


def _why_deaf(config: Config, rule: rules.HeardRule) -> str | None:
    return _why_unheard(config, rule, "sounds") if config.sounds.enabled else "sounds.enabled is false"


def _why_unheard(config: Config, rule: rules.HeardRule, what: str) -> str | None:
    ears = config.microphones
    asked = [rule.microphone] if rule.microphone else list(ears)
    if any(ears[name].enabled and getattr(ears[name], what) for name in asked):
        return None
    return f"no microphone that it may use is enabled, with `{what}` on"


def _secrets(config: Config) -> Iterator[str]:
    for key, named, is_secret in named_files(config):
        path = place_of(named)
        try:
            path.stat()
            if is_secret:
                check_private(path)
        except OSError as error:
            yield f"{key}: cannot use {path}: {error.strerror}"


def named_files(config: Config) -> Iterator[tuple[str, Path, bool]]:
    """Key, path and whether it holds a secret, of each file that the configuration names."""
    for section, sources in (("cameras", config.cameras), ("microphones", config.microphones)):
        for name, source in sources.items():
            if source.password_file:
                yield f"{section}.{name}.password_file", source.password_file, True
            if source.ca_file:
                yield f"{section}.{name}.ca_file", source.ca_file, False
    if config.mqtt.password_file:
        yield "mqtt.password_file", config.mqtt.password_file, True
    tls = config.mqtt.tls
    for key, path in (("ca_file", tls.ca_file), ("cert_file", tls.cert_file), ("key_file", tls.key_file)):
        if path:
            yield f"mqtt.tls.{key}", path, key == "key_file"
    webhook = config.escalation.webhook
    if webhook.secret_file:
        yield "escalation.webhook.secret_file", webhook.secret_file, True
    if webhook.ca_file:
        yield "escalation.webhook.ca_file", webhook.ca_file, False
    drill = config.drill
    for key, path in (("password", drill.password_file), ("cert", drill.cert_file), ("key", drill.key_file)):
        if path:
            yield f"drill.{key}_file", path, key != "cert"


def _exposed(config: Config) -> Iterator[str]:
    for section, sources in (("cameras", config.cameras), ("microphones", config.microphones)):
        for name, source in sources.items():
            if source.url.password is not None:
                yield f"{section}.{name}.url: holds a password; put it in a password_file of its own"
    if config.mqtt.allow_plaintext and not config.mqtt.tls.enabled:
        yield "mqtt.allow_plaintext: alerts and the broker's password travel unencrypted"
