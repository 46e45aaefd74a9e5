"""The gate for what is said to the device: acknowledgements, commands, configurations, all from strangers.

In this order, each failure counted under its reason: it is not retained; its topic is one of ours; it is not
too large to be read; it is strict JSON that fits its schema, with real times and printable names; it names
this device, and the verb of its topic; it has not expired (where the clock can be trusted); its id is new, or
the answer of before is given again; and such requests do not come too often.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, deque
from dataclasses import dataclass

from edgeguard.alerts.exchange import Outcome
from edgeguard.alerts.link import Received
from edgeguard.alerts.messages import Identity, Message, utc_ns_of
from edgeguard.alerts.parse import parse
from edgeguard.alerts.rate import TokenBucket
from edgeguard.clock import Clock

MAX_BYTES = 65_536
MAX_CONFIG_BYTES = 131_072
"""Reading more would keep alerts waiting."""
MOST_WAITING = 1000
"""Messages that wait to be looked at; more are refused unread."""
_MOST_REMEMBERED = 1000
_MOST_CORRELATION_BYTES = 1024
_RATES = {"ack": (5.0, 50), "command": (2.0, 20), "config_desired": (0.2, 2)}
"""By schema: how many a second, and how many at once."""
_VERBS = ("replay", "ping", "drill")
_IDS = {"ack": "ack_id", "config": "config_id"}
"""Member that names a request, by verb; `command_id` for all others."""
_LEVEL = r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}"
_ANSWER_LEVELS = re.compile(rf"{_LEVEL}(/{_LEVEL}){{0,3}}")
_TIMES = ("at", "issued_at", "expires_at")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody wants."""

    verb: str
    """`ack`, `config`, or the verb of a command."""
    request_id: str
    message: Message
    answer_topic: str
    correlation: bytes | None
    answered: Outcome | None = None
    """What came of it when it was asked before."""


class Refused(Exception):  # noqa: N818  it is an answer, not an error
    """What somebody wants will not be done; `request` is there if that can be answered."""

    def __init__(self, topic: str, reason: str, words: str, request: Request | None = None) -> None:
        super().__init__(words[:300])
        self.topic = topic[:200]
        self.reason = reason
        """One word."""
        self.request = request


class Inbound:
    """Owned by one thread."""

    def __init__(self, identity: Identity, clock: Clock) -> None:
        self.refused: Counter[str] = Counter()
        """By reason."""
        self._identity = identity
        self._topics = identity.topics
        self._names = {self._topics.ack: ("ack", "ack")}
        self._names[self._topics.config_desired] = ("config_desired", "config")
        self._names |= {self._topics.command(verb): ("command", verb) for verb in _VERBS}
        self._answers = self._topics.result("-").removesuffix("-")
        self._clock = clock
        self._waiting: deque[Received | Refused] = deque()
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()
        self._buckets = {name: TokenBucket(clock, *rate) for name, rate in _RATES.items()}

    @property
    def waiting(self) -> bool:
        """Whether there is something to look at."""
        return bool(self._waiting)

    def receive(self, received: Received) -> None:
        """Let it wait to be looked at, as far as it is worth a look; never raises."""
        if len(self._waiting) >= MOST_WAITING:
            self.refused["overrun"] += 1
        else:
            self._waiting.append(self._look_outside(received) or received)

    def next(self, *, synced: bool) -> Request | Refused | None:
        """The next that waits; None if nothing does. `synced`: whether UTC can be trusted."""
        if not self._waiting:
            return None
        waiting = self._waiting.popleft()
        answer = waiting if isinstance(waiting, Refused) else self._admit(waiting, synced)
        if isinstance(answer, Refused):
            self.refused[answer.reason] += 1
        return answer

    def remember(self, request: Request, outcome: Outcome) -> None:
        """The answer to give when the same request comes again."""
        self._outcomes[request.request_id] = outcome
        if len(self._outcomes) > _MOST_REMEMBERED:
            self._outcomes.popitem(last=False)

    def _look_outside(self, received: Received) -> Refused | None:
        topic = received.topic
        if received.retained:
            return Refused(topic, "retained", "a retained message is nobody's request")
        if topic not in self._names:
            return Refused(topic, "unknown_topic", "nothing is to be said there")
        most = MAX_CONFIG_BYTES if topic == self._topics.config_desired else MAX_BYTES
        if len(received.body) > most:
            return Refused(topic, "too_large", f"{len(received.body)} bytes, at most {most} are read")
        return None

    def _admit(self, received: Received, synced: bool) -> Request | Refused:
        name, verb = self._names[received.topic]
        try:
            message = parse(received.body, name)
            _check_words(message)
            expires_ns = _expiry(message)
        except ValueError as error:
            return Refused(received.topic, "malformed", str(error))
        request = self._request(received, verb, message)
        if (message["site"], message["device"]) != (self._identity.site, self._identity.device):
            return Refused(received.topic, "wrong_address", "it names another device", request)
        if message.get("verb", verb) != verb:
            return Refused(received.topic, "verb_mismatch", "its verb is not that of its topic", request)
        if synced and expires_ns is not None and self._clock.utc_ns() > expires_ns:
            return Refused(received.topic, "expired", "it has expired", request)
        if request.answered is None and not self._buckets[name].take():
            return Refused(received.topic, "rate_limited", "too many requests; try again later", request)
        return request

    def _request(self, received: Received, verb: str, message: Message) -> Request:
        request_id = message[_IDS.get(verb, "command_id")]
        correlation = received.correlation
        if correlation is not None and len(correlation) > _MOST_CORRELATION_BYTES:
            correlation = None
        topic = self._answer_topic(received.response_topic) or self._topics.result(request_id)
        return Request(verb, request_id, message, topic, correlation, self._outcomes.get(request_id))

    def _answer_topic(self, wanted: str | None) -> str | None:
        """Where the sender wants the answer, if that is below this device's own results."""
        if wanted is None or not wanted.startswith(self._answers):
            return None
        return wanted if _ANSWER_LEVELS.fullmatch(wanted.removeprefix(self._answers)) else None


def _check_words(message: Message) -> None:
    """What goes into alerts and logs must be fit to be shown and stored anywhere."""
    for member in ("by", "note"):
        if _UNPRINTABLE.search(message.get(member) or ""):
            raise ValueError(f"{member} holds control characters")


def _expiry(message: Message) -> int | None:
    """`expires_at` in ns; ValueError where a time is none, such as February 30th."""
    times = {member: utc_ns_of(message[member]) for member in _TIMES if message.get(member) is not None}
    return times.get("expires_at")
