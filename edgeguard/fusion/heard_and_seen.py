"""A sound or keyword, and somebody in a zone, within a few seconds of each other."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from edgeguard.types import Measure, Observation, Phase

_HEARD_KINDS = frozenset({"sound", "keyword"})
_REMEMBERED = 32
_TOLD_EVERY_S = 1.0
"""How often presence is told of who is seen."""
_TOLD_NO_MORE_S = 10.0
"""After so long without, nobody looks."""


class HeardAndSeen:
    """Something of `labels` is heard within `within_s` before or after somebody is in the zone.

    What is seen counts if its class is in `seen`, and what is heard if `microphones` heard it; None is any.
    Somebody is in the zone from a `presence` observation that began to the one that ended it, or until it is
    no longer told because its camera is away. Each sound or keyword is joined at most once, also where the
    microphone is far ahead of the camera, as in files read faster than real time. The result belongs to the
    camera, so that its picture is the evidence.
    """

    kind = "heard_and_seen"

    def __init__(
        self,
        name: str,
        labels: frozenset[str],
        camera: str,
        zone: str,
        within_s: float,
        *,
        seen: frozenset[str] | None = None,
        microphones: frozenset[str] | None = None,
    ) -> None:
        self.name = name
        self._labels = labels
        self._camera = camera
        self._zone = zone
        self._within_s = within_s
        self._seen = seen
        self._microphones = microphones
        self._present: dict[str, Observation] = {}
        self._left: Observation | None = None
        self._last_heard: tuple[str, str | None, int] | None = None
        self._heard: deque[Observation] = deque(maxlen=_REMEMBERED)

    def update(self, observation: Observation) -> list[Observation]:
        if self._is_heard(observation):
            return self._hear(observation)
        if self._is_presence(observation):
            return self._see(observation)
        return []

    def _is_heard(self, observation: Observation) -> bool:
        return (
            observation.kind in _HEARD_KINDS
            and observation.phase in (Phase.INSTANT, Phase.BEGAN)
            and observation.label in self._labels
            and (self._microphones is None or observation.source in self._microphones)
            and (observation.source, observation.label, observation.pts_ns) != self._last_heard
        )

    def _is_presence(self, observation: Observation) -> bool:
        return (
            observation.kind == "presence"
            and observation.source == self._camera
            and observation.zone == self._zone
            and (self._seen is None or observation.label in self._seen)
        )

    def _hear(self, heard: Observation) -> list[Observation]:
        self._last_heard = (heard.source, heard.label, heard.pts_ns)  # again for each rule that asks for it
        self._forget(heard)
        present = max(self._present.values(), key=lambda seen: seen.pts_ns, default=self._left)
        if present is not None:
            delay_s = max(0.0, abs(_seconds(heard, present)) - _TOLD_EVERY_S)
            if delay_s <= self._within_s:
                return [self._join(heard, present, heard, delay_s)]
        self._heard.append(heard)
        return []

    def _forget(self, now: Observation) -> None:
        """Whoever is no longer told was there when last told."""
        for key, seen in list(self._present.items()):
            if _seconds(now, seen) > _TOLD_NO_MORE_S:
                self._left = self._present.pop(key)

    def _see(self, seen: Observation) -> list[Observation]:
        if seen.phase is Phase.ENDED:
            self._left = self._present.pop(seen.key, seen)
            return []
        self._present[seen.key] = seen
        waiting = list(self._heard)
        self._heard.clear()
        self._heard.extend(heard for heard in waiting if _seconds(heard, seen) > self._within_s)
        return [
            self._join(heard, seen, seen, delay_s)
            for heard in waiting
            if (delay_s := abs(_seconds(seen, heard))) <= self._within_s
        ]

    def _join(self, heard: Observation, seen: Observation, last: Observation, delay_s: float) -> Observation:
        return replace(
            seen,
            kind=self.kind,
            pts_ns=last.pts_ns,
            utc_ns=last.utc_ns,
            confidence=min(heard.confidence, seen.confidence) or heard.confidence,
            phase=Phase.INSTANT,
            rule=self.name,
            key=self._zone,
            label=heard.label,
            text=heard.text,
            measures=(
                Measure("heard", str(heard.label)),
                Measure("heard_by", heard.source),
                Measure("heard_confidence", round(heard.confidence, 3)),
                Measure("delay_s", round(delay_s, 2), "<=", self._within_s),
            ),
            sequence=None if last is heard else seen.sequence,
            media_ns=last.media_ns,
            stages=last.stages,
        )


def _seconds(later: Observation, earlier: Observation) -> float:
    return (later.pts_ns - earlier.pts_ns) / 1e9
