"""A configuration as others may see it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sized
from typing import Any

import yaml

from edgeguard.config.root import Config
from edgeguard.wording import counted


def masked(config: Config) -> dict[str, Any]:
    """Every key as it is in effect, in plain values, without secrets."""
    return config.model_dump(mode="json", by_alias=True)


def shown(config: Config) -> str:
    """The same as a YAML file."""
    return yaml.safe_dump(masked(config), sort_keys=False, allow_unicode=True)


def summary(config: Config) -> str:
    """What it has, such as `2 cameras, 1 microphone, 5 rules`."""
    parts: list[tuple[str, Sized]] = [
        ("cameras", config.cameras),
        ("microphones", config.microphones),
        ("rules", config.rules),
        *([("patterns", config.patterns)] if config.patterns else []),
    ]
    return ", ".join(counted(len(part), name) for name, part in parts)


def fingerprint(config: Config) -> str:
    """SHA-256 (hex) of the configuration in effect, secrets left out: the same for the same behaviour."""
    canonical = json.dumps(masked(config), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
