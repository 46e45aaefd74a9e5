"""The rules on what one camera sees."""

from __future__ import annotations

from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.rules import (
    Crowd,
    LineCrossed,
    Loitering,
    PersonDown,
    Presence,
    Rule,
    ZoneEntered,
    ZoneLeft,
)
from edgeguard.runtime.assembly.fusing import EVERYWHERE, watched_zones
from edgeguard.runtime.assembly.gating import rules_at
from edgeguard.types import Line, Polygon

_MOTION_ONLY = ("motion",)
_PICTURE: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def rules_of(config: Config, camera: str, labels: tuple[str, ...]) -> list[Rule]:
    """The camera's own rules, and for the joining ones who is present in their zones."""
    zones = config.cameras[camera].zones
    mine = [rule for rule in rules_at(config, camera) if not isinstance(rule, kinds.HeardAndSeen)]
    return [
        *(_rule(config, rule, labels) for rule in mine),
        *(
            Presence(zone or EVERYWHERE, zones[zone].polygon if zone else _PICTURE)
            for zone in watched_zones(config, camera)
        ),
    ]


def wanted_by(rule: kinds.SceneRule, labels: tuple[str, ...]) -> frozenset[str] | None:
    """The classes of a rule; without a model everything that moves counts, but as no person who is down."""
    if isinstance(rule, kinds.PersonDown):
        return frozenset(rule.classes)
    if rule.classes is None or labels == _MOTION_ONLY:
        return None
    return frozenset(rule.classes)


def _rule(config: Config, rule: kinds.SceneRule, labels: tuple[str, ...]) -> Rule:
    camera = config.cameras[rule.camera]
    wanted = wanted_by(rule, labels)
    match rule:
        case kinds.LineCrossed():
            line = camera.lines[rule.line]
            return LineCrossed(rule.name, rule.line, Line(line.start, line.end), rule.direction, wanted)
        case kinds.ZoneRule():
            return _zone_rule(rule, camera.zones[rule.zone].polygon, wanted)
    raise TypeError(f"no rule is built for the kind {rule.kind}")


def _zone_rule(rule: kinds.ZoneRule, polygon: Polygon, wanted: frozenset[str] | None) -> Rule:
    match rule:
        case kinds.ZoneEntered():
            return ZoneEntered(rule.name, rule.zone, polygon, wanted)
        case kinds.ZoneLeft():
            return ZoneLeft(rule.name, rule.zone, polygon, wanted)
        case kinds.Loitering():
            return Loitering(rule.name, rule.zone, polygon, rule.dwell_s, wanted)
        case kinds.Crowd():
            return Crowd(rule.name, rule.zone, polygon, rule.count, rule.hold_s, wanted)
        case kinds.PersonDown():
            return PersonDown(rule.name, rule.zone, polygon, rule.ratio, rule.for_s, wanted)
    raise TypeError(f"no rule is built for the kind {rule.kind}")
