"""What a plagued guard owed, and what of it arrived.

Owed is the alert of everybody who passed and of every silence of the microphone, once, unless a fault that
takes away sight or hearing there (a camera, the microphone, their stages, or the whole guard was down) lasted
at any moment from when it could first be seen until half a second after it was due. It lasts from its begin
until health says that the way from the source to its stage works again, and for `SETTLE_S` more: a tracker
has to find its feet. An alert counts where it is in the collector's database.

Nothing is said of a passage, either way, where health tells that the machine was too slow for its camera: by
the code `overloaded`, by more than two pictures in a second that nobody looked at, or by a rate of pictures
far below what the camera should give; on a machine that is busy otherwise the street itself goes slowly.

What passed during such a fault is not owed; but where no alert came of it, the guard must have said that it
did not see: by the book of blind time, or by a degraded part in health. If neither did, it is a silent miss.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from _chaos_ledger import Span
from _chaos_watch import Sample
from _street import FPS, Passage

SETTLE_S = 2.0
_DUE_S = 0.5
_SAID_NS = 1_000_000_000
"""For how long before and after what health says holds."""
_LEAST_SHARE = 0.7
_A_SECOND, _MOST_LEFT_OUT = 5, 2
"""In samples; of ten pictures a second."""
_EARLY_S, _LATE_S = 0.7, 2.2
"""How far the picture by which an alert was raised may be from the moment that was planned."""


@dataclass
class Verdict:
    passages: int = 0
    slow: int = 0
    """Of them, those for which the machine was too slow."""
    owed: int = 0
    lost: list[Passage] = field(default_factory=list)
    """Owed, and not arrived."""
    missed: int = 0
    """Not seen during a fault, and told so."""
    silent: list[Passage] = field(default_factory=list)
    """Not seen during a fault, and not told so."""
    doubled: int = 0
    """Alerts beyond the first of one passage."""
    unplanned: list[Mapping[str, Any]] = field(default_factory=list)
    """Alerts of these rules that belong to no passage."""


@dataclass(frozen=True, slots=True)
class Darkness:
    """Nothing is owed of these sources."""

    sources: frozenset[str]
    from_ns: int
    to_ns: int

    def covers(self, source: str, from_ns: int, to_ns: int) -> bool:
        """Any of that time."""
        return source in self.sources and self.from_ns <= to_ns and from_ns <= self.to_ns


def judge(
    passages: Iterable[Passage],
    alerts: Iterable[Mapping[str, Any]],
    darkness: Sequence[Darkness],
    admits: Callable[[str, int, int], bool],
    slow: Sequence[Darkness] = (),
) -> Verdict:
    """`alerts` are first revisions; `admits` tells whether the guard said that it was blind or unwell."""
    verdict = Verdict()
    came = _by_rule(alerts)
    for passage in passages:
        verdict.passages += 1
        raised = _take(came[passage.source, passage.rule], passage)
        verdict.doubled += max(0, raised - 1)
        from_ns, to_ns = round(passage.begins_s * 1e9), round((passage.at_s + _DUE_S) * 1e9)
        if any(dark.covers(passage.source, from_ns, to_ns) for dark in slow):
            verdict.slow += 1
            continue
        excused = any(dark.covers(passage.source, from_ns, to_ns) for dark in darkness)
        verdict.owed += not excused
        if raised:
            continue
        if not excused:
            verdict.lost.append(passage)
        elif admits(passage.source, from_ns, to_ns):
            verdict.missed += 1
        else:
            verdict.silent.append(passage)
    verdict.unplanned = [alert for rest in came.values() for alert in rest]
    return verdict


def overloads(sources: Iterable[str], samples: Sequence[Sample]) -> list[Darkness]:
    """When health said of these cameras that they are watched less than they should be."""
    return [
        Darkness(frozenset({source}), sample.at_ns - _SAID_NS, sample.at_ns + _SAID_NS)
        for source in sources
        for before, sample in zip([*samples[:_A_SECOND], *samples], samples, strict=False)
        if sample.is_overloaded(f"camera/{source}")
        or _left_out(source, before, sample) > _MOST_LEFT_OUT
        or _is_slow((sample.parts or {}).get(f"camera/{source}", {}))
    ]


def _is_slow(part: Mapping[str, Any]) -> bool:
    """Whether a camera that is well gives far fewer pictures than it should."""
    return part.get("state") == "ok" and part.get("rate_per_s", FPS) < _LEAST_SHARE * FPS


def _left_out(source: str, before: Sample, now: Sample) -> int:
    """Pictures that were replaced by newer ones before anybody looked at them, in one life of the guard."""
    counts = [
        (sample.parts or {}).get(f"camera/{source}", {}).get("frames_replaced", 0) for sample in (before, now)
    ]
    return int(counts[1] - counts[0]) if before.pid == now.pid else 0


def admission(
    samples: Sequence[Sample], spans: Mapping[str, Sequence[Span]]
) -> Callable[[str, int, int], bool]:
    """What the guard said of itself: no answer is an admission as well, and so is every degraded part."""

    def admits(source: str, from_ns: int, to_ns: int) -> bool:
        return any(span.touches(from_ns, to_ns) for span in spans.get(source, ())) or any(
            from_ns <= sample.at_ns <= to_ns + _SAID_NS and not sample.is_well for sample in samples
        )

    return admits


def _by_rule(alerts: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    came: dict[tuple[str, str], list[Mapping[str, Any]]] = defaultdict(list)
    for alert in alerts:
        came[alert["source"], alert["rule"]].append(alert)
    return came


def _take(alerts: list[Mapping[str, Any]], passage: Passage) -> int:
    """Take out all that belong to the passage, and count them."""
    mine = [alert for alert in alerts if -_EARLY_S <= _seen_s(alert) - passage.at_s <= _LATE_S]
    for alert in mine:
        alerts.remove(alert)
    return len(mine)


def _seen_s(alert: Mapping[str, Any]) -> float:
    return float(alert["stages"]["arrived_ns"] or 0) / 1e9
