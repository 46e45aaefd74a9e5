"""What several observations mean together: one section per kind of pattern."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field

from edgeguard.config.section import Many, Name, Section, Share, Some, Text
from edgeguard.types import Severity

ObservationKind = Literal[
    "presence",
    "sound",
    "keyword",
    "intent",
    "utterance",
    "zone_entered",
    "zone_left",
    "line_crossed",
    "loitering",
    "crowd",
    "person_down",
    "heard_and_seen",
    "blind",
    "tampered",
    "microphone_fault",
    "sync_drift",
    "source_lost",
    "source_back",
]
_TERM = {"kind": "sound"}
_AGAINST = {"kind": "keyword"}


class Term(Section):
    """An observation that a pattern looks for. Each key that is there must fit."""

    kind: ObservationKind
    """What was noticed. `presence` is told every second while somebody is in the zone, or anywhere in the
    picture without one."""
    labels: Some[Text] | None = None
    """Classes, sound tags, names of keywords or intents; null: any."""
    sources: Some[Name] | None = None
    """Cameras and microphones; null: any."""
    zone: Name | None = None
    """Zone or line; null: any."""
    rule: Name | None = None
    """The rule that noticed it; null: any."""
    confidence: Share = 0.0
    """The least that counts."""
    text: Text | None = None
    """Must be in what was said; null: anything."""


class PatternSection(Section):
    """What all kinds of patterns have in common."""

    kind: str
    """How the observations belong together."""
    name: Name = Field(examples=["glass-near-person"])
    """What alerts call the pattern in `rule`; unique among rules and patterns."""
    description: Text | None = None
    """What it is for, in your words."""
    enabled: bool = True
    """Whether it raises alerts."""
    severity: Annotated[Severity, Field(strict=False)] = Severity.ALARM
    """How bad it is: info, warning, alarm or critical."""
    cooldown_s: float = Field(default=30.0, ge=0, le=86_400)
    """Seconds in which the same pattern raises no other alert in the same place."""
    schedule: Name | None = None
    """Name of the schedule in which it is armed; null: at any time."""


class Raising(PatternSection):
    """A pattern that may raise the alert of a rule instead of one of its own."""

    within_s: float
    """Seconds between the first and the last."""
    raises: Name | None = None
    """The rule whose alert it makes as bad as `severity`, if one of the same place is open or was told within
    `within_s`; else, and with null, it raises an alert of its own."""


class Together(Raising):
    """Several things within a few seconds of each other."""

    kind: Literal["together"]
    """Several things within a few seconds of each other, in any order."""
    of: Annotated[tuple[Term, ...], Field(strict=False, min_length=1, max_length=6, examples=[[_TERM]])]
    """The observations that must come together, each by one of its own. One is enough beside `unless`."""
    within_s: float = Field(default=5.0, gt=0, le=3600, examples=[3.0])
    """Seconds between the first and the last."""
    unless: Many[Term] = Field(default=(), examples=[[_AGAINST]])
    """None of these within the same time before or after: the alert waits for it."""


class Sequence(Raising):
    """One thing after another."""

    kind: Literal["sequence"]
    """One thing after another, in the order in which they are listed."""
    steps: Annotated[
        tuple[Term, ...], Field(strict=False, min_length=2, max_length=6, examples=[[_TERM, _TERM]])
    ]
    """The observations, in their order."""
    within_s: float = Field(default=60.0, gt=0, le=86_400)
    """Seconds between the first and the last."""
    unless: Many[Term] = Field(default=(), examples=[[_AGAINST]])
    """None of these within the same time before or after the last: the alert waits for it."""


class Repeated(Raising):
    """The same thing several times."""

    kind: Literal["repeated"]
    """The same thing several times."""
    of: Term = Field(examples=[_TERM])
    """The observation. What goes on counts once."""
    count: int = Field(ge=2, le=1000, examples=[3])
    """How often."""
    within_s: float = Field(default=60.0, gt=0, le=86_400)
    """Seconds between the first and the last."""


class Absent(PatternSection):
    """Something that should be noticed is not."""

    kind: Literal["absent"]
    """Something that should be noticed is not, while the schedule asks for it."""
    of: Term = Field(examples=[{"kind": "presence"}])
    """The observation that is missed."""
    for_s: float = Field(ge=1, le=604_800, examples=[1800.0])
    """Seconds without it; the alert comes again each time that it is missed for as long again."""


class Witnessed(PatternSection):
    """A rule's alert that needs a second witness."""

    kind: Literal["witnessed"]
    """What a rule notices counts only with something else near it: the rule raises no alert itself."""
    rule: Name = Field(examples=["dock-entered"])
    """The rule whose alerts are held."""
    by: Annotated[tuple[Term, ...], Field(strict=False, min_length=1, max_length=6, examples=[[_TERM]])]
    """What confirms it: any of these."""
    within_s: float = Field(default=10.0, gt=0, le=3600)
    """Seconds before or after."""
    otherwise: Literal["nothing", "info"] = "info"
    """What becomes of what nothing confirms: `info` raises it at that severity, once the time is over."""


AnyPattern = Annotated[
    Union[Together, Sequence, Repeated, Absent, Witnessed],  # noqa: UP007
    Field(discriminator="kind"),
]


def terms_of(pattern: PatternSection) -> tuple[Term, ...]:
    """All observations that the pattern looks for."""
    match pattern:
        case Together():
            return (*pattern.of, *pattern.unless)
        case Sequence():
            return (*pattern.steps, *pattern.unless)
        case Repeated() | Absent():
            return (pattern.of,)
        case Witnessed():
            return pattern.by
    return ()


def pattern_examples() -> list[dict[str, Any]]:
    """The least that each kind of pattern must say."""
    seen = {"kind": "presence"}
    return [
        {"kind": "together", "name": "glass-near-person", "of": [_TERM, seen]},
        {"kind": "sequence", "name": "in-then-glass", "steps": [seen, _TERM]},
        {"kind": "repeated", "name": "glass-again", "of": _TERM, "count": 3},
        {"kind": "absent", "name": "no-guard", "of": seen, "for_s": 1800.0},
        {"kind": "witnessed", "name": "really-entered", "rule": "dock-entered", "by": [_TERM]},
    ]


class Fusion(Section):
    """How observations of several sources are joined."""

    settle_s: float = Field(default=1.0, ge=0, le=60)
    """Seconds that patterns wait for what comes late: within them the order of coming does not matter."""
