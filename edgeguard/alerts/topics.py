"""Where messages go: version first, device at a fixed level, direction explicit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgeguard.errors import ConfigError

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NO_WORD = re.compile(r"[^A-Za-z0-9_.-]|^$")
_DEVICE = r"edgeguard/v1/([^/]+)/((?!(?:up|down)/)[^/]+)"
_TOLD = r"(status|clock|config)|(health)(?:/past)?|(alert|counts|coverage|result)/.*"
_UP = re.compile(_DEVICE + rf"/up/(?:{_TOLD})", re.DOTALL)
_ANY_UP = re.compile(_DEVICE + r"/up/(.+)", re.DOTALL)
_DOWN = re.compile(_DEVICE + r"/down/(receipt|command|config|ack)(?:/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device. Raises ConfigError for a name that cannot stand in a topic."""

    site: str
    device: str

    def __post_init__(self) -> None:
        _check_word("site", self.site)
        _check_word("device", self.device)
        if self.device in ("up", "down"):
            raise ConfigError(
                f"device is {self.device!r}, which stands for a direction in topics; use another"
            )

    @property
    def status(self) -> str:
        return self._up("status")

    @property
    def health(self) -> str:
        return self._up("health")

    def alert(self, source: str, kind: str) -> str:
        """Never raises: what cannot stand in a topic becomes `-`, since an alert must go out."""
        return self._up(f"alert/{_NO_WORD.sub('-', source)}/{_NO_WORD.sub('-', kind)}")

    def alerts_of(self, source: str) -> str:
        """The subscription to all alerts of a source."""
        return self.alert(source, "-").removesuffix("-") + "#"

    @property
    def health_past(self) -> str:
        """Durable records of health, from when nobody could be told."""
        return self._up("health/past")

    @property
    def clock(self) -> str:
        return self._up("clock")

    def coverage(self, day: str) -> str:
        """Of a day that is over, such as 2026-11-28."""
        return self._up(f"coverage/{_NO_WORD.sub('-', day)}")

    def counts(self, source: str) -> str:
        return self._up(f"counts/{_NO_WORD.sub('-', source)}")

    @property
    def config(self) -> str:
        """Which configuration is in effect."""
        return self._up("config")

    def result(self, request_id: str) -> str:
        return self._up(f"result/{_NO_WORD.sub('-', request_id)}")

    @property
    def receipt(self) -> str:
        return self._down("receipt")

    @property
    def ack(self) -> str:
        return self._down("ack")

    @property
    def config_desired(self) -> str:
        return self._down("config")

    def command(self, verb: str) -> str:
        return self._down(f"command/{_NO_WORD.sub('-', verb)}")

    @property
    def down_filter(self) -> str:
        """The subscription to all that is said to the device."""
        return self._down("#")

    def _down(self, rest: str) -> str:
        return f"edgeguard/v1/{self.site}/{self.device}/down/{rest}"

    def _up(self, rest: str) -> str:
        return f"edgeguard/v1/{self.site}/{self.device}/up/{rest}"


def is_word(text: str) -> bool:
    """Whether it can be one level of a topic, and name a site, a device or a user at the broker."""
    return bool(_WORD.fullmatch(text))


def _check_word(what: str, word: str) -> None:
    if not is_word(word):
        raise ConfigError(
            f"{what} is {word!r}; use 1 to 64 letters, digits, '-', '_' or '.', a letter or digit first"
        )


def up_filter(site: str = "+", device: str = "+") -> str:
    """The subscription to all that devices tell."""
    return f"edgeguard/v1/{site}/{device}/up/#"


def sender(topic: str) -> tuple[str, str, str] | None:
    """(site, device, message name) of an up topic of this version; None for any other."""
    return _parts(_UP, topic)


def speaker(topic: str) -> tuple[str, str, str] | None:
    """(site, device, the levels after `up`) of what any version may tell; None for any other topic."""
    parts = _parts(_ANY_UP, topic)
    return parts if parts and is_word(parts[0]) and is_word(parts[1]) else None


def addressee(topic: str) -> tuple[str, str, str] | None:
    """(site, device, message name) of a down topic; None for any other."""
    parts = _parts(_DOWN, topic)
    return (*parts[:2], "config_desired") if parts and parts[2] == "config" else parts


def _parts(pattern: re.Pattern[str], topic: str) -> tuple[str, str, str] | None:
    match = pattern.fullmatch(topic)
    return (match[1], match[2], match[match.lastindex or 3]) if match else None
