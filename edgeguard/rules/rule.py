"""What every rule offers, and how it says what it noticed."""

from __future__ import annotations

from typing import Protocol

from edgeguard.types import Measure, Observation, Phase, Tracks


class Rule(Protocol):
    """Notices one behaviour on one camera; all its times come from the tracks."""

    name: str

    def update(self, tracks: Tracks) -> list[Observation]:
        """Take the tracks of the next frame, also when there are none."""


def rows_of(tracks: Tracks, labels: frozenset[str] | None) -> list[int]:
    """The rows whose class is wanted; all of them for None."""
    return [row for row in range(len(tracks)) if labels is None or tracks.label(row) in labels]


def observe(
    kind: str,
    tracks: Tracks,
    *,
    rule: str | None,
    key: str,
    zone: str,
    phase: Phase = Phase.INSTANT,
    rows: list[int] | None = None,
    track_ids: tuple[int, ...] | None = None,
    label: str | None = None,
    measures: tuple[Measure, ...] = (),
) -> Observation:
    """An observation about `rows` of `tracks`, or about tracks that are gone (`track_ids`)."""
    rows = rows or []
    confidence = max((float(tracks.confidence[row]) for row in rows), default=0.0)
    return Observation(
        kind=kind,
        source=tracks.source,
        pts_ns=tracks.pts_ns,
        utc_ns=tracks.utc_ns,
        confidence=confidence,
        phase=phase,
        rule=rule,
        key=key,
        zone=zone,
        track_ids=tuple(int(tracks.track_id[row]) for row in rows) if track_ids is None else track_ids,
        label=label if label is not None or not rows else tracks.label(rows[0]),
        measures=measures,
        sequence=tracks.sequence,
    )
