"""Whether a camera still shows what it is meant to show: covered, defocused, moved, frozen, dark, or grey.

Cheap and explainable: where edges are (normalised cross-correlation with the usual view), how sharp they are
(Laplacian focus measure, Pech-Pacheco et al. 2000), how bright and how colourful the picture is, and whether
it changes at all. The kinds are those of Ribnick et al. (2006), Saglam and Temizel (2009); what stands before
the camera leaves some of the nine regions as they were, what is done to the camera does not.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Frame, Measure, Observation, Phase
from edgeguard.vision.glimpse import Glimpse, glimpse, likeness
from edgeguard.vision.outlook import Comparison, Outlook
from edgeguard.vision.recall import packed, unpacked

TAMPERED = "tampered"
COVERED, DEFOCUSED, MOVED = "covered", "defocused", "moved"
FROZEN, TOO_DARK, IR_FLIP = "frozen", "too_dark", "ir_flip"
KINDS = (COVERED, DEFOCUSED, MOVED, FROZEN, TOO_DARK, IR_FLIP)
_AGO_NS = 60_000_000_000
_AGAIN_NS = 10_000_000_000
_FROZEN_NS = 10_000_000_000
_ACCEPT_NS = 600_000_000_000
"""A new view that stays for so long becomes the usual one."""
_STEADY = 0.4
"""Likeness to the last few pictures from which a view stands still, whatever moves in it."""
_LAST_FEW = 0.25
"""What the newest counts among them."""
_GREY = 0.6


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a difference is tampering."""

    likeness: float = 0.35
    regions: float = 0.12
    sharpness: float = 0.55
    detail: float = 0.35
    """A picture with less of the usual detail shows nothing but what lies on the lens."""
    brightness: float = 12.0
    colour: float = 0.3


SENSITIVITY = {
    "low": Limits(likeness=0.25, regions=0.0, sharpness=0.4, detail=0.2, brightness=8.0),
    "normal": Limits(),
    "high": Limits(likeness=0.45, regions=0.23, sharpness=0.65, detail=0.5, brightness=18.0),
}


@dataclass(slots=True)
class _Spell:
    """One kind of tampering that may be going on."""

    since_ns: int
    seen_ns: int
    measures: tuple[Measure, ...]
    told_ns: int | None = None


Signs = dict[str, tuple[Measure, ...]]
"""What a picture looks like, with the measured values that say so."""


class Sanity:
    """Watches one camera; a picture each `every_s` is enough. All times are the frames'."""

    def __init__(
        self,
        camera: str,
        sensitivity: str = "normal",
        hold_s: float = 5.0,
        ignore: Collection[str] = (),
        every_s: float = 0.5,
    ) -> None:
        self._camera = camera
        self._limits = SENSITIVITY[sensitivity]
        self._hold_ns = round(hold_s * 1e9)
        self._ignore = frozenset(ignore)
        self._every_ns = round(every_s * 1e9)
        self._outlooks = {False: Outlook(), True: Outlook()}
        """By whether the picture is grey: a camera with infrared light shows two views."""
        self._grey = False
        self._last: Glimpse | None = None
        self._recent: NDArray[np.float32] | None = None
        """Edges of the last few pictures."""
        self._equal_since_ns: int | None = None
        self._spells: dict[str, _Spell] = {}

    @property
    def wrong(self) -> tuple[str, ...]:
        """What is wrong with the picture now; a camera that turned grey for the night does its work."""
        return tuple(
            kind for kind, spell in self._spells.items() if spell.told_ns is not None and kind != IR_FLIP
        )

    @property
    def learnt(self) -> bool:
        """Whether the usual view is known; before, only darkness is noticed."""
        return self._outlooks[self._grey].learnt

    def keep(self) -> bytes | None:
        """What is usual, for `recall` after a restart; None while it is not known, or something is wrong."""
        return (
            packed(self._outlooks, self._grey)
            if self.learnt and not self._spells.keys() - {IR_FLIP}
            else None
        )

    def recall(self, kept: bytes) -> None:
        """Go on with what `keep` gave, before the first `update`. Raises ValueError for anything else."""
        self._outlooks, self._grey = unpacked(kept)

    def due(self, pts_ns: int) -> bool:
        """Whether a picture of that time is wanted; one from shortly before the last is not."""
        return self._last is None or not -_AGO_NS < pts_ns - self._last.pts_ns < self._every_ns

    def update(self, frame: Frame) -> list[Observation]:
        """Look at a picture in host memory; call when `due`."""
        now = glimpse(frame)
        if self._last is not None and now.pts_ns < self._last.pts_ns:
            self._last = self._equal_since_ns = None
            self._set_back(now.pts_ns)
        signs = self._signs(now)
        if not signs.keys() - {IR_FLIP}:
            self._outlooks[self._grey].learn(now)
        self._last = now
        self._recent = self._mixed(now)
        return self._spell(signs, frame)

    def _set_back(self, now_ns: int) -> None:
        """The camera's clock went back: nothing lasts since a time that is to come."""
        for spell in self._spells.values():
            spell.since_ns, spell.seen_ns = min(spell.since_ns, now_ns), min(spell.seen_ns, now_ns)
            spell.told_ns = None if spell.told_ns is None else min(spell.told_ns, now_ns)

    def _signs(self, now: Glimpse) -> Signs:
        found = self._stillness(now)
        outlook = self._outlooks[self._grey]
        if self._grey and self._outlooks[False].colourful:
            found[IR_FLIP] = (Measure("colour", round(now.colour, 2), "<=", _GREY),)
        if not outlook.learnt:
            if (dark := self._darkness(now)) is not None:
                found[TOO_DARK] = dark
            return self._wanted(found)
        versus = outlook.compare(now)
        found |= self._view(now, versus, outlook)
        if not found.keys() - {IR_FLIP}:
            self._switch(now, versus)
        return self._wanted(found)

    def _wanted(self, found: Signs) -> Signs:
        return {kind: measures for kind, measures in found.items() if kind not in self._ignore}

    def _view(self, now: Glimpse, versus: Comparison, outlook: Outlook) -> Signs:
        """The first of these that is so: each of them brings the later ones with it."""
        limits = self._limits
        if (dark := self._darkness(now)) is not None:
            return {TOO_DARK: dark}
        lost = min(limits.likeness, outlook.usual_likeness - 0.1)
        place = (
            Measure("likeness", round(versus.likeness, 2), "<=", round(lost, 2)),
            Measure("regions_alike", round(versus.regions, 2), "<=", limits.regions),
        )
        if versus.likeness <= lost and versus.regions <= limits.regions:
            if versus.detail <= limits.detail:
                return {COVERED: (*place, Measure("detail", round(versus.detail, 2), "<=", limits.detail))}
            return {MOVED: place} if self._stands(now) else {}
        if _at_most(versus.sharpness, limits.sharpness) and versus.likeness > lost:
            sharpness = round(versus.sharpness or 0.0, 2)
            return {DEFOCUSED: (Measure("sharpness", sharpness, "<=", limits.sharpness),)}
        return {}

    def _darkness(self, now: Glimpse) -> tuple[Measure, ...] | None:
        if now.brightness > self._limits.brightness:
            return None
        return (Measure("brightness", round(now.brightness, 1), "<=", self._limits.brightness),)

    def _stands(self, now: Glimpse) -> bool:
        return self._recent is not None and likeness(now.edges, self._recent) >= _STEADY

    def _mixed(self, now: Glimpse) -> NDArray[np.float32]:
        if self._recent is None:
            return now.edges
        return np.asarray(self._recent + _LAST_FEW * (now.edges - self._recent), np.float32)

    def _stillness(self, now: Glimpse) -> Signs:
        if self._last is None:
            return {}
        equal = now.exact == self._last.exact
        outlook = self._outlooks[self._grey]
        if not equal:
            self._equal_since_ns = None
            outlook.count_pair(equal=False)
            return {}
        if self._equal_since_ns is None:
            self._equal_since_ns = self._last.pts_ns
        still_ns = now.pts_ns - self._equal_since_ns
        if outlook.never_still and still_ns >= _FROZEN_NS:
            return {FROZEN: (Measure("still_s", round(still_ns / 1e9, 1), ">=", _FROZEN_NS / 1e9),)}
        if not outlook.never_still:
            outlook.count_pair(equal=True)
        return {}

    def _switch(self, now: Glimpse, versus: Comparison) -> None:
        """From colour to grey or back, with a view that is otherwise sound."""
        if self._grey:
            self._grey = now.colour <= 2 * _GREY
        elif versus.colour <= self._limits.colour and now.colour <= _GREY:
            self._grey = self._outlooks[False].colourful

    def _spell(self, signs: Signs, frame: Frame) -> list[Observation]:
        """What has lasted for long enough begins, goes on and ends."""
        now_ns = frame.pts_ns
        for kind, measures in signs.items():
            spell = self._spells.setdefault(kind, _Spell(now_ns, now_ns, measures))
            spell.seen_ns, spell.measures = now_ns, measures
        seen: list[Observation] = []
        for kind, spell in list(self._spells.items()):
            phase = self._phase(kind, spell, signs, now_ns)
            if phase is not None:
                seen.append(self._observe(kind, spell, phase, frame))
        return seen

    def _phase(self, kind: str, spell: _Spell, signs: Signs, now_ns: int) -> Phase | None:
        begun = spell.told_ns is not None
        if kind == MOVED and begun and now_ns - spell.since_ns >= _ACCEPT_NS:
            self._outlooks[self._grey] = Outlook()
            del self._spells[kind]
            return Phase.ENDED
        if kind not in signs and (not begun or now_ns - spell.seen_ns >= self._hold_ns):
            del self._spells[kind]
            return Phase.ENDED if begun else None
        if kind not in signs or now_ns - spell.since_ns < self._hold_ns:
            return None
        if spell.told_ns is not None and now_ns - spell.told_ns < _AGAIN_NS:
            return None
        spell.told_ns = now_ns
        return Phase.CONTINUES if begun else Phase.BEGAN

    def _observe(self, kind: str, spell: _Spell, phase: Phase, frame: Frame) -> Observation:
        lasted_s = round((frame.pts_ns - spell.since_ns) / 1e9, 1)
        return Observation(
            kind=TAMPERED,
            source=self._camera,
            pts_ns=frame.pts_ns,
            utc_ns=frame.utc_ns,
            confidence=1.0,
            phase=phase,
            key=kind,
            label=kind,
            measures=(*spell.measures, Measure("lasted_s", lasted_s, ">=", self._hold_ns / 1e9)),
            sequence=frame.sequence,
            media_ns=frame.media_ns,
        )


def _at_most(value: float | None, limit: float) -> bool:
    return value is not None and value <= limit
