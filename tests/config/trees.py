"""Configurations to begin with."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from edgeguard.config import Config, parse
from edgeguard.errors import ConfigError

TRIANGLE = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]


def tree(**sections: Any) -> dict[str, Any]:
    """A small valid configuration, in which `sections` replace what is there."""
    small: dict[str, Any] = {
        "site": "harbour",
        "device": "guard-1",
        "cameras": {
            "gate": {
                "url": "rtsp://192.0.2.10/stream",
                "zones": {"dock": {"polygon": TRIANGLE}},
                "lines": {"entrance": {"start": [0.1, 0.5], "end": [0.9, 0.5]}},
            }
        },
        "microphones": {"gate-mic": {"url": "alsa://default"}},
        "speech": {"keywords": [{"phrase": "help me"}]},
        "schedules": {"night": [{"from": "22:00", "to": "06:00"}]},
        "mqtt": {"host": "127.0.0.1"},
    }
    return small | sections


def camera(**keys: Any) -> dict[str, Any]:
    """The small configuration with `keys` in its camera."""
    small = tree()
    return small | {"cameras": {"gate": small["cameras"]["gate"] | keys}}


def rule(**keys: Any) -> dict[str, Any]:
    """The small configuration with one rule, a `zone_entered` unless `keys` say otherwise."""
    usual = {"kind": "zone_entered", "name": "r", "camera": "gate", "zone": "dock"}
    return tree(rules=[usual | keys])


def built(values: Any) -> Config:
    return parse(yaml.safe_dump(values, allow_unicode=True), "test.yaml")


def refusal(values: Any) -> str:
    """The message with which a configuration, given as text or values, is refused."""
    text = values if isinstance(values, str) else yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    with pytest.raises(ConfigError) as caught:
        parse(text, "test.yaml")
    return str(caught.value)


def faults(values: Any) -> list[str]:
    """The same, one entry per line, without file and line number."""
    return [line.split(": ", 1)[1] for line in refusal(values).splitlines()]
