"""Where pictures and sound come from, as a URL: no commands, no pipelines."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema

from edgeguard.config.secrets import MASK, masked_query
from edgeguard.config.section import folder_of

_VIDEO_DEVICE = re.compile(r"/dev/(video\d+|v4l/by-(id|path)/[\w.:+-]+)")
_SOUND_DEVICE = re.compile(r"(default|sysdefault|hw|plughw|dsnoop|pulse|pipewire)(:[\w=,.-]+)?", re.ASCII)
_SENSOR = re.compile(r"[0-9]{1,2}", re.ASCII)
_SCENE = re.compile(r"[a-z0-9][a-z0-9_-]*(\?[a-z0-9_=&.-]*)?")


@dataclass(frozen=True, slots=True, repr=False)
class SourceUrl:
    """A source's address apart from its credentials. `str` and `repr` are safe to show."""

    scheme: str
    address: str
    """The URL without user and password; its query may hold secrets still."""
    username: str | None = None
    password: str | None = None

    def __str__(self) -> str:
        userinfo = "" if self.username is None else f"{MASK}@"
        return masked_query(self.address.replace("://", f"://{userinfo}", 1))

    __repr__ = __str__

    @property
    def is_rtsp(self) -> bool:
        return self.scheme in ("rtsp", "rtsps")


def _rtsp(scheme: str, rest: str, _folder: Path) -> SourceUrl:
    parts = _split(f"{scheme}://{rest}")
    if parts is None or not parts.hostname:
        raise ValueError(
            f"expected {scheme}://host[:port]/path without blanks; percent-encode what is not a letter or "
            "digit in a password, or better put it in password_file"
        )
    if not parts.netloc.rpartition("@")[1]:
        return SourceUrl(scheme, parts.geturl())
    if MASK in (parts.username, parts.password):
        raise ValueError(f"expected credentials, not the {MASK} that is shown in their place")
    address = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    password = None if parts.password is None else unquote(parts.password)
    return SourceUrl(scheme, address, unquote(parts.username or ""), password)


def _split(url: str) -> SplitResult | None:
    """The parts of a URL, None if it is none; urllib's own messages would show the password.

    An @ behind the host is none either: it ends a password with a / or ? in it.
    """
    if not re.fullmatch(r"[\x21-\x7e]+", url):
        return None
    try:
        parts = urlsplit(url)
        valid = parts.port != 0 and "@" not in parts.path + parts.query + parts.fragment
    except ValueError:
        return None
    return parts if valid else None


def _file(scheme: str, rest: str, folder: Path) -> SourceUrl:
    path = unquote(rest)
    if not path or not path.isprintable():
        raise ValueError("expected file:// and a path, which may be relative to the configuration file")
    return SourceUrl(scheme, (folder / path).as_uri())


def _matching(pattern: re.Pattern[str], words: str) -> Callable[[str, str, Path], SourceUrl]:
    def read(scheme: str, rest: str, _folder: Path) -> SourceUrl:
        if not pattern.fullmatch(rest):
            raise ValueError(f"expected {words}")
        return SourceUrl(scheme, f"{scheme}://{rest}")

    return read


_READERS: dict[str, Callable[[str, str, Path], SourceUrl]] = {
    "rtsp": _rtsp,
    "rtsps": _rtsp,
    "file": _file,
    "v4l2": _matching(_VIDEO_DEVICE, "a video device such as v4l2:///dev/video0"),
    "csi": _matching(_SENSOR, "the number of a Jetson's camera port such as csi://0"),
    "alsa": _matching(_SOUND_DEVICE, "a sound card such as alsa://default or alsa://plughw:1,0"),
    "scene": _matching(_SCENE, "the name of a drawn scene such as scene://yard"),
}


def _reader(schemes: Collection[str]) -> Callable[[Any, ValidationInfo], SourceUrl]:
    def read(value: Any, info: ValidationInfo) -> SourceUrl:
        if isinstance(value, SourceUrl):
            return value
        return _read(value, schemes, folder_of(info))

    return read


def _read(value: Any, schemes: Collection[str], folder: Path) -> SourceUrl:
    scheme, separator, rest = value.partition("://") if isinstance(value, str) else ("", "", "")
    if not separator or scheme not in schemes:
        choice = ", ".join(f"{scheme}://" for scheme in schemes)
        raise ValueError(f"expected a URL that begins with one of {choice}")
    return _READERS[scheme](scheme, rest, folder)


def _json_schema(schemes: Iterable[str]) -> dict[str, Any]:
    words = "a URL that begins with one of " + ", ".join(f"{scheme}://" for scheme in schemes)
    return {"type": "string", "pattern": f"^({'|'.join(schemes)})://.", "patternErrorMessage": words}


_CAMERA = ("rtsp", "rtsps", "file", "v4l2", "csi", "scene")
_MICROPHONE = ("alsa", "rtsp", "rtsps", "file", "scene")
CameraUrl = Annotated[
    SourceUrl,
    PlainValidator(_reader(_CAMERA)),
    PlainSerializer(lambda url: str(url)),
    WithJsonSchema(_json_schema(_CAMERA)),
]
MicrophoneUrl = Annotated[
    SourceUrl,
    PlainValidator(_reader(_MICROPHONE)),
    PlainSerializer(lambda url: str(url)),
    WithJsonSchema(_json_schema(_MICROPHONE)),
]


def why_refused(url: str, section: Literal["cameras", "microphones"]) -> str | None:
    """What a source of that section would be told of its URL; None where it may have it."""
    try:
        _read(url, _CAMERA if section == "cameras" else _MICROPHONE, Path.cwd())
    except ValueError as error:
        return str(error)
    return None
