"""The publisher thread."""

from __future__ import annotations

from collections.abc import Callable

from edgeguard.alerts.delivery import Delivery
from edgeguard.alerts.publisher import Publisher
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.paces import COMMITS, pubacks
from edgeguard.runtime.stage import STEP_S, Stage

_STOP_S = 0.7


class DeliveryStage(Stage):
    """Runs the publisher and says in health how telling goes."""

    name = "publisher"

    def __init__(
        self,
        publisher: Publisher,
        broker: Part,
        outbox: Part,
        say_more: Callable[[], object] = lambda: None,
        health_every_s: float | None = None,
    ) -> None:
        """`health_every_s`: how often there is something for the broker to acknowledge, if that is so."""
        self._publisher = publisher
        self._broker = broker
        self._outbox = outbox
        self._say_more = say_more
        self._started = False
        self._committed = self._acknowledged = 0
        outbox.expect(COMMITS)
        if health_every_s is not None:
            broker.expect(pubacks(health_every_s))

    def open(self) -> None:
        if not self._started:
            self._publisher.start()
            self._started = True

    def step(self) -> None:
        self._publisher.run_once(STEP_S)
        self._say(self._publisher.delivery)
        self._say_more()

    def finish(self) -> None:
        """Deliver what can be delivered now, and say goodbye."""
        self._publisher.stop(_STOP_S)

    def _say(self, delivery: Delivery) -> None:
        if delivery.committed > self._committed:
            self._outbox.worked()
        if delivery.acknowledged > self._acknowledged:
            self._broker.worked()
        self._committed, self._acknowledged = delivery.committed, delivery.acknowledged
        delivering = delivery.state == "delivering"
        self._broker.set(State.OK if delivering else State.DEGRADED, delivery.reason, delivery.state)
        self._outbox.note(
            pending=delivery.pending,
            committed=delivery.committed,
            delivered=delivery.delivered,
            lost=delivery.lost,
            records_lost=delivery.records_lost,
            oldest_pending_s=round(delivery.oldest_pending_s, 1),
            bad_receipts=delivery.bad_receipts,
            **{f"shed_{name}": count for name, count in delivery.shed.items()},
        )
        trouble, code = _trouble(delivery)
        self._outbox.set(State.DEGRADED if trouble else State.OK, trouble, code)


def _trouble(delivery: Delivery) -> tuple[str | None, str | None]:
    """The worst that there is to say, and the word for it."""
    if delivery.storage_error:
        return delivery.storage_error, "storage"
    if delivery.gate_error:
        return delivery.gate_error, "requests_refused"
    if delivery.replaced:
        return delivery.replaced, "outbox_replaced"
    if delivery.ballast_used:
        return "the disk is full; the outbox lives on its reserve", "disk_full"
    return None, None
