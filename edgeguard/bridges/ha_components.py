"""The entities of one device in Home Assistant, which read EdgeGuard's own topics through templates.

A name that comes over the wire stands in a template only where it is a plain word: Home Assistant runs
templates, and a device shall not write them.
"""

from __future__ import annotations

import hashlib
import re

from edgeguard import __version__
from edgeguard.alerts.topics import Topics
from edgeguard.bridges.bridge import Message
from edgeguard.bridges.devices import Device

KINDS = (
    *("zone_entered", "zone_left", "line_crossed", "loitering", "crowd", "person_down"),
    *("keyword", "sound", "intent", "heard_and_seen", "pattern"),
    *("blind", "tampered", "microphone_fault", "drill_missed", "outbox_damaged", "alerts_shed"),
)
"""The kinds of alerts, which are the types of the event; what is not among them is `other`."""

EVENT_AGE_S = 300
"""A late copy of an alert is an event only if it is younger."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_OBJECT = re.compile(r"[a-z0-9-]+")

_IS_THERE = "{{ 'online' if value_json.state == 'online' else 'offline' }}"
_DEGRADED = (
    "{% set ns = namespace(parts={}) %}"
    "{% for name, part in value_json.parts.items() if part.state == 'degraded' %}"
    "{% set ns.parts = dict(ns.parts, **{name: part.reason}) %}"
    "{% endfor %}{{ {'degraded': ns.parts} | tojson }}"
)
_ALERT_FIELDS = (
    *("alert_id", "revision", "state", "kind", "severity", "source", "rule", "zone", "label", "summary"),
    *("opened_at", "observed_at", "closed_at", "confidence", "acknowledged", "drill", "replayed"),
)


def object_id(device: Device) -> str:
    """The device in a discovery topic, where only letters, digits, `-` and `_` may stand."""
    if _OBJECT.fullmatch(device.site) and _OBJECT.fullmatch(device.name):
        return f"{device.site}_{device.name}"
    plain = re.sub(r"[^A-Za-z0-9-]", "-", f"{device.site}-{device.name}")
    return f"{plain}_{hashlib.sha256(f'{device.site}/{device.name}'.encode()).hexdigest()[:8]}"


def discovery(device: Device, silent_s: float) -> Message:
    """The discovery message of a device whose health is known."""
    name = object_id(device)
    topics = Topics(device.site, device.name)
    return {
        "device": {
            "identifiers": [f"edgeguard_{name}"],
            "name": f"{device.site} {device.name}",
            "manufacturer": "EdgeGuard",
            "model": "Guard",
            **({} if device.version is None else {"sw_version": device.version}),
        },
        "origin": {"name": "EdgeGuard bridge", "sw_version": __version__},
        "availability": [{"topic": topics.status, "value_template": _IS_THERE}],
        "qos": 1,
        "components": {
            key: {**component, "unique_id": f"edgeguard_{name}_{key}"}
            for key, component in _components(device, topics, round(silent_s)).items()
        },
    }


def _components(device: Device, topics: Topics, expire_s: int) -> dict[str, Message]:
    every_alert = f"{topics.alert('x', 'x').removesuffix('/x/x')}/#"
    components = {
        "health": _health(topics, expire_s),
        "problem": _problem("Problem", "value_json.state == 'degraded'", topics, expire_s),
        "outbox_pending": _outbox_pending(topics, expire_s),
        "last_alert": _last_alert(every_alert),
        "alert": _alert_event(every_alert),
    }
    for camera in filter(_PLAIN.fullmatch, device.cameras):
        components.update(_camera(camera, topics, expire_s))
    for microphone in filter(_PLAIN.fullmatch, device.microphones):
        part = f"microphone/{microphone}"
        problem = _problem(f"{microphone} problem", _fails(part), topics, expire_s)
        components[f"microphone_{microphone}_problem"] = problem
    return components


def _health(topics: Topics, expire_s: int) -> Message:
    return {
        "platform": "sensor",
        "name": "Health",
        "device_class": "enum",
        "options": ["starting", "ok", "degraded"],
        "entity_category": "diagnostic",
        "state_topic": topics.health,
        "value_template": "{{ value_json.state }}",
        "json_attributes_topic": topics.health,
        "json_attributes_template": _DEGRADED,
        "expire_after": expire_s,
    }


def _problem(name: str, condition: str, topics: Topics, expire_s: int) -> Message:
    return {
        "platform": "binary_sensor",
        "name": name,
        "device_class": "problem",
        "state_topic": topics.health,
        "value_template": f"{{{{ 'ON' if {condition} else 'OFF' }}}}",
        "expire_after": expire_s,
    }


def _fails(part: str) -> str:
    """Also where the part is not told of at all; `off` is how its owner wants it."""
    return f"value_json.parts.get('{part}', {{}}).get('state', 'degraded') in ['degraded', 'ended']"


def _outbox_pending(topics: Topics, expire_s: int) -> Message:
    return {
        "platform": "sensor",
        "name": "Alerts not delivered yet",
        "state_class": "measurement",
        "entity_category": "diagnostic",
        "icon": "mdi:tray-full",
        "state_topic": topics.health,
        "value_template": "{{ value_json.parts.outbox.counters.pending }}",
        "expire_after": expire_s,
    }


def _last_alert(every_alert: str) -> Message:
    """A state holds 255 characters at most."""
    return {
        "platform": "sensor",
        "name": "Last alert",
        "icon": "mdi:shield-alert",
        "state_topic": every_alert,
        "value_template": "{{ value_json.summary[:255] }}",
        "json_attributes_topic": every_alert,
        "json_attributes_template": f"{{{{ {{{_picked(_ALERT_FIELDS)}}} | tojson }}}}",
    }


def _alert_event(every_alert: str) -> Message:
    """One event when an alert is opened, unless it is an exercise; what the template makes nothing of is
    none."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    fresh = f"as_timestamp(now()) - as_timestamp(value_json.observed_at) < {EVENT_AGE_S}"
    kind = f"value_json.kind if value_json.kind in [{kinds}] else 'other'"
    return {
        "platform": "event",
        "name": "Alert",
        "icon": "mdi:shield-alert",
        "event_types": [*KINDS, "other"],
        "state_topic": every_alert,
        "value_template": (
            f"{{% if value_json.state == 'opened' and not value_json.drill"
            f" and (not value_json.replayed or {fresh}) %}}"
            f"{{{{ {{'event_type': {kind}, {_picked(_ALERT_FIELDS)}}} | tojson }}}}{{% endif %}}"
        ),
    }


def _camera(camera: str, topics: Topics, expire_s: int) -> dict[str, Message]:
    counts = topics.counts(camera)
    count = {"platform": "sensor", "state_class": "measurement", "state_topic": counts}
    return {
        f"camera_{camera}_person": {
            **count,
            "name": f"{camera} persons",
            "icon": "mdi:account",
            "value_template": "{{ value_json.seen.get('person', 0) }}",
        },
        f"camera_{camera}_objects": {
            **count,
            "name": f"{camera} objects",
            "icon": "mdi:counter",
            "value_template": "{{ value_json.seen.values() | sum }}",
            "json_attributes_topic": counts,
            "json_attributes_template": f"{{{{ {{{_picked(('seen', 'moving', 'zones'))}}} | tojson }}}}",
        },
        f"camera_{camera}_problem": _problem(
            f"{camera} problem", _fails(f"camera/{camera}"), topics, expire_s
        ),
    }


def _picked(fields: tuple[str, ...]) -> str:
    return ", ".join(f"'{field}': value_json.{field}" for field in fields)
