"""What is known to keep messages from being delivered, as far as the other side lets us know."""

from __future__ import annotations

from edgeguard.alerts.link import Acked
from edgeguard.clock import Clock

NO_SUBSCRIBER = 16
REFUSED = 128
"""From here on a reason code says that the broker did not take it (MQTT 5, section 2.4)."""
_PUBACKS_OWED_FOR = 3
"""Time-outs: a broker that is slow sends some acknowledgement in between."""


class Trouble:
    """Trouble with a topic ends with a good answer on it, with a new connection, and once nothing waits.

    Silence begins when a message was not confirmed in time and no other was either: for one time-out in the
    custody of receipts, else for some. It ends when one is confirmed.
    """

    def __init__(self, clock: Clock, confirm_timeout_s: float, custody: str) -> None:
        self._clock = clock
        self._needs_receipt = custody == "receipt"
        time_outs = 1 if self._needs_receipt else _PUBACKS_OWED_FOR
        self._patience_ns = round(time_outs * confirm_timeout_s * 1e9)
        self._heard_ns = clock.monotonic_ns()
        self._silent = False
        self._unheard: set[str] = set()
        self._refused: dict[str, str] = {}
        self._refused_state: dict[str, str] = {}

    @property
    def state(self) -> tuple[str, str | None]:
        """`refused`, `no_subscriber`, `no_receipts`, `no_pubacks` or `delivering`, and why."""
        for topic, reason in (self._refused | self._refused_state).items():
            return "refused", f"the broker refused {topic}: {reason}"
        for topic in self._unheard:
            return "no_subscriber", f"nobody subscribes to {topic}"
        if self._silent and self._needs_receipt:
            return "no_receipts", "the broker takes messages, but no collector confirms them"
        if self._silent:
            return "no_pubacks", "the broker is connected, but does not acknowledge what it is sent"
        return "delivering", None

    def connect(self) -> None:
        """What the broker said on an earlier connection need not hold any more."""
        self._unheard.clear()
        self._refused.clear()
        self._refused_state.clear()
        self._heard_ns = self._clock.monotonic_ns()

    def nothing_waits(self) -> None:
        self._unheard.clear()
        self._refused.clear()

    def judge(self, topic: str, event: Acked) -> bool:
        """The broker's answer to a message; whether somebody listens there who did not before."""
        _note(self._refused, topic, event)
        if event.reason_code == NO_SUBSCRIBER:
            self._unheard.add(topic)
        elif event.reason_code < REFUSED and topic in self._unheard:
            self._unheard.remove(topic)
            return True
        return False

    def judge_state(self, topic: str, event: Acked) -> None:
        """The broker's answer to what is retained: nobody need subscribe to that."""
        _note(self._refused_state, topic, event)

    def heard(self) -> bool:
        """A message was confirmed; whether that ends a silence."""
        self._heard_ns = self._clock.monotonic_ns()
        was_silent, self._silent = self._silent, False
        return was_silent

    def late(self) -> None:
        """A message was not confirmed in time."""
        if self._clock.monotonic_ns() - self._heard_ns >= self._patience_ns:
            self._silent = True


def _note(refused: dict[str, str], topic: str, event: Acked) -> None:
    refused.pop(topic, None)
    if event.reason_code >= REFUSED:
        refused[topic] = event.reason
