"""Home Assistant's side of discovery: what it documents, and what its templates make of messages."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jsonschema import Draft202012Validator

Message = dict[str, Any]

SCHEMA = json.loads((Path(__file__).parent / "discovery.schema.json").read_text())
TOPIC = re.compile(r"homeassistant/device/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config")
"""What Home Assistant takes for a discovery topic of a device, with a node."""


def assert_discoverable(topic: str, payload: str) -> Message:
    """The message, which Home Assistant would take."""
    assert TOPIC.fullmatch(topic), topic
    message: Message = json.loads(payload)
    faults = [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(SCHEMA).iter_errors(message)
    ]
    assert faults == []
    return message


class Entities:
    """Renders the templates of one discovery message as Home Assistant does, in its kind of sandbox."""

    def __init__(self, message: Message, now_s: float) -> None:
        self._message = message
        self._jinja = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        now = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=now_s)
        self._jinja.globals.update(now=lambda: now, as_timestamp=_as_timestamp)

    def state(self, key: str, body: Message) -> str:
        return self._render(self._message["components"][key]["value_template"], body)

    def attributes(self, key: str, body: Message) -> Message:
        text = self._render(self._message["components"][key]["json_attributes_template"], body)
        attributes: Message = json.loads(text)
        return attributes

    def event(self, key: str, body: Message) -> Message | None:
        """The event, whose type must be a declared one; None where the template makes nothing of it."""
        text = self.state(key, body)
        if not text:
            return None
        event: Message = json.loads(text)
        assert event["event_type"] in self._message["components"][key]["event_types"]
        return event

    def available(self, body: Message) -> str:
        (availability,) = self._message["availability"]
        return self._render(availability["value_template"], body)

    def _render(self, template: str, body: Message) -> str:
        return self._jinja.from_string(template).render(value_json=body).strip()


def _as_timestamp(time: str | datetime) -> float:
    return (
        time if isinstance(time, datetime) else datetime.fromisoformat(time.replace("Z", "+00:00"))
    ).timestamp()
