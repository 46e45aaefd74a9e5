"""A link without a broker, for tests, drills and demonstrations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edgeguard.alerts.link import RECEIVE_MAXIMUM, Acked, Connected, Disconnected, LinkEvent, Received


@dataclass(frozen=True, slots=True)
class Publication:
    """A message that was sent."""

    mid: int
    topic: str
    body: bytes
    retain: bool
    correlation: bytes | None = None


class FakeLink:
    """A `Link` that keeps what is published and answers as told.

    `answer` gives the reason code for a publication, or None to leave it unacknowledged.
    """

    def __init__(
        self,
        notify: Callable[[LinkEvent], object],
        answer: Callable[[Publication], int | None] = lambda _publication: 0,
    ) -> None:
        self.publications: list[Publication] = []
        self.answer = answer
        self._notify = notify
        self._connected = False

    def start(self) -> None:
        self.connect()

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        if not self._connected:
            return None
        publication = Publication(len(self.publications) + 1, topic, body, retain, correlation)
        self.publications.append(publication)
        reason_code = self.answer(publication)
        if reason_code is not None:
            self.acknowledge(publication.mid, reason_code)
        return publication.mid

    def close(self) -> None:
        self.disconnect("closed")

    def connect(self, receive_maximum: int = RECEIVE_MAXIMUM) -> None:
        """The broker accepts."""
        self._connected = True
        self._notify(Connected(receive_maximum))

    def disconnect(self, reason: str) -> None:
        """The broker goes away."""
        self._connected = False
        self._notify(Disconnected(reason))

    def acknowledge(self, mid: int, reason_code: int = 0) -> None:
        """The broker answers one message."""
        self._notify(Acked(mid, reason_code, f"reason code {reason_code}"))

    def deliver(
        self,
        topic: str,
        body: bytes,
        *,
        retained: bool = False,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """A message comes in."""
        self._notify(Received(topic, body, retained, response_topic, correlation))
