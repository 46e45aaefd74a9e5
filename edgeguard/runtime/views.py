"""Whether each camera still shows what it is meant to show: for everybody, health, and the rules that ask."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.files import write_private
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import Part, State
from edgeguard.types import Frame, Observation
from edgeguard.vision.sanity import Sanity

log = logging.getLogger(__name__)

_KEEP_EVERY_NS = 600_000_000_000
_USUAL_FOR_NS = 3_600_000_000_000


@dataclass(frozen=True, slots=True)
class TamperRule:
    """A camera (None: any) is tampered with in one of these ways (None: any)."""

    name: str
    camera: str | None
    kinds: frozenset[str] | None

    def asks_for(self, seen: Observation) -> bool:
        return self.camera in (None, seen.source) and (self.kinds is None or seen.label in self.kinds)


class Keepsake:
    """The file with what one camera usually shows, for the next start. Raises nothing: it is a help, no need.

    `of` is what the camera is: another one of that name has another view. What is older than an hour is
    no longer usual, as light and seasons go.
    """

    def __init__(self, path: Path, of: str, clock: Clock) -> None:
        self._path = path
        self._of = hashlib.sha256(of.encode()).digest()
        self._clock = clock
        self._kept_ns: int | None = None
        self._refused = False

    def recall(self, sanity: Sanity) -> None:
        """Bring back what was kept, where there is some that still holds."""
        try:
            data = self._path.read_bytes()
            of, utc_ns, kept = data[:32], int.from_bytes(data[32:40], "big"), data[40:]
            if of == self._of and self._clock.utc_ns() - utc_ns < _USUAL_FOR_NS:
                sanity.recall(kept)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            log.warning("%s is not used: %s", self._path, error)

    def keep(self, sanity: Sanity) -> None:
        """Write it down when that is due."""
        now_ns = self._clock.monotonic_ns()
        if self._kept_ns is not None and now_ns - self._kept_ns < _KEEP_EVERY_NS:
            return
        if (kept := sanity.keep()) is None:
            return
        self._kept_ns = now_ns
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self._path, self._of + self._clock.utc_ns().to_bytes(8, "big") + kept)
        except OSError as error:
            if not self._refused:
                log.warning("the usual view is not kept in %s: %s", self._path, error.strerror)
            self._refused = True
        else:
            self._refused = False


@dataclass(frozen=True, slots=True)
class View:
    """One camera, and its line of the health report."""

    sanity: Sanity
    part: Part
    keepsake: Keepsake | None = None


class Views:
    """Of the cameras that are watched for tampering; owned by the vision thread. `look` never raises."""

    def __init__(
        self,
        views: Mapping[str, View],
        rules: Sequence[TamperRule],
        to_host: Callable[[Frame], Frame],
    ) -> None:
        self._views = dict(views)
        self._rules = rules
        self._to_host = to_host

    def refit(self, views: Mapping[str, View], rules: Sequence[TamperRule]) -> None:
        """Watch these cameras by these rules from now on."""
        self._views, self._rules = dict(views), rules

    def get(self, camera: str) -> View | None:
        return self._views.get(camera)

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
        view.part.set(
            State.DEGRADED if wrong else State.OK, f"it looks {wrong}" if wrong else None, "tampered"
        )
        if view.keepsake is not None:
            view.keepsake.keep(view.sanity)
        view.part.note(learnt=str(view.sanity.learnt).lower())
        return [again for seen in noticed for again in self._for_all(seen)]

    def _for_all(self, seen: Observation) -> list[Observation]:
        asked = [replace(seen, rule=rule.name) for rule in self._rules if rule.asks_for(seen)]
        return [seen, *asked]

    def _fail(self, view: View, frame: Frame, error: Exception) -> None:
        reason = f"its picture could not be examined: {error}"
        if view.part.reason != reason:
            log.error("camera %s: %s", frame.source, reason, exc_info=error)
        view.part.set(State.DEGRADED, reason, code_of(error))
