"""What one place of a pattern asks for, and the observation that a pattern makes of what it joined."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeguard.types import Joined, Measure, Observation, Phase

KIND = "pattern"
"""Of every observation that a pattern makes."""
AT_MOST_TOLD = 16
"""Of what a pattern joined, the newest."""


@dataclass(frozen=True, slots=True)
class Term:
    """An observation fits if it is as each of these says; None and empty say nothing."""

    kind: str
    labels: frozenset[str] | None = None
    sources: frozenset[str] | None = None
    zone: str | None = None
    rule: str | None = None
    confidence: float = 0.0
    """The least that counts."""
    text: str | None = None
    """Must be in what was said; capitals are the same as small letters."""

    def fits(self, seen: Observation) -> bool:
        return (
            seen.kind == self.kind
            and (self.labels is None or seen.label in self.labels)
            and (self.sources is None or seen.source in self.sources)
            and self.zone in (None, seen.zone)
            and self.rule in (None, seen.rule)
            and seen.confidence >= self.confidence
            and (self.text is None or self.text.casefold() in (seen.text or "").casefold())
        )


@dataclass(frozen=True, slots=True)
class Moment:
    """An observation on the time line that all sources share."""

    at_ns: int
    """Its `pts_ns` without the offset of its source."""
    seen: Observation

    @property
    def order(self) -> tuple[object, ...]:
        """The same for the same observation, in whatever order they come."""
        seen = self.seen
        told = (seen.kind, seen.key, seen.phase.value, seen.label or "", seen.zone or "", seen.rule or "")
        return (self.at_ns, seen.source, *told, seen.confidence, seen.text or "")

    @property
    def lasts(self) -> bool:
        """Whether it holds at its time: what ended is no longer so."""
        return self.seen.phase is not Phase.ENDED

    @property
    def is_new(self) -> bool:
        """Whether it happened then, rather than going on."""
        return self.seen.phase in (Phase.INSTANT, Phase.BEGAN)

    @property
    def what(self) -> tuple[object, ...]:
        """The same for one thing that several rules asked for."""
        return (self.at_ns, self.seen.source, self.seen.kind, self.seen.key, self.seen.label, self.seen.zone)


def joined(name: str, moments: Sequence[Moment], measures: Sequence[Measure]) -> Observation:
    """What the pattern `name` makes of them; `moments` are not empty.

    It belongs to the newest that shows a track, so that its picture is the evidence, or else to the newest.
    """
    ordered = sorted(moments, key=lambda moment: moment.order)
    last = ordered[-1].seen
    face = next((moment.seen for moment in reversed(ordered) if moment.seen.track_ids), last)
    sure = [moment.seen.confidence for moment in ordered if moment.seen.confidence > 0]
    return replace(
        face,
        kind=KIND,
        pts_ns=last.pts_ns,
        utc_ns=last.utc_ns,
        confidence=min(sure, default=0.0),
        phase=Phase.INSTANT,
        rule=name,
        key=face.zone or "",
        label=next((m.seen.label for m in ordered if m.seen is not face and m.seen.label), face.label),
        text=next((said for m in reversed(ordered) if (said := _may_be_told(m.seen))), None),
        measures=tuple(measures),
        joined=tuple(told(moment.seen) for moment in ordered[-AT_MOST_TOLD:]),
        media_ns=last.media_ns,
        stages=last.stages,
    )


def span_s(moments: Sequence[Moment]) -> float:
    times = [moment.at_ns for moment in moments]
    return round((max(times) - min(times)) / 1e9, 3)


def told(seen: Observation) -> Joined:
    """An observation as the alert names it."""
    return Joined(
        seen.kind,
        seen.source,
        seen.utc_ns,
        seen.confidence,
        seen.label,
        seen.zone,
        _may_be_told(seen),
        seen.rule,
        seen.track_ids,
    )


def _may_be_told(seen: Observation) -> str | None:
    """Whole sentences stay where they are kept; no alert carries one."""
    return None if seen.kind == "utterance" else seen.text
