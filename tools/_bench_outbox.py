"""The programs that `bench_outbox` runs, each in a process of its own; each prints one JSON object.

They are called with the name of the function and its arguments: `ours CONFIG COUNT RATE`, `raw PORT COUNT`,
`subscriber PORT COUNT`.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import paho.mqtt.client as paho
from _alerts import Inventor
from paho.mqtt.enums import CallbackAPIVersion

from edgeguard.alerts.durable import Draft
from edgeguard.alerts.messages import ClockQuality, Identity, alert_message, encode
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.outbox_file import Database
from edgeguard.clock import SystemClock
from edgeguard.config import load
from edgeguard.runtime.assembly import telling as assembly
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.claim import claim
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.stage import StageThread
from edgeguard.types import Alert

ItemT = TypeVar("ItemT")
RAW_TOPIC = "rawbench/v1/torture/guard-1/up/alert/loading-dock/loitering"
WARM_UP = 200
_CLOCK = SystemClock()
_TIMEOUT_S = 60.0


class TimedOutbox(Outbox):
    """The product's outbox, with a note of when each alert was on the disk and when its receipt came."""

    committed_ns: dict[int, int]
    receipted_ns: dict[int, int]
    """Both by the alert's number, as in its `track_ids`."""
    _number_of: dict[int, int]

    def commit(self, items: Sequence[ItemT], draft: Callable[[ItemT, int, Database], Draft]) -> None:
        first = self.seq_high + 1
        super().commit(items, draft)
        now_ns = _CLOCK.monotonic_ns()
        for seq, item in enumerate(items, first):
            if isinstance(item, Alert):
                self._number_of[seq] = item.track_ids[0]
                self.committed_ns[item.track_ids[0]] = now_ns

    def done(self, delivered: Iterable[tuple[str, int]]) -> int:
        pairs = list(delivered)
        count = super().done(pairs)
        now_ns = _CLOCK.monotonic_ns()
        for _, seq in pairs:
            if seq in self._number_of:
                self.receipted_ns.setdefault(self._number_of[seq], now_ns)
        return count


def ours(config: str, count: str, rate: str) -> dict[str, Any]:
    """Durable alerts a second, from the first handing over to the last receipt, and how long each took (ms).

    They are handed over `rate` a second, or all at once if that is 0.
    """
    TimedOutbox.committed_ns, TimedOutbox.receipted_ns, TimedOutbox._number_of = {}, {}, {}
    inventor = Inventor(1, _CLOCK)
    early, alerts = ([inventor.next() for _ in range(size)] for size in (WARM_UP, int(count)))
    settings, board = load(Path(config)), HealthBoard(_CLOCK)
    with claim(settings.state_dir), mock.patch.object(assembly, "Outbox", TimedOutbox):
        telling = assembly.Telling(settings, _CLOCK, board, Channel(1), Shelf(), lambda _: ())
        thread = StageThread(telling.stages()["outbox"], board.part("outbox"), _CLOCK)
        thread.start()
        _until(lambda: telling.delivery.connected)
        _hand_over(telling, early, 0.0)
        _until(lambda: len(TimedOutbox.receipted_ns) == WARM_UP)
        handed_ns = _hand_over(telling, alerts, float(rate))
        _until(lambda: len(TimedOutbox.receipted_ns) == WARM_UP + len(alerts))
        thread.ask_to_stop()
        thread.join(10)
    seconds = (max(TimedOutbox.receipted_ns.values()) - min(handed_ns.values())) / 1e9
    return {
        "per_s": len(alerts) / seconds,
        "latency_ms": [(TimedOutbox.receipted_ns[n] - at_ns) / 1e6 for n, at_ns in handed_ns.items()],
        "commit_ms": [(TimedOutbox.committed_ns[n] - at_ns) / 1e6 for n, at_ns in handed_ns.items()],
    }


def _hand_over(telling: assembly.Telling, alerts: Sequence[Alert], rate: float) -> dict[int, int]:
    """When each was handed over, by its number."""
    handed_ns = {}
    begin_ns, pause = _CLOCK.monotonic_ns(), threading.Event()
    for place, alert in enumerate(alerts):
        due_ns = begin_ns + round(place / rate * 1e9) if rate else 0
        pause.wait(max(0.0, (due_ns - _CLOCK.monotonic_ns()) / 1e9))
        handed_ns[alert.track_ids[0]] = _CLOCK.monotonic_ns()
        telling.tell(alert)
    return handed_ns


def raw(port: str, count: str) -> dict[str, Any]:
    """When the first of the bodies was published and the last acknowledged: paho alone, nothing kept."""
    bodies = _bodies(int(count))
    acknowledged = threading.Semaphore(0)
    client = _client()
    client.on_publish = lambda *_: acknowledged.release()
    client.connect("127.0.0.1", int(port))
    client.loop_start()
    _until(client.is_connected)
    for body in bodies[:WARM_UP]:
        client.publish(RAW_TOPIC, body, 1)
    _take(acknowledged, WARM_UP)
    begin_ns = _CLOCK.monotonic_ns()
    for body in bodies:
        client.publish(RAW_TOPIC, body, 1)
    _take(acknowledged, len(bodies))
    end_ns = _CLOCK.monotonic_ns()
    client.disconnect()
    client.loop_stop()
    return {"begin_ns": begin_ns, "end_ns": end_ns}


def subscriber(port: str, count: str) -> dict[str, Any]:
    """When the last of what `raw` publishes was there, taken at QoS 1."""
    taken = threading.Semaphore(0)
    client = _client()
    client.on_message = lambda *_: taken.release()
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect("127.0.0.1", int(port))
    client.subscribe(RAW_TOPIC, 1)
    client.loop_start()
    _take(taken, WARM_UP + int(count))
    end_ns = _CLOCK.monotonic_ns()
    client.disconnect()
    client.loop_stop()
    return {"end_ns": end_ns}


def _bodies(count: int) -> list[bytes]:
    """What the product would send."""
    inventor = Inventor(1, _CLOCK)
    identity = Identity("torture", "guard-1", str(uuid.uuid4()), "0.1.0", _CLOCK.utc_ns())
    messages = (alert_message(inventor.next(), identity, n, n, ClockQuality()) for n in range(1, count + 1))
    return [encode(message) for message in messages]


def _client() -> paho.Client:
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.on_socket_open = _send_small_packets_at_once
    return client


def _send_small_packets_at_once(_client: paho.Client, _data: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _take(counter: threading.Semaphore, count: int) -> None:
    for _ in range(count):
        if not counter.acquire(timeout=_TIMEOUT_S):
            raise TimeoutError("the broker does not acknowledge")


def _until(over: Callable[[], bool]) -> None:
    deadline_ns, pause = _CLOCK.monotonic_ns() + round(_TIMEOUT_S * 1e9), threading.Event()
    while not over():
        if _CLOCK.monotonic_ns() > deadline_ns:
            raise TimeoutError(f"not within {_TIMEOUT_S:.0f} s")
        pause.wait(0.005)


PROGRAMS: dict[str, Callable[..., dict[str, Any]]] = {"ours": ours, "raw": raw, "subscriber": subscriber}

if __name__ == "__main__":
    print(json.dumps(PROGRAMS[sys.argv[1]](*sys.argv[2:])))
