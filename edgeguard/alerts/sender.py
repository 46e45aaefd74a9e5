"""Between outbox and link: what is on the wire, what the broker said of it, when to send it again.

What is delivered is for the broker to say, by the reason code of its acknowledgement: 0 is delivered; 16
(nobody subscribes) and 128 and above (refused) are not, so the alert stays and is sent again, more and more
seldom. MQTT 3.1.1 has no reason codes: every acknowledgement counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from edgeguard.alerts.link import Acked, Connected, Disconnected, Link
from edgeguard.alerts.outbox import Entry, Outbox
from edgeguard.clock import Clock

NO_SUBSCRIBER = 16
REFUSED = 128
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that waits for its acknowledgement."""

    topic: str
    seq: int
    attempts: int
    expires_ns: int


class Sender:
    """Keeps at most `window` alerts unacknowledged; one that stays so for too long no longer counts."""

    def __init__(
        self,
        link: Link,
        final_body: Callable[[Entry], bytes],
        clock: Clock,
        window: int,
        ack_timeout_s: float,
        retry_s: float,
    ) -> None:
        self.disconnected: str | None = "not connected yet"
        """Why there is no connection; None if there is one."""
        self.delivered = 0
        """Alerts, since the start."""
        self._link = link
        self._final_body = final_body
        self._clock = clock
        self._most_in_flight = window
        self._window = window
        self._ack_timeout_s = ack_timeout_s
        self._retry_s = retry_s
        self._in_flight: dict[int, _Sent] = {}
        self._state_in_flight: dict[int, str] = {}
        self._send_all_again = False
        self._to_finish: set[int] = set()
        self._to_postpone: list[_Sent] = []
        self._to_hurry: set[str] = set()
        self._unheard: set[str] = set()
        self._refused: dict[str, str] = {}

    @property
    def busy(self) -> bool:
        """Something on the wire may still be answered."""
        return self.disconnected is None and bool(self._in_flight)

    @property
    def state(self) -> tuple[str, str | None]:
        """`disconnected`, `refused`, `no_subscriber` or `delivering`, and why."""
        if self.disconnected is not None:
            return "disconnected", self.disconnected
        for topic, reason in self._refused.items():
            return "refused", f"the broker refused {topic}: {reason}"
        for topic in self._unheard:
            return "no_subscriber", f"nobody subscribes to {topic}"
        return "delivering", None

    def connect(self, event: Connected) -> None:
        self._in_flight.clear()
        self._state_in_flight.clear()
        self.disconnected = None
        self._window = min(self._most_in_flight, event.receive_maximum)
        self._send_all_again = True

    def disconnect(self, event: Disconnected) -> None:
        self.disconnected = event.reason

    def acknowledge(self, event: Acked) -> None:
        """What the broker says of one message; of those of an earlier connection it says nothing."""
        sent = self._in_flight.pop(event.mid, None)
        if sent is not None:
            self._judge(sent, event)
        elif event.mid in self._state_in_flight:
            self._note_refusal(self._state_in_flight.pop(event.mid), event)

    def finish(self, seq: int) -> None:
        """The alert is in other hands: here by PUBACK; a consumer's receipt would call the same."""
        self._to_finish.add(seq)

    def retain(self, topic: str, body: bytes) -> None:
        """Publish state: retained, not repeated, lost if there is no connection."""
        mid = None if self.disconnected else self._link.publish(topic, body, retain=True)
        if mid is not None:
            self._state_in_flight[mid] = topic

    def send(self, outbox: Outbox) -> None:
        """Fill the window with what is due."""
        if self.disconnected is not None:
            return
        self._hurry(outbox)
        now_ns = self._clock.monotonic_ns()
        self._in_flight = {mid: sent for mid, sent in self._in_flight.items() if sent.expires_ns > now_ns}
        if len(self._in_flight) >= self._window:
            return
        busy = self._to_finish.union(sent.seq for sent in self._in_flight.values())
        for entry in outbox.due(now_ns, self._window + len(self._to_finish)):
            if len(self._in_flight) >= self._window:
                return
            if entry.seq not in busy and not self._send(entry, outbox):
                return

    def settle(self, outbox: Outbox) -> None:
        """Bring to the outbox what the acknowledgements said."""
        if self._to_finish:
            self.delivered += outbox.done(self._to_finish)
            self._to_finish.clear()
        for sent in self._to_postpone:
            outbox.postpone(sent.seq, self._later(self._retry_s, sent.attempts))
        self._to_postpone.clear()

    def _hurry(self, outbox: Outbox) -> None:
        if self._send_all_again:
            outbox.hurry()
            self._send_all_again = False
        for topic in self._to_hurry:
            outbox.hurry(topic)
        self._to_hurry.clear()

    def _send(self, entry: Entry, outbox: Outbox) -> bool:
        mid = self._link.publish(entry.topic, self._final_body(entry))
        if mid is None:
            return False
        expires_ns = self._later(self._ack_timeout_s, entry.attempts)
        self._in_flight[mid] = _Sent(entry.topic, entry.seq, entry.attempts, expires_ns)
        outbox.sent(entry.seq, expires_ns)
        return True

    def _judge(self, sent: _Sent, event: Acked) -> None:
        self._note_refusal(sent.topic, event)
        if event.reason_code == NO_SUBSCRIBER:
            self._unheard.add(sent.topic)
            self._to_postpone.append(sent)
        elif event.reason_code >= REFUSED:
            self._to_postpone.append(sent)
        else:
            self._note_subscriber(sent.topic)
            self.finish(sent.seq)

    def _note_refusal(self, topic: str, event: Acked) -> None:
        self._refused.pop(topic, None)
        if event.reason_code >= REFUSED:
            self._refused[topic] = event.reason

    def _note_subscriber(self, topic: str) -> None:
        """Somebody listens again: what waited for that need not wait for its next try."""
        if topic in self._unheard:
            self._unheard.remove(topic)
            self._to_hurry.add(topic)

    def _later(self, first_s: float, attempts: int) -> int:
        wait_s = min(first_s * (1 << min(attempts, 16)), max(first_s, _LONGEST_WAIT_S))
        jitter = 1 + random.random() / 2  # noqa: S311  no secret
        return self._clock.monotonic_ns() + round(wait_s * jitter * 1e9)
