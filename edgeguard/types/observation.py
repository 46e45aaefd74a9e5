"""The waist of the hourglass: something was noticed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Phase(str, Enum):
    """Where in its life the noticed thing is."""

    INSTANT = "instant"
    """It happened and is over: a line crossed, a word spoken."""
    BEGAN = "began"
    CONTINUES = "continues"
    """Still so, with new measured values."""
    ENDED = "ended"


EVERYWHERE = "picture"
"""The zone of somebody anywhere in a camera's picture."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One measured value against the threshold that it was compared with."""

    name: str
    """With its unit: `dwell_s`, `count`, `confidence`, `delay_s`, `direction`."""
    value: float | str
    comparison: str = "is"
    """`>=`, `<=` or `is`."""
    threshold: float | str | None = None


@dataclass(frozen=True, slots=True)
class Stages:
    """Monotonic times (ns) of one frame's or chunk's way; None where it did not pass."""

    arrived_ns: int | None = None
    """Decoded and in the daemon."""
    infer_start_ns: int | None = None
    infer_end_ns: int | None = None
    ruled_ns: int | None = None
    """The rule fired."""
    sensor_ns: int | None = None
    """The camera took it, by its own word."""
    received_ns: int | None = None
    """It was in the daemon as the camera encoded it."""


@dataclass(frozen=True, slots=True)
class Joined:
    """One of the observations that a pattern joined, as it was noticed."""

    kind: str
    source: str
    utc_ns: int
    confidence: float
    label: str | None = None
    zone: str | None = None
    text: str | None = None
    rule: str | None = None
    track_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """Something was noticed by a rule, a recogniser or a health check."""

    kind: str
    """`zone_entered`, `line_crossed`, `keyword`, `sound`, ...: also the alert kind and the topic word."""
    source: str
    """Camera or microphone name."""
    pts_ns: int
    """Monotonic time of the frame or sample that shows it."""
    utc_ns: int
    """UTC time of `pts_ns`."""
    confidence: float
    """0..1."""
    phase: Phase = Phase.INSTANT
    rule: str | None = None
    """Name of the configured rule; None for what no rule asked for."""
    key: str = ""
    """Tells apart the lives of one rule: the track id, the zone, the sound's name."""
    zone: str | None = None
    """Zone or line name."""
    track_ids: tuple[int, ...] = ()
    label: str | None = None
    """Class, sound or keyword."""
    text: str | None = None
    """What was said."""
    measures: tuple[Measure, ...] = ()
    """The why."""
    joined: tuple[Joined, ...] = ()
    """What a pattern joined, in the order of time; empty for what one source noticed by itself."""
    sequence: int | None = None
    """Frame or chunk number at its source."""
    media_ns: int | None = None
    """Time since the start of the file or scene; None for live sources."""
    stages: Stages = field(default_factory=Stages)
