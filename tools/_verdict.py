"""Whether what a device wrote down and what a collector committed are the same alerts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Intent:
    """An alert that the device was about to hand over."""

    number: int
    alert_id: str
    state: str

    @classmethod
    def of_line(cls, line: str) -> Intent:
        number, alert_id, state = line.split()
        return cls(int(number), alert_id, state)


@dataclass
class Verdict:
    """What is in the one set and not in the other."""

    committed: int = 0
    """Revisions known to have been on the device's disk: by its journal, or because they came out."""
    collected: int = 0
    """Different revisions in the collector's database."""
    lost: list[int] = field(default_factory=list)
    """Numbers that are in the journal and not in the database."""
    invented: list[str] = field(default_factory=list)
    """Alert ids of revisions in the database that no device was about to tell."""


def judge(intents: Iterable[Intent], journal: Iterable[int], collected: Iterable[Json]) -> Verdict:
    """`collected` are alert messages, each (alert id, revision) once, their number in `tracks`.

    A device that starts closes the alerts that were going on when it was killed, by itself: these come with
    the number of the last revision before, state `closed`.
    """
    known = set(intents)
    told: set[int] = set()
    verdict = Verdict()
    ids = {(intent.number, intent.alert_id) for intent in known}
    for message in collected:
        verdict.collected += 1
        (number,) = message["tracks"]
        if Intent(number, message["alert_id"], message["state"]) in known and number not in told:
            told.add(number)
        elif message["state"] != "closed" or (number, message["alert_id"]) not in ids:
            verdict.invented.append(message["alert_id"])
    verdict.lost = sorted(set(journal) - told)
    verdict.committed = verdict.collected - len(verdict.invented) + len(verdict.lost)
    return verdict
