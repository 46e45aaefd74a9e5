"""From the API to a device: somebody has seen its alert."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from edgeguard.alerts.exchange import ack_message
from edgeguard.alerts.link import Link
from edgeguard.alerts.messages import encode
from edgeguard.alerts.topics import Topics
from edgeguard.clock import Clock
from edgeguard.collector.reading import Answer
from edgeguard.collector.shapes import Ack


class Acknowledgements:
    """Publishes acknowledgements; any thread may call it."""

    def __init__(self, link: Callable[[], Link | None], clock: Clock) -> None:
        self._link = link
        self._clock = clock

    def __call__(self, alert: Answer, by: str, ack: Ack) -> str | None:
        """The id under which the device will answer; None if there is no connection to the broker."""
        link = self._link()
        if link is None:
            return None
        site, device, ack_id = alert["site"], alert["device"], str(uuid4())
        message = ack_message(
            *(site, device, alert["alert_id"]),
            ack_id=ack_id,
            by=by,
            utc_ns=self._clock.utc_ns(),
            verdict=ack.verdict,
            note=ack.note,
        )
        sent = link.publish(Topics(site, device).ack, encode(message))
        return None if sent is None else ack_id
