"""What devices tell, on Frigate's topics: for dashboards and automations that were made for Frigate."""

from __future__ import annotations

import string
from collections.abc import Iterable

from edgeguard.alerts.link import Will
from edgeguard.bridges import frigate_state
from edgeguard.bridges.bridge import SILENT_S, Message, Publication, as_json, check_prefix, topic_word
from edgeguard.bridges.devices import Device, Devices
from edgeguard.bridges.frigate_events import Change, Lives
from edgeguard.clock import Clock
from edgeguard.errors import ConfigError

MAX_AGE_S = 300.0
STATS_EVERY_S = 60.0
_SOUND_HOLD_NS = 30_000_000_000
"""How long a sound stays ON, as in Frigate."""
_MOST_SOUNDS = 1000
_WILL_DELAY_S = 3
"""Rides over a reconnect."""


def names_for(site: str, device: str, names: str | None = None) -> str:
    """How cameras are called where `site` and `device` are subscribed to, `+` being all of them.

    Raises ConfigError for `names` under which two cameras could be called the same.
    """
    several = [level for level, chosen in (("site", site), ("device", device)) if chosen == "+"]
    if names is None:
        return "".join(f"{{{level}}}_" for level in several) + "{camera}"
    if missing := [level for level in several if f"{{{level}}}" not in names]:
        raise ConfigError(
            f"names is {names!r}, but more than one {missing[0]} is subscribed to; "
            f"use {{{missing[0]}}} in it, or choose one with --{missing[0]}"
        )
    return names


class FrigateBridge:
    """Says on `<prefix>/…` what the devices of one subscription tell; one bridge per prefix.

    `names` makes a camera's name here of {site}, {device} and {camera}; zones and microphones likewise.
    """

    def __init__(
        self,
        clock: Clock,
        prefix: str = "frigate",
        names: str = "{device}_{camera}",
        *,
        max_age_s: float = MAX_AGE_S,
        silent_s: float = SILENT_S,
    ) -> None:
        self._clock = clock
        self._prefix = check_prefix(prefix)
        self._names = _checked(names)
        self._devices = Devices(clock, silent_s)
        self._lives = Lives(max_age_s)
        self._told: dict[tuple[str, str], dict[str, str]] = {}
        """The present state of each device, by topic below the prefix."""
        self._available: str | None = None
        """The same of all of them."""
        self._sounds: dict[str, int] = {}
        """Topics that are ON, and until when."""
        self._stats_ns: int | None = None
        self.subscriptions: tuple[str, ...] = ()
        self.will: Will | None = Will(f"{prefix}/available", b"offline", _WILL_DELAY_S)

    @property
    def notes(self) -> dict[str, int]:
        """What happened that somebody may want to know."""
        return {"devices": len(self._devices), "too_old": self._lives.too_old}

    def take(self, name: str, body: Message, live: bool) -> list[Publication]:
        device = self._devices.of(body)
        if name == "alert":
            return self._take_alert(device, body)
        if name in ("status", "health", "counts"):
            before = device.state
            device.take(name, body, live)
            return [*self._news(device), *(self._presence() if device.state != before else ())]
        return []

    def hear(self, _topic: str, _payload: bytes, _retained: bool) -> list[Publication]:
        return []

    def greet(self) -> list[Publication]:
        self._told.clear()
        self._available = None
        self._stats_ns = None
        return self.tick()

    def tick(self) -> list[Publication]:
        news = [one for device in self._devices for one in self._news(device)]
        return [*news, *self._presence(), *self._silence(), *self._stats_if_due()]

    def farewell(self) -> list[Publication]:
        ended = [one for change in self._lives.end_all() for one in self._said(change)]
        return [*ended, Publication(f"{self._prefix}/available", "stopped", retain=True)]

    def _take_alert(self, device: Device, alert: Message) -> list[Publication]:
        name = self._naming(device)
        line = alert["kind"] == "line_crossed"
        zone = None if line or alert["zone"] is None else name(alert["zone"])
        camera = name(alert["source"])
        changes = self._lives.take(alert, camera, zone, device.age_s)
        publications = [one for change in changes for one in self._said(change)]
        if alert["kind"] == "sound" and any(change.type == "new" for change in changes):
            publications += self._sound(camera, alert["label"] or alert["kind"])
        return publications

    def _said(self, change: Change) -> list[Publication]:
        said = {"reviews": change.review, **({} if change.event is None else {"events": change.event})}
        return [
            Publication(f"{self._prefix}/{topic}", as_json({"type": change.type, "before": b, "after": a}))
            for topic, (b, a) in sorted(said.items())
        ]

    def _sound(self, microphone: str, label: str) -> list[Publication]:
        topic = f"{self._prefix}/{microphone}/audio/{topic_word(label)}"
        if topic not in self._sounds and len(self._sounds) >= _MOST_SOUNDS:
            return []
        self._sounds[topic] = self._clock.monotonic_ns() + _SOUND_HOLD_NS
        return [Publication(topic, "ON")]

    def _silence(self) -> list[Publication]:
        now_ns = self._clock.monotonic_ns()
        over = [topic for topic, until_ns in self._sounds.items() if until_ns <= now_ns]
        for topic in over:
            del self._sounds[topic]
        return [Publication(topic, "OFF") for topic in over]

    def _news(self, device: Device) -> list[Publication]:
        """What the topics of a device say otherwise than before."""
        key, there = (device.site, device.name), device.state == "online"
        before, now = self._told.get(key, {}), frigate_state.topics(device, self._naming(device), there)
        self._told[key] = now
        gone = {topic: _nothing(topic) for topic in before.keys() - now.keys()}
        return [
            Publication(f"{self._prefix}/{topic}", text)
            for topic, text in sorted({**now, **gone}.items())
            if before.get(topic) != text
        ]

    def _presence(self) -> list[Publication]:
        """`online` while any device is: a bridge without a device guards nothing, and says nothing."""
        before, states = self._available, {device.state for device in self._devices}
        if not states:
            return []
        self._available = next((state for state in ("online", "stopped") if state in states), "offline")
        if self._available == before:
            return []
        return [Publication(f"{self._prefix}/available", self._available, retain=True)]

    def _stats_if_due(self) -> list[Publication]:
        now_ns = self._clock.monotonic_ns()
        if self._stats_ns is not None and now_ns - self._stats_ns < STATS_EVERY_S * 1e9:
            return []
        self._stats_ns = now_ns
        return [Publication(f"{self._prefix}/stats", as_json(self._stats()))]

    def _stats(self) -> Message:
        online = [device for device in self._devices if device.state == "online"]
        cameras: dict[str, Message] = {}
        detectors: dict[str, Message] = {}
        for device in online:
            cameras.update(frigate_state.camera_stats(device, self._naming(device)))
            detectors.update(frigate_state.detector_stats(device, self._naming(device)))
        rates = [camera["detection_fps"] for camera in cameras.values()]
        return {
            "cameras": cameras,
            "detectors": detectors,
            "detection_fps": _sum(rates),
            "service": frigate_state.service_stats(online),
        }

    def _naming(self, device: Device) -> frigate_state.Naming:
        return lambda word: topic_word(self._names.format(site=device.site, device=device.name, camera=word))


def _sum(rates: Iterable[float | None]) -> float:
    return round(sum(rate for rate in rates if rate is not None), 2)


def _nothing(topic: str) -> str:
    """What a topic says for the last time."""
    return "offline" if "/status/" in topic else "0"


def _checked(names: str) -> str:
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(names) if field is not None}
        names.format(site="s", device="d", camera="c")
    except (ValueError, LookupError, AttributeError) as error:
        raise ConfigError(f"names is {names!r}, which cannot be filled in: {error}") from error
    if "camera" not in fields or not fields <= {"site", "device", "camera"}:
        raise ConfigError(
            f"names is {names!r}; use {{camera}}, and {{device}} and {{site}} where there are several"
        )
    return names
