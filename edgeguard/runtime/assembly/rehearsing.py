"""A configuration made into everything it asks for, without any of it being started."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgeguard.alerts.link import Tls
from edgeguard.alerts.tls import check
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config.guarding import cut_off
from edgeguard.errors import ConfigError, EdgeGuardError
from edgeguard.models import load_catalog
from edgeguard.models.exported import find_exported
from edgeguard.runtime.assembly.answering import webhook_of
from edgeguard.runtime.assembly.house import House
from edgeguard.runtime.assembly.modelling import detectors_of, store_of


def rehearse(before: Config, after: Config, clock: Clock) -> None:
    """Raises ConfigError with all that `after` asks for and cannot have; what `before` lacks is no news."""
    if before.state_dir != after.state_dir:
        raise ConfigError(
            "state_dir cannot change while the service runs: stop it, move the folder, start it"
        )
    lacking = set(_lacking(after, clock)) - set(_lacking(before, clock))
    if (why := cut_off(before, after)) is not None:
        lacking.add(why)
    try:
        House(after, clock).rehearse()
    except EdgeGuardError as error:
        lacking.add(str(error))
    if lacking:
        raise ConfigError("\n".join(sorted(lacking)))


def _lacking(config: Config, clock: Clock) -> Iterator[str]:
    for read in _secrets(config, clock):
        try:
            read()
        except ConfigError as error:
            yield str(error)
    store, catalog = store_of(config), load_catalog()
    for name in sorted(detectors_of(config)):
        try:
            find_exported(store, catalog.card(name))
        except EdgeGuardError as error:
            yield str(error)
    for name in sorted(_listening(config)):
        try:
            store.path(catalog.card(name))
        except EdgeGuardError as error:
            yield str(error)


def _secrets(config: Config, clock: Clock) -> list[Callable[[], object]]:
    webhook, tls = config.escalation.webhook, config.mqtt.tls
    sources = [*config.cameras.values(), *config.microphones.values()]
    return [
        *([] if webhook.url is None else [lambda: webhook_of(webhook, clock)]),
        config.mqtt.password,
        *([lambda: check(Tls(*tls.places()))] if tls.enabled else []),
        *(source.credentials for source in sources if source.enabled),
    ]


def _listening(config: Config) -> set[str]:
    microphones = [one for one in config.microphones.values() if one.enabled]
    speech, sounds = config.speech, config.sounds
    wanted: set[str | None] = set()
    if speech.enabled and any(one.speech for one in microphones):
        wanted |= {speech.model, speech.vad.model, speech.keyword_model}
    if sounds.enabled and any(one.sounds for one in microphones):
        wanted.add(sounds.model)
    return {model for model in wanted if model is not None}
