"""What the way from one configuration to another touches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.cameras import Camera
from edgeguard.config.source import Source, enabled
from edgeguard.runtime.assembly.changes import Change
from edgeguard.runtime.assembly.fusing import watched_zones
from edgeguard.runtime.assembly.gating import gate_of, rules_at
from edgeguard.runtime.assembly.sharing import pairs_of
from edgeguard.runtime.assembly.sources import is_realtime
from edgeguard.types import drill

LIVE = frozenset(
    {
        "detector",
        "tracker",
        "cameras",
        "microphones",
        "schedules",
        "holidays",
        "rules",
        "patterns",
        "fusion",
    }
)
"""Sections that change while everything else runs on; for any other the process begins anew."""
_LOOKED_AT = ("zones", "lines", "masks", "sanity", "detector", "priority", "min_analyse_fps")
"""Keys of a camera that change what is made of its pictures, not how they come."""
_SEEN = frozenset({"detector", "tracker", "cameras", "models", "rules", "patterns"})
_HEARD = frozenset({"microphones", "speech", "sounds", "models", "rules"})
_MADE_BY: Mapping[str, frozenset[str]] = {
    "detector": _SEEN,
    "vision": _SEEN,
    "hearing": _HEARD,
    "speech": _HEARD,
    "sounds": _HEARD,
    "understanding": _HEARD,
    "transcripts": frozenset({"microphones", "privacy"}),
    "alerts": frozenset({"rules", "patterns", "fusion", "schedules", "holidays"}),
    "evidence": frozenset({"evidence"}),
    "broker": frozenset({"mqtt"}),
    "outbox": frozenset({"mqtt"}),
    "webhook": frozenset({"escalation"}),
    "journal": frozenset({"log"}),
    "health": frozenset({"health"}),
}
"""Sections whose change may make a part of health worse; no other part is a change's fault."""


def beyond(before: Config, after: Config) -> list[str]:
    """Sections whose change is not for a running process."""
    found = [name for name in Config.model_fields if name not in LIVE and _differ(name, before, after)]
    if _needs(before) != _needs(after):
        found.append("microphones")
    changed = change(before, after)
    if drill.SOURCES & (changed.closed | changed.opened):
        found.append("drill")
    return found


def change(before: Config, after: Config) -> Change:
    """What a running process does for it."""
    old, new = _sources(before), _sources(after)
    gone, come = old.keys() - new.keys(), new.keys() - old.keys()
    moved = {name for name in old.keys() & new.keys() if _comes_otherwise(name, before, after)}
    moved |= _shared_otherwise(before, after, moved) & old.keys() & new.keys()
    opened = come | moved
    cameras = enabled(after.cameras)
    microphones = enabled(after.microphones)
    seen_otherwise = {name for name in cameras if name in old and _seen_otherwise(name, before, after)}
    heard_otherwise = {name for name in microphones if name in old and _heard_otherwise(name, before, after)}
    return Change(
        closed=frozenset(gone | moved),
        opened=frozenset(opened),
        reviewed=frozenset(seen_otherwise | (opened & cameras.keys())),
        reheard=frozenset(heard_otherwise | (opened & microphones.keys())),
    )


def touched(before: Config, after: Config) -> Callable[[str], bool]:
    """Which parts of health the way may have made worse."""
    other = {name for name in Config.model_fields if _differ(name, before, after)}
    changed = change(before, after)
    sources = changed.opened | changed.reviewed | changed.reheard

    def is_touched(part: str) -> bool:
        kind, _, name = part.partition("/")
        if kind in ("camera", "microphone", "view"):
            return name in sources
        return bool(_MADE_BY.get(kind, frozenset()) & other)

    return is_touched


def _needs(config: Config) -> tuple[bool, ...]:
    """What all microphones together ask of the hearing: models, a place for what is said, its patience."""
    microphones = [one for one in config.microphones.values() if one.enabled]
    return (
        any(one.speech for one in microphones),
        any(one.sounds for one in microphones),
        any(one.transcripts for one in microphones),
        all(is_realtime(one) for one in microphones),
    )


def _differ(name: str, before: Config, after: Config) -> bool:
    return bool(getattr(before, name) != getattr(after, name))


def _sources(config: Config) -> dict[str, Source]:
    return {**enabled(config.cameras), **enabled(config.microphones)}


def _comes_otherwise(name: str, before: Config, after: Config) -> bool:
    """Whether the source must be opened anew."""
    if name in before.microphones or name in after.microphones:
        return (
            name not in before.microphones
            or name not in after.microphones
            or _is_moved(before.microphones[name], after.microphones[name])
        )
    one, other = before.cameras[name], after.cameras[name]
    return _is_moved(one, other) or _gate(name, before) != _gate(name, after)


def _shared_otherwise(before: Config, after: Config, moved: Collection[str]) -> set[str]:
    """Cameras and microphones with one connection are opened together."""
    one, other = set(pairs_of(before)), set(pairs_of(after))
    pairs = [*(one ^ other), *(pair for pair in one & other if set(pair) & set(moved))]
    return {name for pair in pairs for name in pair}


def _is_moved(before: Source, after: Source) -> bool:
    return bool(_as_it_comes(before) != _as_it_comes(after))


def _as_it_comes(source: Source) -> Source:
    if not isinstance(source, Camera):
        return source
    plain = {key: Camera.model_fields[key].get_default(call_default_factory=True) for key in _LOOKED_AT}
    return source.model_copy(update=plain)


def _gate(name: str, config: Config) -> type | None:
    gate = gate_of(config.cameras[name], rules_at(config, name))
    return None if gate is None else type(gate)


def _seen_otherwise(name: str, before: Config, after: Config) -> bool:
    return (
        before.cameras.get(name) != after.cameras[name]
        or before.tracker != after.tracker
        or rules_at(before, name) != rules_at(after, name)
        or watched_zones(before, name) != watched_zones(after, name)
    )


def _heard_otherwise(name: str, before: Config, after: Config) -> bool:
    return before.microphones.get(name) != after.microphones[name] or _heard_rules(
        name, before
    ) != _heard_rules(name, after)


def _heard_rules(name: str, config: Config) -> list[Any]:
    return [
        rule
        for rule in config.rules
        if rule.enabled and isinstance(rule, kinds.HeardRule) and rule.microphone in (None, name)
    ]
