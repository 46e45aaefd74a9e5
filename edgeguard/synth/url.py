"""Reads `scene://` addresses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from edgeguard.errors import SourceError

SCHEME = "scene"
LIMITS = {"seed": (0, 2**32 - 1), "fps": (1, 60), "width": (160, 1920), "height": (90, 1080)}


@dataclass(frozen=True, slots=True)
class SceneUrl:
    """What may be said about a scene."""

    name: str
    seed: int = 1
    fps: int = 10
    """At which pictures are to be taken; the scene itself has none."""
    width: int = 640
    height: int = 360

    def __str__(self) -> str:
        settings = "&".join(f"{key}={getattr(self, key)}" for key in LIMITS)
        return f"{SCHEME}://{self.name}?{settings}"


def parse(url: str, names: Iterable[str]) -> SceneUrl:
    """Raises SourceError for anything but the address of one of the scenes `names`."""
    try:
        parts = urlsplit(url)
        settings = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise SourceError(f"{url!r} is not an address: {error}") from error
    if parts.scheme != SCHEME:
        raise SourceError(f"{url!r} is not a scene: expected {SCHEME}://NAME, such as {SCHEME}://yard")
    if parts.path.strip("/") or parts.fragment:
        extra = parts.path + ("#" + parts.fragment if parts.fragment else "")
        raise SourceError(f"{url!r}: nothing is expected after the scene's name, got {extra!r}")
    name = _known(url, "scene", parts.netloc, sorted(names))
    return SceneUrl(
        name, **{key: _number(url, _known(url, "setting", key, LIMITS), text) for key, text in settings}
    )


def _known(url: str, what: str, word: str, known: Iterable[str]) -> str:
    if word in known:
        return word
    close = difflib.get_close_matches(word, known, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise SourceError(f"{url!r}: there is no {what} {word!r}; {hint}there is {', '.join(known)}")


def _number(url: str, key: str, text: str) -> int:
    low, high = LIMITS[key]
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(high)) else -1
    if not low <= number <= high:
        raise SourceError(f"{url!r}: {key} is {text!r}, expected a whole number from {low} to {high}")
    return number
