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
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edgeguard.alerts.durable import Entry, mark_ns, wire_body
from edgeguard.alerts.link import RECEIVE_MAXIMUM, Acked, Connected, Disconnected, Link
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.trouble import NO_SUBSCRIBER, REFUSED, Trouble
from edgeguard.alerts.window import Window
from edgeguard.clock import Clock

_LONGEST_WAIT_S = 60.0
_MOST_ANSWERS = 200
"""Answers that wait for the broker to have room; of more, the oldest are not given."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message that waits to be confirmed."""

    entry: Entry
    mid: int
    sent_ns: int
    expires_ns: int


class Sender:
    """Keeps at most `window` messages unconfirmed, and no more unacknowledged than the broker allows.

    State and answers count as well: they may take half of what it allows, and a little is left to them.
    """

    def __init__(
        self,
        link: Link,
        clock: Clock,
        window: int,
        confirm_timeout_s: float,
        retry_s: float,
        custody: str,
        took: Callable[[str, int], object] = lambda _stage, _ns: None,
    ) -> None:
        """`took` is told how long it took to `publish` and to `confirm`, and an `alert` in all."""
        self.disconnected: str | None = "not connected yet"
        """Why there is no connection; None if there is one."""
        self.delivered = 0
        """Messages, since the start."""
        self.acknowledged = 0
        """What the broker acknowledged, of whatever kind, since the start."""
        self._link = link
        self._clock = clock
        self._took = took
        self._window = Window(window, confirm_timeout_s)
        self._confirm_timeout_s = confirm_timeout_s
        self._retry_s = retry_s
        self._needs_receipt = custody == "receipt"
        self._trouble = Trouble(clock, confirm_timeout_s, custody)
        self._receive_maximum = RECEIVE_MAXIMUM
        self._unconfirmed: dict[int, _Sent] = {}
        self._unacknowledged: dict[int, _Sent] = {}
        self._others_in_flight: dict[int, str | None] = {}
        """Topics of state; None: an answer."""
        self._answers: deque[tuple[str, bytes, bytes | None]] = deque(maxlen=_MOST_ANSWERS)
        self._look_again_ns = 0
        self._send_all_again = False
        self._to_finish: set[tuple[str, int]] = set()
        self._to_postpone: list[Entry] = []
        self._to_hurry: set[str] = set()

    @property
    def busy(self) -> bool:
        """Something on the wire may still be confirmed."""
        return self.disconnected is None and bool(self._unconfirmed)

    @property
    def unsettled(self) -> int:
        """Messages in other hands of which the outbox was not told yet."""
        return len(self._to_finish)

    @property
    def state(self) -> tuple[str, str | None]:
        """`disconnected` and why, or what `Trouble` says."""
        if self.disconnected is not None:
            return "disconnected", self.disconnected
        return self._trouble.state

    def connect(self, event: Connected) -> None:
        self._unconfirmed.clear()
        self._unacknowledged.clear()
        self._others_in_flight.clear()
        self._answers.clear()
        self._window.reset()
        self._trouble.connect()
        self.disconnected = None
        self._receive_maximum = event.receive_maximum
        self._send_all_again = True

    def disconnect(self, event: Disconnected) -> None:
        self.disconnected = event.reason

    def acknowledge(self, event: Acked) -> None:
        """What the broker says of one message; of those of an earlier connection it says nothing."""
        self.acknowledged += 1
        sent = self._unacknowledged.pop(event.mid, None)
        if sent is not None:
            self._judge(sent.entry, event)
            return
        topic = self._others_in_flight.pop(event.mid, None)
        if topic is not None:
            self._trouble.judge_state(topic, event)

    def confirm(self, named: Iterable[tuple[str, int]]) -> None:
        """A collector's receipt: these (boot_id, seq) are in its hands."""
        for boot_id, seq in named:
            self._finish(boot_id, seq)

    def retain(self, topic: str, body: bytes, *, at_once: bool = False) -> bool:
        """Publish state: retained, not repeated. False: there is no connection, or the broker has no room.

        `at_once`: whether it has or not.
        """
        if self.disconnected is not None or not (at_once or self._has_room_for_others):
            return False
        mid = self._link.publish(topic, body, retain=True)
        if mid is not None:
            self._others_in_flight[mid] = topic
        return mid is not None

    def say(self, topic: str, body: bytes, correlation: bytes | None = None) -> None:
        """Publish an answer as soon as the broker has room: not repeated, lost if there is no connection."""
        if self.disconnected is None:
            self._answers.append((topic, body, correlation))
            self._give_answers()

    def send(self, outbox: Outbox) -> None:
        """Fill the window with what is due."""
        if self.disconnected is not None:
            return
        self._give_answers()
        self._hurry(outbox)
        now_ns = self._clock.monotonic_ns()
        self._give_up_waiting(now_ns)
        room = self._room
        if room <= 0:
            return
        for entry in outbox.due(now_ns, room + min(len(self._to_finish), self._window.size)):
            if self._room <= 0:
                return
            if (entry.boot_id, entry.seq) not in self._to_finish and not self._send(entry, outbox):
                return

    def settle(self, outbox: Outbox) -> None:
        """Bring to the outbox what was said."""
        if self._to_finish:
            moved = outbox.done(self._to_finish)
            self._to_finish.clear()
            self.delivered += moved
            if moved:
                self._heard()
        for entry in self._to_postpone:
            outbox.postpone(entry.seq, self._later(self._retry_s, entry.attempts))
        self._to_postpone.clear()
        if not outbox.pending:
            self._trouble.nothing_waits()

    @property
    def _room(self) -> int:
        """How many messages may be sent now."""
        left_to_others = min(2, self._receive_maximum // 4)
        return min(self._window.size - len(self._unconfirmed), self._allowed - left_to_others)

    @property
    def _allowed(self) -> int:
        """How much more the broker allows to be unacknowledged."""
        return self._receive_maximum - len(self._unacknowledged) - len(self._others_in_flight)

    @property
    def _has_room_for_others(self) -> bool:
        most = max(1, self._receive_maximum // 2)
        return self._allowed > 0 and len(self._others_in_flight) < most

    def _give_answers(self) -> None:
        while self._answers and self._has_room_for_others:
            topic, body, correlation = self._answers.popleft()
            mid = self._link.publish(topic, body, correlation=correlation)
            if mid is not None:
                self._others_in_flight[mid] = None

    def _heard(self) -> None:
        """After a silence all goes again, but for what was sent a moment ago."""
        if self._trouble.heard():
            self._send_all_again = True
            before_ns = self._clock.monotonic_ns() - round(self._confirm_timeout_s * 1e9)
            old = [seq for seq, sent in self._unconfirmed.items() if sent.sent_ns <= before_ns]
            for seq in old:
                del self._unconfirmed[seq]

    def _hurry(self, outbox: Outbox) -> None:
        if self._send_all_again:
            outbox.hurry(but=self._unconfirmed.keys())
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
            self._trouble.late()
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
        if not entry.late and not entry.attempts:
            self._measure(entry.body, now_ns)
        return True

    def _measure(self, body: bytes, now_ns: int) -> None:
        """The first copy of a message of this run goes out now."""
        for stage, mark in (("publish", b"committed_ns"), ("alert", b"arrived_ns")):
            if (began_ns := mark_ns(body, mark)) is not None:
                self._took(stage, now_ns - began_ns)

    def _judge(self, entry: Entry, event: Acked) -> None:
        if self._trouble.judge(entry.topic, event):
            self._to_hurry.add(entry.topic)
        if event.reason_code == NO_SUBSCRIBER or event.reason_code >= REFUSED:
            self._postpone(entry)
        elif not self._needs_receipt:
            self._finish(entry.boot_id, entry.seq)
        if not self._needs_receipt:
            self._heard()

    def _finish(self, boot_id: str, seq: int) -> None:
        """The message is in other hands."""
        sent = self._unconfirmed.get(seq)
        if sent is not None and sent.entry.boot_id == boot_id:
            del self._unconfirmed[seq]
            waited_ns = self._clock.monotonic_ns() - sent.sent_ns
            self._window.confirmed(waited_ns)
            self._took("confirm", waited_ns)
        self._to_finish.add((boot_id, seq))

    def _postpone(self, entry: Entry) -> None:
        if self._unconfirmed.pop(entry.seq, None) is not None:
            self._to_postpone.append(entry)

    def _later(self, first_s: float, attempts: int) -> int:
        wait_s = min(first_s * (1 << min(attempts, 16)), max(first_s, _LONGEST_WAIT_S))
        jitter = 1 + random.random() / 2  # noqa: S311  no secret
        return self._clock.monotonic_ns() + round(wait_s * jitter * 1e9)
