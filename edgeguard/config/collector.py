"""The collector's own file: where alerts come from, where they are kept, who may read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.mqtt import Broker, Host, is_loopback
from edgeguard.config.secrets import read_secret
from edgeguard.config.section import DERIVED, Level, Location, Section, Text, pattern
from edgeguard.config.service import LogLines

_POSTGRESQL = r"^postgresql://[A-Za-z0-9_.-]+@[A-Za-z0-9_.:\[\]-]*/[A-Za-z0-9_-]+(\?host=/[A-Za-z0-9_./-]+)?$"
_HOST_OF_URL = re.compile(r"@\[?([^/\]]*?)\]?(?::[0-9]+)?/")
DatabaseUrl = Annotated[
    str,
    pattern(
        _POSTGRESQL,
        "postgresql://USER@HOST:PORT/NAME or postgresql://USER@/NAME?host=/SOCKET/FOLDER, without a password",
    ),
]


class Amqp(Section):
    """RabbitMQ only: read a queue over AMQP 0-9-1 in place of MQTT, from the hosts of `mqtt`, with its login
    and TLS; without a user name the certificate is the login."""

    queue: Text | None = None
    """The quorum queue that holds what devices tell, such as edgeguard; null: MQTT."""
    port: int = Field(default=DERIVED, ge=1, le=65_535)
    """TCP port. Without it: 5671 with TLS, 5672 without."""
    vhost: Text = "/"
    """Virtual host of the queue."""


class Database(Section):
    """Where what devices tell is kept."""

    url: DatabaseUrl | None = None
    """A PostgreSQL server, such as postgresql://edgeguard@db.example/edgeguard; null: a SQLite file in
    `state_dir`, for one collector."""
    password_file: Location | None = None
    """File whose first line is the database user's password; chmod 600: refused if others can read it."""
    ca_file: Location | None = None
    """PEM file with the authorities that vouch for the database's certificate; null: the system's. A server
    on another machine must speak TLS."""

    @property
    def host(self) -> str:
        """The server's host; empty for a socket or a SQLite file."""
        found = _HOST_OF_URL.search(self.url or "")
        return found[1] if found else ""

    def password(self) -> str | None:
        """The password, read now. Raises ConfigError."""
        return None if self.password_file is None else read_secret(self.password_file)


class Retention(Section):
    """For how long it is kept. What is older goes, a little at a time."""

    days: int = Field(default=90, ge=1, le=36_500)
    """Days for which alerts are kept after their last revision came."""
    unacknowledged_days: int = Field(default=365, ge=1, le=36_500)
    """Days for which an alarm or critical alert is kept that nobody acknowledged; never less than `days`."""
    health_days: int = Field(default=30, ge=1, le=36_500)
    """Days for which past health, refused messages and answers to commands are kept."""
    most_alerts: int = Field(default=1_000_000, ge=1000, le=1_000_000_000)
    """Alerts, and refused messages, that are kept at most; beyond it the oldest go first, unacknowledged
    alarms last."""


class Http(Section):
    """The reading side, for dashboards that do not want MQTT."""

    enabled: bool = True
    """Whether it is served."""
    host: Host = "127.0.0.1"
    """Address to listen on. Any other than this machine's own needs a certificate."""
    port: int = Field(default=8643, ge=0, le=65_535)
    """TCP port; 0: a free one, which the log names."""
    tokens_file: Location | None = None
    """Who may read and who may acknowledge: written by `edgeguard token`. Null: `tokens` in `state_dir`."""
    cert_file: Location | None = None
    """PEM file with the server's certificate, to serve HTTPS; null: plain HTTP."""
    key_file: Location | None = Field(default=None, validate_default=True)
    """PEM file with the certificate's private key."""
    allow_plaintext: bool = Field(default=False, validate_default=True)
    """Whether tokens and alerts may travel unencrypted from another address than this machine's own."""

    @field_validator("key_file")
    @classmethod
    def _goes_with_the_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "cert_file" in info.data and (info.data["cert_file"] is None) != (value is None):
            raise ValueError("expected both cert_file and key_file, or neither")
        return value

    @field_validator("allow_plaintext")
    @classmethod
    def _not_in_the_clear(cls, allowed: bool, info: ValidationInfo) -> bool:
        host = info.data.get("host", "127.0.0.1")
        if not (allowed or info.data.get("cert_file") or is_loopback(host)):
            raise ValueError(
                f"is false and there is no cert_file, but {host} can be reached from other machines; "
                "expected cert_file and key_file, or host 127.0.0.1 behind a reverse proxy, or true where "
                "that is acceptable"
            )
        return allowed


class CollectorConfig(Section):
    """The configuration of EdgeGuard's collector."""

    name: Level = Field(examples=["centre-1"])
    """Name of this collector, unique at the broker; devices see it in receipts."""
    state_dir: Location = Path("/var/lib/edgeguard-collector")
    """Folder for the SQLite database, the tokens and the lock."""
    mqtt: Broker = Field(examples=[{}])
    """The broker that devices tell."""
    amqp: Amqp = Field(default=Amqp(), validate_default=True)
    """RabbitMQ only: read a queue over AMQP 0-9-1 in place of MQTT."""
    database: Database = Database()
    """Where what devices tell is kept."""
    retention: Retention = Retention()
    """For how long it is kept."""
    http: Http = Field(default=Http(), validate_default=True)
    """The reading side, for dashboards that do not want MQTT."""
    heartbeat_s: float = Field(default=10.0, ge=1, le=3600)
    """Seconds between the health messages of the slowest device (its `health.interval_s`); after three of
    them without a word a device counts as silent."""
    gap_s: float = Field(default=30.0, ge=1, le=86_400)
    """Seconds after which a missing number counts as a gap, and the device is asked for it."""
    log: LogLines = LogLines()
    """What the service writes down while it runs."""

    @field_validator("mqtt")
    @classmethod
    def _named_client(cls, mqtt: Broker, info: ValidationInfo) -> Broker:
        if mqtt.client_id is not None:
            return mqtt
        return mqtt.model_copy(update={"client_id": f"edgeguard-collector-{info.data.get('name')}"})

    @field_validator("amqp")
    @classmethod
    def _by_tls(cls, amqp: Amqp, info: ValidationInfo) -> Amqp:
        if amqp.port is not None or "mqtt" not in info.data:
            return amqp
        return amqp.model_copy(update={"port": 5671 if info.data["mqtt"].tls.enabled else 5672})

    @field_validator("http")
    @classmethod
    def _placed(cls, http: Http, info: ValidationInfo) -> Http:
        if http.tokens_file is not None or "state_dir" not in info.data:
            return http
        return http.model_copy(update={"tokens_file": info.data["state_dir"] / "tokens"})
