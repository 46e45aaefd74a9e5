"""What came in, read with distrust: parsed, checked, and held against the topic it came by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeguard.alerts.link import Received
from edgeguard.alerts.parse import parse, parse_named
from edgeguard.alerts.topics import sender, speaker
from edgeguard.client.times import utc_ns

MOST = (1 << 63) - 1
"""The largest number that a database takes."""
MOST_NS = MOST // 2
"""Times beyond, in the year 2116, and steps of a clock beyond are no times."""
UNKNOWN = "unknown"
_DURABLE = ("alert", "clock", "coverage", UNKNOWN)
_TIMES = ("at", "from", "to", "started_at", "opened_at", "observed_at", "closed_at")


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message of a device."""

    site: str
    device: str
    name: str
    """`alert`, `clock`, `coverage`, `health`, `status` or `result`: also its schema. Or `unknown`: it
    came by a topic that only a later version knows."""
    boot_id: str
    seq: int | None
    """Its number if it is durable: the device keeps it until it hears of a receipt."""
    message: dict[str, Any]
    topic: str
    body: bytes
    """As it came."""
    retained: bool = False
    fault: str | None = None
    """Why it cannot be used: it is kept aside as it came."""


def arrival(received: Received) -> Arrival:
    """What `received` tells. Raises ValueError for what is no message of the device that its topic names.

    A durable message that names itself (boot_id and seq) but breaks its schema, or has none here, comes with
    its `fault`.
    """
    origin = speaker(received.topic)
    if origin is None:
        raise ValueError("no topic of a device")
    site, device, rest = origin
    _, _, name = sender(received.topic) or (site, device, UNKNOWN)
    durable = name in _DURABLE or rest == "health/past"
    try:
        message = _message(received.body, name, durable)
        fault = None
    except ValueError as error:
        if not durable:
            raise
        message, fault = _named(received.body, error), str(error)
    if (message["site"], message["device"]) != (site, device):
        raise ValueError("its site or device is not that of its topic")
    seq = message["seq"] if durable else None
    return Arrival(
        *(site, device, name, message["boot_id"], seq, message),
        *(received.topic, received.body, received.retained, fault),
    )


def _message(body: bytes, name: str, durable: bool) -> dict[str, Any]:
    if name == UNKNOWN:
        raise ValueError("unknown topic")
    message = parse(body, name)
    numbers = (message.get(key) for key in ("seq", "revision", "seq_high"))
    if any(number is not None and number > MOST for number in numbers):
        raise ValueError(f"a number above {MOST}")
    if durable and message["seq"] is None:
        raise ValueError("a durable message without its seq")
    for key in _TIMES:
        if message.get(key) is not None and abs(utc_ns(message[key])) > MOST_NS:
            raise ValueError(f"{key} is out of this world")
    if abs(message.get("step_ms") or 0) * 1e6 > MOST_NS:
        raise ValueError("step_ms is out of this world")
    return message


def _named(body: bytes, error: ValueError) -> dict[str, Any]:
    """The object in `body` if it says which message it is, else `error`."""
    message = parse_named(body)
    if message is None or message["seq"] > MOST:
        raise error
    return message
