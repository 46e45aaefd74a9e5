"""What cameras and microphones have in common: where they are and how they are reached."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.secrets import read_secret
from edgeguard.config.section import Location, Section, Text
from edgeguard.config.url import SourceUrl


class Source(Section):
    """A camera or a microphone. `url` comes first: the other keys are judged by it."""

    url: SourceUrl
    enabled: bool = True
    """Whether it is used at all."""
    username: Text | None = None
    """RTSP user; null: none."""
    password_file: Location | None = None
    """File whose first line is the RTSP password; chmod 600: refused if others can read or change it."""
    transport: Literal["tcp", "udp"] = "tcp"
    """RTSP transport: `tcp` loses nothing, `udp` may be quicker on a clean network."""
    latency_ms: int = Field(default=200, ge=0, le=10_000)
    """RTSP jitter buffer, in milliseconds."""
    ca_file: Location | None = None
    """rtsps:// only. PEM file with the certificate to trust: the one that the camera made itself, or the
    authority's that signed it; the host name is not compared then. null: the system's authorities, and the
    name must be the host's."""
    connect_s: float = Field(default=10, gt=0, le=300)
    """Seconds after which a source that gives nothing since it was opened is opened anew."""
    stall_s: float = Field(default=10, gt=0, le=300)
    """Seconds after which one that gave something, and gives nothing more, is opened anew. More than 10 says
    that it pauses for so long: it is not called blind or deaf before."""
    retry_max_s: float = Field(default=30, ge=1, le=3600)
    """Longest pause between two tries; the first are 1, 2, 5 and 10 seconds apart. A refused login is not
    tried again for a minute, because cameras lock accounts out."""
    pace: Literal["realtime", "fast"] = "realtime"
    """file:// and scene:// only. `realtime`: as it was taken; `fast`: as quickly as it can be analysed."""
    offset_ms: int = Field(default=0, ge=-60_000, le=60_000)
    """Milliseconds by which its times are late: so much is taken from them where observations of several
    sources are joined. A sound that is stamped half a second after its picture has 500."""
    loop: bool = False
    """file:// only: begin again at the end."""

    def credentials(self) -> tuple[str, str] | None:
        """User and password, read now; None if the source needs none. Raises ConfigError."""
        if self.password_file is not None:
            return self.username or "", read_secret(self.password_file)
        username = self.username or self.url.username
        return None if username is None else (username, self.url.password or "")

    @field_validator("username", "password_file")
    @classmethod
    def _said_once(cls, value: Any, info: ValidationInfo) -> Any:
        url = _url(info)
        if value is not None and url and not url.is_rtsp:
            raise ValueError(f"expected none: {url.scheme}:// sources have no login")
        if value is not None and url and url.username is not None:
            raise ValueError("expected the credentials in one place: the URL has some already")
        return value

    @field_validator("password_file")
    @classmethod
    def _belongs_to_a_user(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None and info.data.get("username", "") is None:
            raise ValueError("expected a username beside it")
        return value

    @field_validator("ca_file")
    @classmethod
    def _only_with_tls(cls, value: Any, info: ValidationInfo) -> Any:
        url = _url(info)
        if value is not None and url and url.scheme != "rtsps":
            raise ValueError(f"expected none: {url.scheme}:// sources have no certificate")
        return value

    @field_validator("transport")
    @classmethod
    def _only_rtsp(cls, value: str, info: ValidationInfo) -> str:
        url = _url(info)
        if value == "udp" and url and not url.is_rtsp:
            raise ValueError(f"expected tcp: {url.scheme}:// sources have no transport to choose")
        return value

    @field_validator("pace")
    @classmethod
    def _only_replayed(cls, value: str, info: ValidationInfo) -> str:
        url = _url(info)
        if value == "fast" and url and url.scheme not in ("file", "scene"):
            raise ValueError(f"expected realtime: {url.scheme}:// sources set the pace themselves")
        return value

    @field_validator("loop")
    @classmethod
    def _only_files(cls, value: bool, info: ValidationInfo) -> bool:
        url = _url(info)
        if value and url and url.scheme != "file":
            raise ValueError(f"expected false: {url.scheme}:// sources have no end to begin again at")
        return value


SourceT = TypeVar("SourceT", bound=Source)


def enabled(named: Mapping[str, SourceT]) -> dict[str, SourceT]:
    """Those that are used at all."""
    return {name: source for name, source in named.items() if source.enabled}


def _url(info: ValidationInfo) -> SourceUrl | None:
    """The URL, if it was valid."""
    url = info.data.get("url")
    assert url is None or isinstance(url, SourceUrl)
    return url
