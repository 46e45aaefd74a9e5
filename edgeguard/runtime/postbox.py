"""What the broker connection tells, on its way to the publisher."""

from __future__ import annotations

from collections.abc import Callable

from edgeguard.alerts.link import Acked, LinkEvent, Received
from edgeguard.alerts.publisher import Input
from edgeguard.runtime.channel import Channel

MOST_HEARD = 1000
"""Values in the channel to the publisher beyond which nothing that is said to the device is taken, ..."""
MOST_RECEIPTS = 9000
"""... and beyond which no receipt is: a burst of alerts brings as many, and one that is not taken costs a
time-out."""


class Postbox:
    """The link's `notify`. Strangers may not fill the channel that alerts go through: `refused` is called.

    What the link itself answers comes on the publisher's own thread, which may not wait for itself: where
    there is no room it is dropped, and the message is sent again after its time-out.
    """

    def __init__(self, channel: Channel[Input], receipt_topic: str, refused: Callable[[], object]) -> None:
        self._channel = channel
        self._receipt_topic = receipt_topic
        self._refused = refused

    def __call__(self, event: LinkEvent) -> None:
        if isinstance(event, Received) and len(self._channel) > self._most_before(event):
            self._refused()
        elif isinstance(event, Acked) and event.mid < 0:
            self._channel.put(event, timeout_s=0)
        else:
            self._channel.put(event)

    def _most_before(self, received: Received) -> int:
        return MOST_RECEIPTS if received.topic == self._receipt_topic else MOST_HEARD
