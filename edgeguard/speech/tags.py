"""Which AudioSet classes make a sound tag, and how sure YAMNet must be of them.

The thresholds lie between what YAMNet gives on recordings of the sound, at any alignment of its window,
and what it gives on speech, street, office, rain, engine and typing noise.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TagSpec:
    """One sound tag; its confidence is that of the surest class."""

    tag: str
    classes: tuple[str, ...]
    """AudioSet display names."""
    threshold: float
    """Confidence at which the sound begins."""
    min_duration_s: float = 0.0
    """How long it must be heard before it counts."""
    rivals: tuple[str, ...] = ()
    """Display names of what it is taken for: a window in which one of them is surer does not count."""


_LIKE_EXPLOSIONS = (
    "Gunshot, gunfire",
    "Machine gun",
    "Fusillade",
    "Fireworks",
    "Firecracker",
    "Thunder",
    "Thunderstorm",
)

TAGS = (
    TagSpec("glass", ("Shatter", "Breaking"), 0.3),  # "Glass" is also the clink of cups
    TagSpec("scream", ("Screaming",), 0.15),
    TagSpec("gunshot", ("Gunshot, gunfire", "Machine gun", "Fusillade"), 0.55),
    TagSpec("explosion", ("Explosion",), 0.6, rivals=_LIKE_EXPLOSIONS),
    TagSpec("smoke_alarm", ("Smoke detector, smoke alarm", "Fire alarm", "Alarm"), 0.45, 2.0),
    TagSpec(
        "siren",
        (
            "Siren",
            "Civil defense siren",
            "Police car (siren)",
            "Ambulance (siren)",
            "Fire engine, fire truck (siren)",
        ),
        0.4,
        1.5,
    ),
    TagSpec("dog", ("Dog", "Bark"), 0.45),
    TagSpec("crying", ("Crying, sobbing", "Baby cry, infant cry"), 0.45, 1.5),
)
