"""What a connection to a broker looks like from here: its events, its protocol, where it leads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

ValueT = TypeVar("ValueT", covariant=True)

RECEIVE_MAXIMUM = 65_535
"""What a broker allows that names no limit (MQTT 5, section 3.2.2.3.3)."""


@dataclass(frozen=True, slots=True)
class Connected:
    """The broker accepted us; what was unacknowledged before is forgotten."""

    receive_maximum: int = RECEIVE_MAXIMUM
    """How many unacknowledged messages the broker allows."""


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker answered this connection's subscriptions: from here on what is told arrives."""

    refused: tuple[str, ...] = ()
    """Each filter that it did not take, with its reason."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection ended or an attempt at one failed; the link goes on trying."""

    reason: str


@dataclass(frozen=True, slots=True)
class Acked:
    """The broker answered one message (PUBACK)."""

    mid: int
    reason_code: int
    """MQTT 5: 0 stored, 16 nobody subscribes, 128 and above refused. MQTT 3.1.1: always 0.

    The link itself answers 149 for what is larger than the broker takes, with a `mid` below 0.
    """
    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """A message came in on a subscription."""

    topic: str
    body: bytes
    retained: bool
    response_topic: str | None = None
    """Where the sender wants the answer (MQTT 5)."""
    correlation: bytes | None = None
    """What the answer shall carry, so that the sender knows it (MQTT 5)."""
    settle: Callable[[], object] | None = field(default=None, compare=False, repr=False)
    """Where the broker keeps the message until it hears that it is in safe hands: says so. Any thread may
    call it, once; without a call the message comes again, at the next connection."""


LinkEvent = Connected | Subscribed | Disconnected | Acked | Received


class Link(Protocol):
    """A broker connection that reconnects by itself, and hands each event to the `notify` it was built with.

    `notify` is called on the link's own thread and must return at once; but for what the link itself answers,
    with a negative message id: that comes within `publish`.
    """

    def start(self) -> None:
        """Begin connecting; returns at once."""

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        """Send at QoS 1; the message id that `Acked` will name, or None if it was not taken."""

    def close(self) -> None:
        """Send what was taken, then disconnect for good; returns at once, `Disconnected` follows."""


class Inbox(Protocol[ValueT]):
    """The receiving end of a channel."""

    def get_all(self, timeout_s: float | None = None) -> Sequence[ValueT]:
        """Everything that waits, oldest first; waits up to `timeout_s` for something."""


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom to trust and who we are; the broker's certificate and name are always verified.

    The files are read at every connect.
    """

    ca_file: Path | None = None
    """None: the system's authorities."""
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A broker and how to present ourselves to it."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    read_password: Callable[[], str | None] | None = field(default=None, repr=False, compare=False)
    """Reads it at every connect instead, so that another one needs no restart; OSError: the attempt fails."""
    tls: Tls | None = None
    protocol: str = "mqtt5"
    """`mqtt5` or `mqtt311`."""
    keepalive_s: int = 20
    session_expiry_s: int = 86_400
    """How long the broker keeps our session while we are away; 0: not at all."""
    reconnect_s: tuple[float, float] = (1.0, 30.0)
    """First and longest wait between attempts, before jitter."""
    fallbacks: tuple[tuple[str, int], ...] = ()
    """Hosts and ports that are tried in turn, whenever a connection fails or ends."""


@dataclass(frozen=True, slots=True)
class Will:
    """The retained message by which the broker tells that we vanished."""

    topic: str
    body: bytes
    delay_s: int = 10
    """Rides over a reconnect (MQTT 5)."""
