"""Where alerts go."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from edgeguard.config.secrets import place_of, read_secret
from edgeguard.config.section import DERIVED, Distinct, Location, Section, Text, pattern

TLS_PORT, PLAIN_PORT = 8883, 1883
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")


ClientId = Annotated[str, pattern(r"^[A-Za-z0-9_-]{1,80}$", "1 to 80 letters, digits, - and _")]


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, so that what is sent there stays on it."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _host(host: str) -> str:
    try:
        ip_address(host)
    except ValueError:
        if len(host) > 253 or not _HOST.fullmatch(host):
            raise ValueError("expected a host name or address alone, without mqtt:// and port") from None
    return host


Host = Annotated[str, AfterValidator(_host)]


class Tls(Section):
    """Encryption. The broker's certificate and name are always verified.

    The files are read at every connect, so that a renewed certificate needs no restart.
    """

    ca_file: Location | None = None
    """PEM file with the authorities to trust; null: the system's."""
    cert_file: Location | None = None
    """PEM file with this device's certificate, for brokers that ask for one; null: none."""
    key_file: Location | None = Field(default=None, validate_default=True)
    """PEM file with the certificate's private key; chmod 600: refused if others can read or change it."""
    enabled: bool = Field(default=False, validate_default=True)
    """Whether to encrypt. Brokers on other machines need it, unless `mqtt.allow_plaintext` says otherwise."""

    def places(self) -> tuple[Path | None, Path | None, Path | None]:
        """Where authorities, certificate and key are now: see `place_of`."""
        ca, cert, key = (path and place_of(path) for path in (self.ca_file, self.cert_file, self.key_file))
        return ca, cert, key

    @field_validator("key_file")
    @classmethod
    def _goes_with_the_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "cert_file" in info.data and (info.data["cert_file"] is None) != (value is None):
            raise ValueError("expected both cert_file and key_file, or neither")
        return value

    @field_validator("enabled")
    @classmethod
    def _files_are_used(cls, value: bool, info: ValidationInfo) -> bool:
        if not value and any(file is not None for file in info.data.values()):
            raise ValueError("expected true, because files for TLS are given")
        return value


class Broker(Section):
    """A broker, and how to present ourselves to it."""

    host: Host = Field(examples=["127.0.0.1"])
    """Name or address of the broker."""
    fallback_hosts: Distinct[Host] = ()
    """Further brokers, such as the other nodes of a cluster: whenever a connection fails or ends, the next is
    tried, in turn, with the same port, login and TLS."""
    allow_plaintext: bool = False
    """Whether alerts and passwords may travel unencrypted to a broker on another machine."""
    tls: Tls = Field(default=Tls(), validate_default=True)
    """Encryption; the broker's certificate and name are always verified."""
    port: int = Field(default=DERIVED, validate_default=True, ge=1, le=65_535)
    """TCP port. Without it: 8883 with TLS, 1883 without."""
    protocol: Literal["mqtt5", "mqtt311"] = "mqtt5"
    """MQTT 5 or 3.1.1. With 3.1.1 the broker cannot tell that it refused an alert, or that nobody listens."""
    client_id: ClientId = Field(default=DERIVED)
    """Client identifier, unique at the broker. Without it: `edgeguard-` and the names in this file."""
    username: Text | None = None
    """User at the broker; null: none."""
    password_file: Location | None = None
    """File whose first line is the password; chmod 600: refused if others can read it; null: none."""
    keepalive_s: int = Field(default=20, ge=5, le=3600)
    """Seconds between signs of life; a dead connection is noticed after about twice that."""

    def password(self) -> str | None:
        """The password, read now. Raises ConfigError."""
        return None if self.password_file is None else read_secret(self.password_file)

    @field_validator("tls")
    @classmethod
    def _not_in_the_clear(cls, tls: Tls, info: ValidationInfo) -> Tls:
        if tls.enabled or info.data.get("allow_plaintext", True):
            return tls
        hosts = (info.data.get("host"), *info.data.get("fallback_hosts", ()))
        for host in (host for host in hosts if host and not is_loopback(host)):
            raise ValueError(
                f"is not enabled, but {host} is another machine: alerts would be readable for everybody on "
                "the way; expected enabled: true, or mqtt.allow_plaintext: true where that is acceptable"
            )
        return tls

    @field_validator("port", mode="before")
    @classmethod
    def _by_tls(cls, port: Any, info: ValidationInfo) -> Any:
        if port is not None:
            return port
        tls = info.data.get("tls")
        return TLS_PORT if tls is not None and tls.enabled else PLAIN_PORT

    @field_validator("password_file")
    @classmethod
    def _belongs_to_a_user(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("username", "") is None:
            raise ValueError("expected a username beside it")
        return value


class Outbox(Section):
    """What waits on the disk until it is delivered. Beyond these bounds the least important gives way:
    records of health, then transcripts, then alerts of severity info, warning, and last alarm."""

    max_rows: int = Field(default=100_000, ge=100, le=10_000_000)
    """Messages that may wait."""
    max_bytes: int = Field(default=200_000_000, ge=1_000_000)
    """Bytes that they may take; the file itself may grow to about three times as much."""


class Mqtt(Broker):
    """The broker. Topics begin with edgeguard/v1/<site>/<device>."""

    custody: Literal["receipt", "puback"] = "puback"
    """Whose word lets the device forget a message: `receipt`, a collector's, once it is in its database; or
    `puback`, the broker's, for sites without a collector: a broker may forget what it acknowledged."""
    outbox: Outbox = Outbox()
    """What waits on the disk until it is delivered."""
    window: int = Field(default=800, ge=1, le=1000)
    """The most messages that may be on their way, not yet confirmed; fewer on a line that confirms late."""
    retry_s: float = Field(default=20.0, ge=1, le=3600)
    """Seconds after which an alert that was sent but not confirmed is sent again."""
    accept_config: bool = False
    """Whether another configuration may come by the broker, on down/config: whoever may write there then
    decides what is guarded. Only this file says so, and where things go."""
    counts: bool = True
    """Whether to tell, on each change, how many of each class every camera sees, all in all and by zone."""
