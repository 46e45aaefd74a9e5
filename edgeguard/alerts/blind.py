"""Blind time as it is told: in alerts, and once a day."""

from __future__ import annotations

from edgeguard.alerts.messages import ClockQuality, Identity, Message, clock_member, message_head, rfc3339
from edgeguard.types import BlindTime, CoverageDay, SourceDay


def coverage_message(
    day: CoverageDay, identity: Identity, seq: int, utc_ns: int, clock: ClockQuality
) -> Message:
    """A day that is over: who was watched for how much of it, and why not for the rest."""
    return {
        **message_head("coverage", identity),
        "seq": seq,
        "at": rfc3339(utc_ns),
        "day": day.day,
        "time_zone": day.time_zone,
        "from": rfc3339(day.from_utc_ns),
        "to": rfc3339(day.to_utc_ns),
        "clock": clock_member(clock),
        "sources": [_source(source) for source in day.sources],
        "replayed": False,
    }


def _source(source: SourceDay) -> Message:
    share = 1 - source.blind_s / source.expected_s if source.expected_s else None
    return {
        "source": source.source,
        "watched_share": None if share is None else round(min(max(share, 0.0), 1.0), 6),
        "expected_s": round(source.expected_s, 1),
        "blind_s": round(source.blind_s, 1),
        "gaps": [_gap(gap) for gap in source.gaps],
        "gaps_left_out": source.gaps_left_out,
    }


def _gap(gap: BlindTime) -> Message:
    to_ns = gap.from_utc_ns if gap.to_utc_ns is None else gap.to_utc_ns
    return {"cause": gap.cause, "from": rfc3339(gap.from_utc_ns), "to": rfc3339(to_ns)}
