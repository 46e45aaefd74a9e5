"""Whether each camera still shows what it is meant to show: for everybody, health, and the rules that ask."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from edgeguard.runtime.health import Part, State
from edgeguard.types import Frame, Observation
from edgeguard.vision.sanity import Sanity

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TamperRule:
    """A camera (None: any) is tampered with in one of these ways (None: any)."""

    name: str
    camera: str | None
    kinds: frozenset[str] | None

    def asks_for(self, seen: Observation) -> bool:
        return self.camera in (None, seen.source) and (self.kinds is None or seen.label in self.kinds)


@dataclass(frozen=True, slots=True)
class View:
    """One camera, and its line of the health report."""

    sanity: Sanity
    part: Part


class Views:
    """Of the cameras that are watched for tampering; owned by the vision thread. `look` never raises."""

    def __init__(
        self,
        views: Mapping[str, View],
        rules: Sequence[TamperRule],
        to_host: Callable[[Frame], Frame],
    ) -> None:
        self._views = views
        self._rules = rules
        self._to_host = to_host

    def look(self, frame: Frame) -> list[Observation]:
        """What is noticed, and again for each rule that asks for it; most pictures are not due."""
        view = self._views.get(frame.source)
        if view is None or not view.sanity.due(frame.pts_ns):
            return []
        try:
            noticed = view.sanity.update(self._to_host(frame))
        except Exception as error:  # must not cost the analysis of the picture
            self._fail(view, frame, error)
            return []
        wrong = ", ".join(kind.replace("_", " ") for kind in view.sanity.wrong)
        view.part.set(State.DEGRADED if wrong else State.OK, f"it looks {wrong}" if wrong else None)
        view.part.note(learnt=str(view.sanity.learnt).lower())
        return [again for seen in noticed for again in self._for_all(seen)]

    def _for_all(self, seen: Observation) -> list[Observation]:
        asked = [replace(seen, rule=rule.name) for rule in self._rules if rule.asks_for(seen)]
        return [seen, *asked]

    def _fail(self, view: View, frame: Frame, error: Exception) -> None:
        reason = f"its picture could not be examined: {error}"
        if view.part.reason != reason:
            log.error("camera %s: %s", frame.source, reason, exc_info=error)
        view.part.set(State.DEGRADED, reason)
