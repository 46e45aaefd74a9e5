"""Home Assistant's MQTT discovery: each device with its entities, which read EdgeGuard's own topics.

The bridge only announces. Values do not pass through it, so they come also while it is away.
"""

from __future__ import annotations

import json

from edgeguard.alerts.link import Will
from edgeguard.bridges.bridge import SILENT_S, Message, Publication, as_json, check_prefix
from edgeguard.bridges.devices import Device, Devices
from edgeguard.bridges.ha_components import discovery, object_id
from edgeguard.clock import Clock

_LONGEST_CONFIG = 1_000_000
_MOST_EARLIER = 10_000

Platforms = dict[str, str]
"""Components by key, with their platform: what it takes to remove one."""


class HomeAssistantBridge:
    """Announces every device below `prefix`, and takes back what it no longer has.

    What was announced before the bridge started is read from the broker, so that a camera that went away
    in between is taken back, too.
    """

    def __init__(self, clock: Clock, prefix: str = "homeassistant", *, silent_s: float = SILENT_S) -> None:
        self._prefix = check_prefix(prefix)
        self._silent_s = silent_s
        self._devices = Devices(clock, silent_s)
        self._announced: dict[str, Message] = {}
        """The discovery message by object id."""
        self._earlier: dict[str, Platforms] = {}
        """What an earlier run announced of devices that were not heard of yet."""
        self.will: Will | None = None
        self.subscriptions = (f"{prefix}/status", self._topic("+"))

    @property
    def notes(self) -> dict[str, int]:
        """What happened that somebody may want to know."""
        return {"devices": len(self._announced)}

    def take(self, name: str, body: Message, live: bool) -> list[Publication]:
        if name not in ("status", "health"):
            return []
        device = self._devices.of(body)
        device.take(name, body, live)
        return [] if device.health is None else self._announce(device)

    def hear(self, topic: str, payload: bytes, retained: bool) -> list[Publication]:
        if topic == f"{self._prefix}/status":
            return self.greet() if payload == b"online" else []
        return self._compare(topic.split("/")[-2], _platforms(payload)) if retained else []

    def greet(self) -> list[Publication]:
        return [self._publication(name, message) for name, message in self._announced.items()]

    def tick(self) -> list[Publication]:
        return []

    def farewell(self) -> list[Publication]:
        return []

    def _announce(self, device: Device) -> list[Publication]:
        name, message = object_id(device), discovery(device, self._silent_s)
        before = self._announced.get(name)
        if message == before:
            return []
        earlier = self._earlier.pop(name, {}) if before is None else _components(before)
        self._announced[name] = message
        return self._replace(name, message, earlier)

    def _compare(self, name: str, earlier: Platforms) -> list[Publication]:
        """The broker holds what was announced before; a device that is not known yet is compared later."""
        message = self._announced.get(name)
        if message is not None:
            gone = earlier.keys() - message["components"].keys()
            return self._replace(name, message, earlier) if gone else []
        if len(self._earlier) < _MOST_EARLIER:
            self._earlier[name] = earlier
        return []

    def _replace(self, name: str, message: Message, earlier: Platforms) -> list[Publication]:
        """A component is removed by a message that has no more of it than its platform, and then by none."""
        gone = {key: {"platform": earlier[key]} for key in earlier.keys() - message["components"].keys()}
        publications = [self._publication(name, message)]
        if gone:
            farewell = {**message, "components": {**message["components"], **gone}}
            publications.insert(0, self._publication(name, farewell))
        return publications

    def _publication(self, name: str, message: Message) -> Publication:
        return Publication(self._topic(name), as_json(message), retain=True)

    def _topic(self, name: str) -> str:
        return f"{self._prefix}/device/edgeguard/{name}/config"


def _components(message: Message) -> Platforms:
    return {key: component["platform"] for key, component in message["components"].items()}


def _platforms(payload: bytes) -> Platforms:
    """The components of a discovery message that an earlier run left; none if it is not understood."""
    if len(payload) > _LONGEST_CONFIG:
        return {}
    try:
        components = json.loads(payload)["components"].items()
        return {key: str(one["platform"]) for key, one in components if len(one) > 1}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return {}
