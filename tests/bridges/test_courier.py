from __future__ import annotations

from collections.abc import Callable

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.fake import Publication as Sent
from edgeguard.alerts.link import Acked, LinkEvent
from edgeguard.bridges import Publication
from edgeguard.bridges.courier import Courier


class Road:
    """A courier and the broker at its end."""

    def __init__(self, answer: Callable[[Sent], int | None] = lambda _: 0, **limits: int) -> None:
        self.events: list[LinkEvent] = []
        self.link = FakeLink(self.events.append, answer)
        self.link.start()
        self.courier = Courier(self.link, **limits)

    def take(self, *words: str) -> None:
        self.courier.take(Publication(word, word) for word in words)
        self.go_on()

    def go_on(self) -> None:
        """Until nothing more is answered."""
        self.courier.send()
        while self.events:
            event = self.events.pop(0)
            if isinstance(event, Acked):
                self.courier.acknowledge(event)
            self.courier.send()

    @property
    def sent(self) -> str:
        return "".join(one.topic for one in self.link.publications)


def test_all_is_sent_in_order_within_the_window() -> None:
    road = Road(window=2)
    road.take(*"abcde")
    assert road.sent == "abcde"
    assert not road.courier.busy


def test_no_more_than_the_window_is_unanswered() -> None:
    road = Road(lambda _: None, window=2)
    road.take(*"abcde")
    assert road.sent == "ab"
    road.link.acknowledge(1)
    road.go_on()
    assert road.sent == "abc"
    assert road.courier.busy


def test_what_was_not_answered_is_sent_anew_first() -> None:
    road = Road(lambda sent: 0 if sent.topic == "a" else None, window=3)
    road.take(*"abcd")
    road.link.disconnect("gone")
    road.courier.lose_connection()
    road.go_on()
    assert road.sent == "abcd"
    road.link.answer = lambda _: 0
    road.link.connect()
    road.go_on()
    assert road.sent == "abcdbcd"


def test_of_too_many_the_oldest_are_dropped_and_counted() -> None:
    road = Road(most_waiting=3)
    road.link.disconnect("gone")
    road.take(*"abcde")
    road.link.connect()
    road.go_on()
    assert (road.sent, road.courier.dropped) == ("cde", 2)


def test_a_refusal_is_counted_with_its_reason_and_not_repeated() -> None:
    road = Road(lambda _: 135)
    road.take("a")
    road.go_on()
    assert (road.sent, road.courier.refused) == ("a", 1)
    assert road.courier.last_refusal == "the broker refused a: reason code 135"


def test_that_nobody_listens_is_no_refusal() -> None:
    road = Road(lambda _: 16)
    road.take("a")
    assert (road.courier.refused, road.courier.busy) == (0, False)
