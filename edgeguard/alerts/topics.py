"""Where messages go: version first, device at a fixed level, direction explicit."""

from __future__ import annotations

import re
from dataclasses import dataclass

from edgeguard.errors import ConfigError

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NO_WORD = re.compile(r"[^A-Za-z0-9_.-]|^$")
_UP = re.compile(r"edgeguard/v1/([^/]+)/([^/]+)/up/(status|health|alert)(?:/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one device. Raises ConfigError for a name that cannot stand in a topic."""

    site: str
    device: str

    def __post_init__(self) -> None:
        _check_word("site", self.site)
        _check_word("device", self.device)

    @property
    def status(self) -> str:
        return self._up("status")

    @property
    def health(self) -> str:
        return self._up("health")

    def alert(self, source: str, kind: str) -> str:
        """Never raises: what cannot stand in a topic becomes `-`, since an alert must go out."""
        return self._up(f"alert/{_NO_WORD.sub('-', source)}/{_NO_WORD.sub('-', kind)}")

    def _up(self, rest: str) -> str:
        return f"edgeguard/v1/{self.site}/{self.device}/up/{rest}"


def _check_word(what: str, word: str) -> None:
    if not _WORD.fullmatch(word):
        raise ConfigError(
            f"{what} is {word!r}; use 1 to 64 letters, digits, '-', '_' or '.', a letter or digit first"
        )


def up_filter(site: str = "+", device: str = "+") -> str:
    """The subscription to all that devices tell."""
    return f"edgeguard/v1/{site}/{device}/up/#"


def sender(topic: str) -> tuple[str, str, str] | None:
    """(site, device, message name) of an up topic; None for any other."""
    match = _UP.fullmatch(topic)
    return (match[1], match[2], match[3]) if match else None
