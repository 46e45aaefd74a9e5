"""A first configuration from a few answers: short, commented, and valid."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Guarded = Literal["intrusion", "loitering", "crowd", "help", "sounds"]
GUARDED: dict[Guarded, str] = {
    "intrusion": "somebody is there outside working hours",
    "loitering": "somebody stays for more than a minute outside working hours",
    "crowd": "five people or more are together",
    "help": "somebody calls for help, threatens or warns",
    "sounds": "glass breaks, a smoke alarm, a scream, a shot",
}
_SEEN: tuple[Guarded, ...] = ("intrusion", "loitering", "crowd")
_NAME_CHARS = 32
_EVERYWHERE = "[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera or a microphone is."""

    url: str
    username: str | None = None
    password_file: str | None = None
    camera: str | None = None
    """Of a microphone: the camera beside it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What an installer says about a site."""

    site: str
    device: str
    timezone: str
    broker: str
    port: int | None = None
    tls: bool = True
    plaintext: bool = False
    """Whether nothing is encrypted on the way to another machine, and that is meant."""
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None
    cameras: Mapping[str, Place] = field(default_factory=dict)
    microphones: Mapping[str, Place] = field(default_factory=dict)
    guard: Sequence[Guarded] = ()
    closed: tuple[str, str] = ("20:00", "06:00")
    """Local time from which to which nobody should be there."""


def starter(answers: Answers) -> str:
    """The configuration's text; `parse` says whether the answers made sense."""
    lines = [
        "# Written by `edgeguard init`. Every key, what it means: `edgeguard config reference`.",
        f"site: {_text(answers.site)}",
        f"device: {_text(answers.device)}",
        f"timezone: {_text(answers.timezone)}",
        "",
        *_places("cameras", answers.cameras, seen=True),
        *_places("microphones", answers.microphones, seen=False),
        *_schedule(answers),
        *_rules(answers),
        *_broker(answers),
    ]
    return "\n".join(lines) + "\n"


def _places(section: str, places: Mapping[str, Place], *, seen: bool) -> list[str]:
    if not places:
        return []
    lines = [f"{section}:"]
    for name, place in places.items():
        lines += [f"  {_text(name)}:", f"    url: {_text(place.url)}"]
        lines += [f"    username: {_text(place.username)}"] if place.username else []
        lines += [f"    password_file: {_text(place.password_file)}"] if place.password_file else []
        lines += [f"    camera: {_text(place.camera)}"] if place.camera else []
        if seen:
            lines += [
                "    zones:",
                "      # Corners as shares of width and height; draw your own places here.",
            ]
            lines += [f"      everywhere: {{polygon: {_EVERYWHERE}}}"]
    return [*lines, ""]


def _schedule(answers: Answers) -> list[str]:
    if not {"intrusion", "loitering"} & set(answers.guard):
        return []
    start, end = answers.closed
    return ["schedules:", "  closed:", f"    - {{from: {_text(start)}, to: {_text(end)}}}", ""]


def _rules(answers: Answers) -> list[str]:
    rules = [
        rule
        for number, camera in enumerate(answers.cameras, 1)
        for kind in answers.guard
        for rule in _seen_rule(kind, camera, number)
    ]
    if answers.microphones:
        rules += [rule for kind in answers.guard for rule in _heard_rule(kind)]
    return ["rules:", *(f"  - {{{rule}}}" for rule in rules), ""] if rules else []


def _seen_rule(kind: Guarded, camera: str, number: int) -> list[str]:
    name = f"{kind}-{camera}"
    if len(name) > _NAME_CHARS:  # two long names may begin alike
        name = f"{kind}-{number}-{camera}"[:_NAME_CHARS].rstrip("-_")
    name = _text(name)
    place = f"name: {name}, camera: {_text(camera)}, zone: everywhere, classes: [person]"
    match kind:
        case "intrusion":
            return [f"kind: zone_entered, {place}, schedule: closed, severity: alarm"]
        case "loitering":
            return [f"kind: loitering, {place}, dwell_s: 60, schedule: closed"]
        case "crowd":
            return [f"kind: crowd, {place}, count: 5, hold_s: 10, severity: info"]
    return []


def _heard_rule(kind: Guarded) -> list[str]:
    match kind:
        case "help":
            return ["kind: intent, name: help-called, urgency: 0.7, severity: alarm"]
        case "sounds":
            tags = "[glass, smoke_alarm, scream, gunshot]"
            return [f"kind: sound, name: sounds, tags: {tags}, severity: alarm"]
    return []


def _broker(answers: Answers) -> list[str]:
    lines = ["mqtt:", f"  host: {_text(answers.broker)}"]
    lines += [f"  port: {answers.port}"] if answers.port else []
    lines += [f"  username: {_text(answers.username)}"] if answers.username else []
    lines += [f"  password_file: {_text(answers.password_file)}"] if answers.password_file else []
    lines += ["  allow_plaintext: true"] if answers.plaintext else []
    if answers.tls:
        lines += ["  tls:", "    enabled: true"]
        lines += [f"    ca_file: {_text(answers.ca_file)}"] if answers.ca_file else []
        lines += [f"    cert_file: {_text(answers.cert_file)}"] if answers.cert_file else []
        lines += [f"    key_file: {_text(answers.key_file)}"] if answers.key_file else []
    return lines


def _text(value: str) -> str:
    """As YAML reads it back, whatever is in it: JSON's quoted text is YAML."""
    return json.dumps(value, ensure_ascii=False)


def unseen(answers: Answers) -> list[str]:
    """What was asked for and cannot be had from these cameras and microphones, a sentence each."""
    seen = [kind for kind in answers.guard if kind in _SEEN]
    heard = [kind for kind in answers.guard if kind not in _SEEN]
    told = []
    if seen and not answers.cameras:
        told.append(f"{', '.join(seen)} would need a camera")
    if heard and not answers.microphones:
        told.append(f"{', '.join(heard)} would need a microphone")
    return told
