"""A bridge as a process of its own: hears devices, says it elsewhere, until SIGTERM."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from dataclasses import replace

from edgeguard.alerts.link import (
    Acked,
    Connected,
    Disconnected,
    Endpoint,
    Link,
    LinkEvent,
    Received,
    Subscribed,
)
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.topics import up_filter
from edgeguard.bridges import Bridge, Publication
from edgeguard.bridges.courier import Courier
from edgeguard.client.client import told_by
from edgeguard.clock import Clock, SystemClock
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.notify import Notifier
from edgeguard.runtime.stage import STEP_S

log = logging.getLogger(__name__)

_TICK_NS = 1_000_000_000
_LAST_WORDS_NS = 2_000_000_000
_SUMMARY_NS = 600_000_000_000
_SESSION_S = 3600
"""How long the broker keeps alerts for a bridge that is away."""


class BridgeLoop:
    """Joins one bridge to one link that notifies into `inbox`; its thread is the caller's."""

    def __init__(self, bridge: Bridge, link: Link, inbox: Channel[LinkEvent], clock: Clock) -> None:
        self.told_to_stop = False
        self.not_understood = 0
        """Messages that were no message of a device, and bridges' own faults with them."""
        self._bridge = bridge
        self._link = link
        self._inbox = inbox
        self._clock = clock
        self._courier = Courier(link)
        self._connected = False
        self._ticked_ns = self._summed_ns = clock.monotonic_ns()
        self._summary = ""
        self._refusal: str | None = None
        self._notifier = Notifier.from_environment()

    def run(self) -> None:
        """Returns after a clean stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear_signal)
        self._link.start()
        while not self.told_to_stop:
            self.step()
        self._notifier.send("STOPPING=1")
        self.finish()

    def step(self, timeout_s: float = STEP_S) -> None:
        """Take what came, say what follows from it."""
        for event in self._inbox.get_all(timeout_s):
            self._courier.take(self._take(event))
        now_ns = self._clock.monotonic_ns()
        if self._connected and now_ns - self._ticked_ns >= _TICK_NS:
            self._ticked_ns = now_ns
            self._courier.take(self._bridge.tick())
        if self._connected:
            self._courier.send()
        self._tell_log(now_ns)
        self._notifier.send("WATCHDOG=1")

    def finish(self) -> None:
        """Say goodbye, for as long as the broker takes to hear it, then disconnect."""
        if self._connected:
            self._courier.take(self._bridge.farewell())
            self._step_until(lambda: not self._courier.busy)
        self._link.close()
        self._step_until(lambda: not self._connected)
        log.info("stopped: %s", self._sums())

    def _step_until(self, over: Callable[[], bool]) -> None:
        deadline_ns = self._clock.monotonic_ns() + _LAST_WORDS_NS
        while not over() and self._clock.monotonic_ns() < deadline_ns:
            self.step(0.05)

    def _take(self, event: LinkEvent) -> list[Publication]:
        match event:
            case Received():
                return self._read(event)
            case Connected():
                log.info("connected")
                self._connected = True
                return self._bridge.greet()
            case Subscribed():
                for refusal in event.refused:
                    log.error("the broker refused the subscription to %s", refusal)
                if not event.refused:
                    self._notifier.send("READY=1")
            case Disconnected():
                log.warning("not connected: %s", event.reason)
                self._connected = False
                self._courier.lose_connection()
            case Acked():
                self._courier.acknowledge(event)
        return []

    def _read(self, received: Received) -> list[Publication]:
        try:
            return self._bridged(received)
        except ValueError as error:
            self._note_not_understood(f"{received.topic!r}: {error}")
        except Exception:
            log.exception("a message on %r could not be bridged", received.topic)
            self.not_understood += 1
        return []

    def _bridged(self, received: Received) -> list[Publication]:
        if not received.topic.startswith("edgeguard/"):
            return self._bridge.hear(received.topic, received.body, received.retained)
        told = told_by(received)
        return self._bridge.take(told.name, told.body, live=not told.retained)

    def _note_not_understood(self, what: str) -> None:
        self.not_understood += 1
        if self.not_understood == 1:
            log.warning("not understood, as all that follow like it: %s", what[:500])

    def _tell_log(self, now_ns: int) -> None:
        if self._courier.last_refusal not in (None, self._refusal):
            self._refusal = self._courier.last_refusal
            log.error("%s", self._refusal)
        if now_ns - self._summed_ns >= _SUMMARY_NS:
            self._summed_ns = now_ns
            if (summary := self._sums()) != self._summary:
                self._summary = summary
                log.info("%s", summary)

    def _sums(self) -> str:
        courier = self._courier
        sums = {
            **self._bridge.notes,
            "sent": courier.sent,
            "refused": courier.refused,
            "dropped": courier.dropped,
            "not_understood": self.not_understood,
        }
        return ", ".join(f"{name} {value}" for name, value in sums.items())

    def _hear_signal(self, *_: object) -> None:
        self.told_to_stop = True


def run_bridge(bridge: Callable[[Clock], Bridge], endpoint: Endpoint, site: str, device: str) -> None:
    """Bridge what the devices of `site` and `device` (`+`: all) tell at the broker, until SIGTERM.

    The broker keeps the session while the bridge is away, so that no alert slips through a restart.
    """
    clock = SystemClock()
    built = bridge(clock)
    inbox: Channel[LinkEvent] = Channel(100_000, WhenFull.WAIT)
    link = MqttLink(
        replace(endpoint, session_expiry_s=_SESSION_S),
        inbox.put,
        built.will,
        [up_filter(site, device), *built.subscriptions],
        content_type=None,
    )
    BridgeLoop(built, link, inbox, clock).run()
