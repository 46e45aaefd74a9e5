"""The only door to pika: a RabbitMQ queue as a link, for sites that outgrew one broker.

What devices publish over MQTT reaches the queue by the exchange `amq.topic`, and what is published there
reaches devices. RabbitMQ writes a topic's `/` as `.`; it cannot tell a `.` in a name from one, so names there
have none. A message leaves the queue when it is settled, and comes again if that does not happen before the
connection ends.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import random
from collections import deque
from collections.abc import Callable
from typing import Any

from edgeguard.alerts.link import Acked, Connected, Disconnected, Endpoint, LinkEvent, Received, Subscribed
from edgeguard.alerts.tls import tls_context
from edgeguard.errors import DependencyError, how_to_install

try:
    import pika
    from pika.exceptions import AMQPError
except ImportError as error:
    raise DependencyError(f"AMQP needs pika: {how_to_install('pika>=1.3')} ({error})") from error

EXCHANGE = "amq.topic"
NO_TOPIC = 144
"""MQTT 5's reason code for a topic that the broker does not take."""
_PREFETCH = 200
"""Messages that may be unsettled: of the largest kind, what the collector has room for."""
_MOST_OUTGOING = 20_000
_STEP_S = 0.25
_PATIENCE_S = 10.0

Act = Callable[[Any], object]
"""Something to do with the channel."""

logging.getLogger("pika").setLevel(
    logging.CRITICAL
)  # it tells of every attempt at length; we tell the reason


class AmqpLink:
    """Reads `queue` as one of competing consumers; the owner's thread calls `run_once` until `closed`.

    `publish`, `close` and the messages' `settle` may be called from any thread. The brokers that the endpoint
    names take turns. Publishing is not acknowledged by the broker one by one: `Acked` says that a message was
    handed to it, which is enough for receipts, since a device repeats what it got no receipt for.
    """

    def __init__(
        self, endpoint: Endpoint, notify: Callable[[LinkEvent], object], queue: str, vhost: str = "/"
    ) -> None:
        self.closed = False
        self._endpoint = endpoint
        self._notify = notify
        self._queue = queue
        self._vhost = vhost
        self._places = itertools.cycle([(endpoint.host, endpoint.port), *endpoint.fallbacks])
        self._failures = 0
        self._closing = False
        self._connection: Any = None
        self._channel: Any = None
        self._outgoing: deque[tuple[Any, Act]] = deque()
        self._woken = False
        self._mids = itertools.count(1)

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        """As a `Link` does; `retain` is for the devices' own state, and not for what is said to them."""
        channel = self._channel
        if channel is None or retain or len(self._outgoing) >= _MOST_OUTGOING:
            return None
        mid = next(self._mids)
        if "." in topic:
            self._notify(Acked(mid, NO_TOPIC, f"RabbitMQ cannot tell the dots in {topic} from levels"))
        else:
            properties = _properties(correlation)
            self._do(channel, lambda open_: self._send(open_, topic, body, properties, mid))
        return mid

    def close(self) -> None:
        self._closing = True
        if self._connection is not None:
            self._wake(self._connection)

    def run_once(self) -> float:
        """Connect, or handle what comes for up to a quarter of a second; how long to wait before the next."""
        if self._closing:
            self._end("closed")
            self.closed = True
            return 0.0
        try:
            if self._connection is None:
                self._connect()
            self._connection.process_data_events(_STEP_S)
            self._flush()
        except (AMQPError, OSError) as error:
            return self._fail(_reason(error))
        return 0.0 if self._consuming() else self._fail(f"the broker ended the reading of {self._queue}")

    def _connect(self) -> None:
        self._connection = pika.BlockingConnection(self._parameters(*next(self._places)))
        channel = self._connection.channel()
        channel.basic_qos(prefetch_count=_PREFETCH)
        channel.queue_declare(self._queue, passive=True)
        channel.basic_consume(self._queue, self._on_message)
        self._channel = channel
        self._failures = 0
        self._notify(Connected())
        self._notify(Subscribed())

    def _parameters(self, host: str, port: int) -> Any:
        endpoint = self._endpoint
        parameters = pika.ConnectionParameters(
            host,
            port,
            self._vhost,
            heartbeat=endpoint.keepalive_s,
            socket_timeout=_PATIENCE_S,
            stack_timeout=_PATIENCE_S,
            blocked_connection_timeout=_PATIENCE_S,
            client_properties={"connection_name": endpoint.client_id},
        )
        if endpoint.tls is not None:
            parameters.ssl_options = pika.SSLOptions(tls_context(endpoint.tls), host)
        parameters.credentials = _credentials(endpoint)
        return parameters

    def _on_message(self, channel: Any, how: Any, _properties: Any, body: bytes) -> None:
        tag = how.delivery_tag
        topic = how.routing_key.replace(".", "/")
        self._notify(Received(topic, body, False, settle=lambda: self._settle(channel, tag)))

    def _settle(self, channel: Any, tag: int) -> None:
        self._do(channel, lambda open_: open_.basic_ack(tag))

    def _send(self, channel: Any, topic: str, body: bytes, properties: Any, mid: int) -> None:
        channel.basic_publish(EXCHANGE, topic.replace("/", "."), body, properties)
        self._notify(Acked(mid, 0, "handed to the broker"))

    def _do(self, channel: Any, act: Act) -> None:
        """On the link's thread, in order; nothing if that channel is gone by then."""
        self._outgoing.append((channel, act))
        connection = self._connection
        if connection is not None and not self._woken:
            self._woken = True
            self._wake(connection)

    def _wake(self, connection: Any) -> None:
        with contextlib.suppress(AMQPError):  # it ended meanwhile, which the link's thread sees by itself
            connection.add_callback_threadsafe(lambda: None)

    def _flush(self) -> None:
        self._woken = False  # first: what is added from here on wakes us again
        while self._outgoing:
            channel, act = self._outgoing.popleft()
            if channel is self._channel:
                act(channel)

    def _consuming(self) -> bool:
        return bool(self._channel is not None and self._channel.is_open and self._channel.consumer_tags)

    def _fail(self, reason: str) -> float:
        self._end(reason)
        first_s, longest_s = self._endpoint.reconnect_s
        wait_s = min(first_s * (1 << min(self._failures, 16)), longest_s)
        self._failures += 1
        return wait_s * random.uniform(0.5, 1)  # noqa: S311  no secret

    def _end(self, reason: str) -> None:
        """Send what waits if that can be, and let go."""
        connection, self._connection = self._connection, None
        try:
            if connection is not None and connection.is_open:
                self._flush()
                connection.close()
        except (AMQPError, OSError) as error:
            reason = f"{reason}; then: {_reason(error)}"
        self._channel = None
        self._outgoing.clear()
        self._notify(Disconnected(reason))


def _properties(correlation: bytes | None) -> Any:
    """Durable, which tells devices at QoS 1: the header for it ends their connection on RabbitMQ 3.10."""
    return pika.BasicProperties(
        content_type="application/json",
        delivery_mode=2,
        correlation_id=None if correlation is None else correlation.decode(errors="replace"),
    )


def _credentials(endpoint: Endpoint) -> Any:
    """The certificate, unless there is a user name."""
    if endpoint.username is None and endpoint.tls is not None and endpoint.tls.cert_file is not None:
        return pika.credentials.ExternalCredentials()
    return pika.PlainCredentials(endpoint.username or "", endpoint.password or "")


def _reason(error: BaseException) -> str:
    """The innermost of what pika wraps, in words."""
    inner = getattr(error, "exceptions", None) or [
        part for part in error.args if isinstance(part, BaseException)
    ]
    if inner:
        return _reason(getattr(inner[-1], "exception", inner[-1]))
    text = getattr(error, "reply_text", None) or str(error) or type(error).__name__
    return f"cannot reach the broker: {text}" if isinstance(error, OSError) else f"the broker: {text}"
