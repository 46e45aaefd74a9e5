"""What an alert is raised for: one section per kind of rule."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.detector import ClassName
from edgeguard.config.labels import MOTION
from edgeguard.config.sanity import Tampering
from edgeguard.config.section import Distinct, Name, Section, Share, Some
from edgeguard.config.sounds import TagName
from edgeguard.types import Severity


class Rule(Section):
    """What all kinds of rules have in common."""

    kind: str
    """What must happen."""
    name: Name = Field(examples=["dock-entered"])
    """What alerts call the rule; unique."""
    enabled: bool = True
    """Whether it raises alerts."""
    severity: Annotated[Severity, Field(strict=False)] = Severity.WARNING
    """How bad it is: info, warning, alarm or critical."""
    cooldown_s: float = Field(default=10.0, ge=0, le=86_400)
    """Seconds after an alert in which the same track, zone, keyword or sound raises no other by this rule."""
    schedule: Name | None = None
    """Name of the schedule in which it is armed; null: at any time."""


class SceneRule(Rule):
    """A rule on what a camera sees."""

    camera: Name = Field(examples=["gate"])
    """Name of the camera."""
    classes: Some[ClassName] | None = None
    """Classes that count, all of them looked for by the camera's detector; null: whatever it looks for."""


class ZoneRule(SceneRule):
    """A rule on what is in a zone."""

    zone: Name = Field(examples=["dock"])
    """Name of a zone of that camera."""


class ZoneEntered(ZoneRule):
    """Something comes into a zone."""

    kind: Literal["zone_entered"]
    """Something comes into a zone, or is first seen inside it."""


class ZoneLeft(ZoneRule):
    """Something goes out of a zone."""

    kind: Literal["zone_left"]
    """Something goes out of a zone."""


class LineCrossed(SceneRule):
    """Something crosses a line."""

    kind: Literal["line_crossed"]
    """Something crosses a line."""
    line: Name = Field(examples=["entrance"])
    """Name of a line of that camera."""
    direction: Literal["any", "left_to_right", "right_to_left"] = "any"
    """Which crossings count. Left and right are meant looking from the line's `start` to its `end`."""


class Loitering(ZoneRule):
    """Something stays in a zone."""

    kind: Literal["loitering"]
    """Something stays in a zone."""
    dwell_s: float = Field(gt=0, le=86_400, examples=[30.0])
    """Seconds for which it must stay."""


class Crowd(ZoneRule):
    """Many are in a zone together."""

    kind: Literal["crowd"]
    """Many are in a zone together."""
    count: int = Field(ge=2, le=1000, examples=[4])
    """How many there must be at least."""
    hold_s: float = Field(default=1.0, ge=0, le=3600)
    """Seconds for which there must be so many."""


class PersonDown(ZoneRule):
    """A person is down."""

    kind: Literal["person_down"]
    """A person seems to lie in a zone, to judge by the shape of the box: a hint, no medical device."""
    classes: Some[ClassName] = ("person",)
    """Classes that count, all of them looked for by the camera's detector; never whatever moves."""
    ratio: float = Field(default=1.2, ge=1, le=5)
    """How many times as wide as tall the box must be at least; one at the picture's edge never counts."""
    for_s: float = Field(default=5.0, gt=0, le=3600)
    """Seconds for which it must be."""

    @field_validator("classes")
    @classmethod
    def _of_a_shape(cls, classes: tuple[str, ...]) -> tuple[str, ...]:
        if MOTION in classes:
            raise ValueError(f"expected no {MOTION}: whatever moves may well be wide")
        return classes


class HeardRule(Rule):
    """A rule on what a microphone hears."""

    microphone: Name | None = None
    """Name of the microphone; null: any."""


class Keyword(HeardRule):
    """A keyword is spoken."""

    kind: Literal["keyword"]
    """A keyword is spoken."""
    keywords: Some[Name] | None = None
    """Names from `speech.keywords`; null: all of them."""


class Sound(HeardRule):
    """A sound is heard."""

    kind: Literal["sound"]
    """A sound is heard."""
    tags: Some[TagName] | None = None
    """Sound tags from `sounds.tags`; null: all of them."""


class Intent(HeardRule):
    """Somebody means something: distress, a threat, fire."""

    kind: Literal["intent"]
    """Somebody asks for help, threatens, warns: understood from what is said."""
    intents: Some[Name] | None = Field(default=None, examples=[["distress", "threat"]])
    """Which: distress, threat, weapon, fire, medical, intrusion, violence, or your own; null: any."""
    urgency: Share | None = None
    """Urgency (0 to 1) from which it counts; null: as in `speech.understanding`."""


class HeardAndSeen(ZoneRule, HeardRule):
    """A sound or a keyword, and somebody in a zone at about the same time."""

    kind: Literal["heard_and_seen"]
    """A sound or a keyword is heard while somebody is in a zone, or shortly before or after."""
    within_s: float = Field(default=5.0, ge=0, le=60)
    """Seconds that may lie between hearing and seeing."""
    keywords: Distinct[Name] = ()
    """Names from `speech.keywords`."""
    tags: Distinct[TagName] = Field(default=(), validate_default=True, examples=[["glass", "scream"]])
    """Sound tags from `sounds.tags`; at least one tag or keyword."""

    @field_validator("tags")
    @classmethod
    def _something_to_hear(cls, tags: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if not tags and not info.data.get("keywords", True):
            raise ValueError("expected at least one tag here, or one of `keywords`")
        return tags


class Blind(Rule):
    """A camera or a microphone gives nothing."""

    kind: Literal["blind"]
    """A camera or a microphone gives nothing: while nobody watches, no alert means nothing."""
    sources: Some[Name] | None = Field(default=None, examples=[["gate", "gate-mic"]])
    """Names of cameras and microphones; null: all of them."""
    after_s: float = Field(default=30.0, ge=0, le=86_400)
    """Seconds for which it must give nothing."""


class Tampered(Rule):
    """Somebody tampers with a camera, or its view fails."""

    kind: Literal["tampered"]
    """Somebody tampers with a camera, or its view fails: see the cameras' `sanity`."""
    camera: Name | None = None
    """Name of the camera; null: any."""
    what: Some[Tampering] | None = Field(default=None, examples=[["covered", "moved"]])
    """covered, defocused, moved, frozen, too_dark or ir_flip; null: any."""


class MicrophoneFault(HeardRule):
    """A microphone is broken, covered or badly set."""

    kind: Literal["microphone_fault"]
    """A microphone is broken, covered or badly set: see the microphones' `checks`."""
    faults: Some[Literal["dead", "silent", "clipping", "dc_offset"]] | None = Field(
        default=None, examples=[["dead", "silent"]]
    )
    """dead, silent, clipping or dc_offset; null: any."""


AnyRule = Annotated[
    Union[  # noqa: UP007
        ZoneEntered,
        ZoneLeft,
        LineCrossed,
        Loitering,
        Crowd,
        PersonDown,
        Keyword,
        Sound,
        Intent,
        HeardAndSeen,
        Blind,
        Tampered,
        MicrophoneFault,
    ],
    Field(discriminator="kind"),
]


def examples() -> list[dict[str, Any]]:
    """The least that each kind of rule must say."""
    place = {"camera": "gate", "zone": "dock"}
    return [
        {"kind": "zone_entered", "name": "dock-entered", **place},
        {"kind": "zone_left", "name": "dock-left", **place},
        {"kind": "line_crossed", "name": "entrance-crossed", "camera": "gate", "line": "entrance"},
        {"kind": "loitering", "name": "dock-loitering", **place, "dwell_s": 30.0},
        {"kind": "crowd", "name": "dock-crowd", **place, "count": 4},
        {"kind": "person_down", "name": "dock-person-down", **place},
        {"kind": "keyword", "name": "help-called"},
        {"kind": "sound", "name": "anything-heard"},
        {"kind": "intent", "name": "cry-for-help"},
        {"kind": "heard_and_seen", "name": "break-in", **place, "tags": ["glass", "scream"]},
        {"kind": "blind", "name": "nobody-watches"},
        {"kind": "tampered", "name": "camera-tampered"},
        {"kind": "microphone_fault", "name": "microphone-broken"},
    ]
