"""Between outbox and link: what is on the wire, what was said of it, when to send it again.

Who may say that a message is in other hands depends on the custody. `puback`: the broker, by the reason code
of its acknowledgement: 0 is delivered; 16 (nobody subscribes) and 128 and above (refused) are not, so the
message stays and is sent again, more and more seldom. MQTT 3.1.1 has no reason codes: every acknowledgement
counts. `receipt`: only a collector, by naming it in a receipt; that the broker took it proves nothing.

A message that nobody confirms in time no longer counts against the window, so a window whose confirmations
were all lost frees itself.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass

from edgeguard.alerts.durable import Entry, wire_body
from edgeguard.alerts.link import RECEIVE_MAXIMUM, Acked, Connected, Disconnected, Link
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.window import Window
from edgeguard.clock import Clock

NO_SUBSCRIBER = 16
REFUSED = 128
_LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that waits to be confirmed."""

    entry: Entry
    mid: int
    sent_ns: int
    expires_ns: int


class Sender:
    """Keeps at most `window` messages unconfirmed, and no more unacknowledged than the broker allows."""

    def __init__(
        self, link: Link, clock: Clock, window: int, confirm_timeout_s: float, retry_s: float, custody: str
    ) -> None:
        self.disconnected: str | None = "not connected yet"
        """Why there is no connection; None if there is one."""
        self.delivered = 0
        """Messages, since the start."""
        self._link = link
        self._clock = clock
        self._window = Window(window, confirm_timeout_s)
        self._confirm_timeout_s = confirm_timeout_s
        self._retry_s = retry_s
        self._needs_receipt = custody == "receipt"
        self._receive_maximum = RECEIVE_MAXIMUM
        self._unconfirmed: dict[int, _Sent] = {}
        self._unacknowledged: dict[int, _Sent] = {}
        self._state_in_flight: dict[int, str] = {}
        self._look_again_ns = 0
        self._send_all_again = False
        self._to_finish: set[tuple[str, int]] = set()
        self._to_postpone: list[Entry] = []
        self._to_hurry: set[str] = set()
        self._unheard: set[str] = set()
        self._refused: dict[str, str] = {}
        self._no_receipts = False

    @property
    def busy(self) -> bool:
        """Something on the wire may still be confirmed."""
        return self.disconnected is None and bool(self._unconfirmed)

    @property
    def state(self) -> tuple[str, str | None]:
        """`disconnected`, `refused`, `no_subscriber`, `no_receipts` or `delivering`, and why."""
        if self.disconnected is not None:
            return "disconnected", self.disconnected
        for topic, reason in self._refused.items():
            return "refused", f"the broker refused {topic}: {reason}"
        for topic in self._unheard:
            return "no_subscriber", f"nobody subscribes to {topic}"
        if self._no_receipts:
            return "no_receipts", "the broker takes messages, but no collector confirms them"
        return "delivering", None

    def connect(self, event: Connected) -> None:
        self._unconfirmed.clear()
        self._unacknowledged.clear()
        self._state_in_flight.clear()
        self._window.reset()
        self.disconnected = None
        self._receive_maximum = event.receive_maximum
        self._send_all_again = True

    def disconnect(self, event: Disconnected) -> None:
        self.disconnected = event.reason

    def acknowledge(self, event: Acked) -> None:
        """What the broker says of one message; of those of an earlier connection it says nothing."""
        sent = self._unacknowledged.pop(event.mid, None)
        if sent is not None:
            self._judge(sent.entry, event)
        elif event.mid in self._state_in_flight:
            self._note_refusal(self._state_in_flight.pop(event.mid), event)

    def confirm(self, named: Iterable[tuple[str, int]]) -> None:
        """A collector's receipt: these (boot_id, seq) are in its hands."""
        for boot_id, seq in named:
            self._finish(boot_id, seq)
        if self._no_receipts:
            self._no_receipts = False
            self._unconfirmed.clear()
            self._send_all_again = True

    def retain(self, topic: str, body: bytes) -> None:
        """Publish state: retained, not repeated, lost if there is no connection."""
        mid = None if self.disconnected else self._link.publish(topic, body, retain=True)
        if mid is not None:
            self._state_in_flight[mid] = topic

    def say(self, topic: str, body: bytes, correlation: bytes | None = None) -> None:
        """Publish an answer: not repeated, lost if there is no connection."""
        if self.disconnected is None:
            self._link.publish(topic, body, correlation=correlation)

    def send(self, outbox: Outbox) -> None:
        """Fill the window with what is due."""
        if self.disconnected is not None:
            return
        self._hurry(outbox)
        now_ns = self._clock.monotonic_ns()
        self._give_up_waiting(now_ns)
        room = self._room
        if room <= 0:
            return
        for entry in outbox.due(now_ns, room + len(self._to_finish)):
            if self._room <= 0:
                return
            if (entry.boot_id, entry.seq) not in self._to_finish and not self._send(entry, outbox):
                return

    def settle(self, outbox: Outbox) -> None:
        """Bring to the outbox what was said."""
        if self._to_finish:
            self.delivered += outbox.done(self._to_finish)
            self._to_finish.clear()
        for entry in self._to_postpone:
            outbox.postpone(entry.seq, self._later(self._retry_s, entry.attempts))
        self._to_postpone.clear()

    @property
    def _room(self) -> int:
        """How many messages may be sent now."""
        return min(
            self._window.size - len(self._unconfirmed), self._receive_maximum - len(self._unacknowledged)
        )

    def _hurry(self, outbox: Outbox) -> None:
        if self._send_all_again:
            outbox.hurry()
            self._send_all_again = False
        for topic in self._to_hurry:
            outbox.hurry(topic, but=self._unconfirmed.keys())
        self._to_hurry.clear()

    def _give_up_waiting(self, now_ns: int) -> None:
        """What nobody confirmed in time is due again in the outbox, and no longer takes room here."""
        if now_ns < self._look_again_ns:
            return
        late = [seq for seq, sent in self._unconfirmed.items() if sent.expires_ns <= now_ns]
        for seq in late:
            del self._unconfirmed[seq]
        if late:
            self._window.late()
        self._no_receipts = self._no_receipts or (self._needs_receipt and bool(late))
        owed = [mid for mid, sent in self._unacknowledged.items() if sent.expires_ns <= now_ns]
        for mid in owed:
            del self._unacknowledged[mid]
        waits = [*self._unconfirmed.values(), *self._unacknowledged.values()]
        self._look_again_ns = min((sent.expires_ns for sent in waits), default=0)

    def _send(self, entry: Entry, outbox: Outbox) -> bool:
        now_ns = self._clock.monotonic_ns()
        mid = self._link.publish(entry.topic, wire_body(entry, now_ns))
        if mid is None:
            return False
        expires_ns = self._later(self._confirm_timeout_s, entry.attempts)
        sent = _Sent(entry, mid, now_ns, expires_ns)
        self._unconfirmed[entry.seq] = self._unacknowledged[mid] = sent
        self._look_again_ns = min(self._look_again_ns, expires_ns) if self._look_again_ns else expires_ns
        outbox.sent(entry, expires_ns)
        return True

    def _judge(self, entry: Entry, event: Acked) -> None:
        self._note_refusal(entry.topic, event)
        if event.reason_code == NO_SUBSCRIBER:
            self._unheard.add(entry.topic)
            self._postpone(entry)
        elif event.reason_code >= REFUSED:
            self._postpone(entry)
        else:
            self._note_subscriber(entry.topic)
            if not self._needs_receipt:
                self._finish(entry.boot_id, entry.seq)

    def _finish(self, boot_id: str, seq: int) -> None:
        """The message is in other hands."""
        sent = self._unconfirmed.get(seq)
        if sent is not None and sent.entry.boot_id == boot_id:
            del self._unconfirmed[seq]
            self._window.confirmed(self._clock.monotonic_ns() - sent.sent_ns)
        self._to_finish.add((boot_id, seq))

    def _postpone(self, entry: Entry) -> None:
        if self._unconfirmed.pop(entry.seq, None) is not None:
            self._to_postpone.append(entry)

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
