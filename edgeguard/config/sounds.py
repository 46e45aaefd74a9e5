"""What knows sounds."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from edgeguard.config.section import ModelName, Section, Share


class Tags(Section):
    """For each sound tag the certainty (0 to 1) from which it counts."""

    glass: Share = 0.3
    """Breaking glass."""
    scream: Share = 0.15
    """Screaming."""
    gunshot: Share = 0.55
    """Gunfire."""
    explosion: Share = 0.6
    """An explosion."""
    smoke_alarm: Share = 0.45
    """A smoke or fire alarm."""
    siren: Share = 0.4
    """A siren."""
    dog: Share = 0.45
    """A barking dog."""
    crying: Share = 0.45
    """A crying person or baby."""


TAGS = tuple(Tags.model_fields)


def _known(tag: str) -> str:
    if tag not in TAGS:
        raise ValueError(f"expected a sound tag: {', '.join(TAGS)}")
    return tag


TagName = Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(TAGS)})]
"""What can be heard."""


class Sounds(Section):
    """Sound recognition, for all microphones."""

    enabled: bool = True
    """Whether sounds are recognised at all."""
    model: ModelName = "yamnet"
    """Model from the catalog."""
    tags: Tags = Tags()
    """What can be heard, and from which certainty (0 to 1) on."""
    min_duration_s: float = Field(default=0.0, ge=0, le=60)
    """Seconds for which any sound must last at least before it counts. Some tags ask for more by themselves:
    smoke_alarm 2, siren and crying 1.5."""

    def thresholds(self) -> dict[str, float]:
        """The certainty asked for, by tag."""
        return {tag: getattr(self.tags, tag) for tag in TAGS}
