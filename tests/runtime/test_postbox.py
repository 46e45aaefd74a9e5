from __future__ import annotations

import threading

import pytest

from edgeguard.alerts.link import Acked, Connected, Received
from edgeguard.alerts.publisher import Input
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.postbox import MOST_HEARD, MOST_RECEIPTS, Postbox
from tests.support.alerts import moment


class Bench:
    """A postbox whose channel nobody empties."""

    def __init__(self, waiting: int = 0, capacity: int = 10_000) -> None:
        self.channel: Channel[Input] = Channel(capacity, WhenFull.WAIT)
        self.refused = 0
        self.postbox = Postbox(self.channel, "down/receipt", self._refuse)
        one = moment()
        for _ in range(waiting):
            self.channel.put(one)

    def _refuse(self) -> None:
        self.refused += 1


@pytest.mark.parametrize(("topic", "most"), [("down/ack", MOST_HEARD), ("down/receipt", MOST_RECEIPTS)])
def test_what_is_said_to_the_device_gives_way_to_alerts(topic: str, most: int) -> None:
    received = Received(topic, b"{}", False)
    bench = Bench(waiting=most)
    bench.postbox(received)
    bench.postbox(received)
    assert (len(bench.channel), bench.refused) == (most + 1, 1)


def test_what_the_link_itself_answers_never_waits_for_the_publisher() -> None:
    bench = Bench(waiting=2, capacity=2)
    publisher = threading.Thread(target=bench.postbox, args=(Acked(-1, 149, "too large"),), daemon=True)
    publisher.start()
    publisher.join(10)
    assert not publisher.is_alive()
    bench.channel.get_all()
    bench.postbox(Acked(-2, 149, "too large"))
    assert bench.channel.get(0) == Acked(-2, 149, "too large")


@pytest.mark.parametrize("event", [Connected(), Acked(1, 0, "Success")])
def test_what_the_broker_answers_waits_for_room(event: Connected | Acked) -> None:
    bench = Bench(waiting=2, capacity=2)
    link = threading.Thread(target=bench.postbox, args=(event,), daemon=True)
    link.start()
    bench.channel.get()
    link.join(10)
    assert not link.is_alive()
    assert bench.channel.get_all()[-1] == event
