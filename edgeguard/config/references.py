"""Names that must be names of something.

Judged on the plain tree, so that they are told together with whatever else is wrong in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgeguard.config.detector import classes_of
from edgeguard.config.faults import Fault, Path, dotted, given, one_line, suggestion
from edgeguard.config.labels import LABELS, MOTION, OTHER_SPELLINGS
from edgeguard.config.sounds import TAGS
from edgeguard.config.speech import name_of
from edgeguard.types import drill

_SECTIONS = {"camera": "cameras", "microphone": "microphones", "schedule": "schedules"}
"""Keys that hold a name, and the section that gives it."""
_PLACES = {"zone": "zones", "line": "lines"}
"""The same, within the rule's camera."""


def faults_of(tree: Any) -> list[Fault]:
    """Every reference in the tree that leads nowhere, and every name that is taken."""
    return [*_sources(tree), *_detectors(tree), *_rules(tree), *_patterns(tree), *_drill(tree)]


def _drill(tree: Any) -> Iterator[Fault]:
    """Its schedule, and whatever has a name that is its own."""
    schedules = _dig(tree, "schedules")
    yield from _unknown(("drill", "schedule"), _dig(tree, "drill").get("schedule"), schedules, "a schedule")
    named: list[tuple[Path, object]] = [
        ((section, name), name) for section in ("cameras", "microphones") for name in _dig(tree, section)
    ]
    named += [
        ((section, index, "name"), entry.get("name"))
        for section in ("rules", "patterns")
        for index, entry in _entries(tree if isinstance(tree, dict) else {}, section)
        if isinstance(entry, dict)
    ]
    for path, name in named:
        if isinstance(name, str) and name in drill.RESERVED:
            yield Fault(path, f"expected another name: {name} belongs to the drill")


def _sources(tree: Any) -> Iterator[Fault]:
    cameras, microphones = _dig(tree, "cameras"), _dig(tree, "microphones")
    if isinstance(tree, dict) and not tree.get("cameras") and not tree.get("microphones"):
        yield Fault(("cameras",), "expected at least one camera or microphone")
    for name in microphones:
        path = ("microphones", name)
        if name in cameras:
            yield Fault(path, "expected another name: a camera has this one")
        yield from _unknown((*path, "camera"), _dig(tree, *path).get("camera"), cameras, "a camera")


def _detectors(tree: Any) -> Iterator[Fault]:
    for path in (("detector",), *(("cameras", name, "detector") for name in _dig(tree, "cameras"))):
        classes = _dig(tree, *path).get("classes")
        if _model(tree, path[1:2]) == MOTION and classes not in (None, [MOTION]):
            yield Fault(
                (*path, "classes"), f"expected [{MOTION}]: that is all that the detector {MOTION} knows"
            )


def _rules(tree: Any) -> Iterator[Fault]:
    rules = tree.get("rules") if isinstance(tree, dict) else None
    taken: dict[str, int] = {}
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        if isinstance(rule, dict):
            path: Path = ("rules", index)
            name = rule.get("name")
            if isinstance(name, str) and taken.setdefault(name, index) != index:
                yield Fault((*path, "name"), f"expected another name: rules[{taken[name]}] has this one")
            yield from _rule(tree, path, rule)


def _rule(tree: Any, path: Path, rule: dict[str, Any]) -> Iterator[Fault]:
    for key, section in _SECTIONS.items():
        yield from _unknown((*path, key), rule.get(key), _dig(tree, section), f"a {key}")
    camera = rule.get("camera")
    if isinstance(camera, str) and camera in _dig(tree, "cameras"):
        for key, section in _PLACES.items():
            places = _dig(tree, "cameras", camera, section)
            yield from _unknown((*path, key), rule.get(key), places, f"a {key} of camera {one_line(camera)}")
        if rule.get("kind") == "line_crossed" and _dig(tree, "cameras", camera).get("gate") == "keyframes":
            what = f"which needs every picture: set cameras.{one_line(camera)}.gate to auto or off"
            yield Fault((*path, "kind"), f"expected no line_crossed, {what}")
        sought = _classes(tree, camera)
        for index, label in _entries(rule, "classes"):
            if label in LABELS:
                what = f"a class that camera {one_line(camera)} looks for"
                yield from _unknown((*path, "classes", index), label, sought, what)
    sources = {**_dig(tree, "cameras"), **_dig(tree, "microphones")}
    for index, name in _entries(rule, "sources"):
        yield from _unknown((*path, "sources", index), name, sources, "a camera or microphone")
    for index, keyword in _entries(rule, "keywords"):
        yield from _unknown(
            (*path, "keywords", index), keyword, _keywords(tree), "a name from speech.keywords"
        )


def _patterns(tree: Any) -> Iterator[Fault]:
    patterns = tree.get("patterns") if isinstance(tree, dict) else None
    rules = _names(tree)
    taken = dict(rules)
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else []):
        if not isinstance(pattern, dict):
            continue
        path: Path = ("patterns", index)
        name = pattern.get("name")
        if isinstance(name, str) and taken.setdefault(name, dotted(path)) != dotted(path):
            yield Fault((*path, "name"), f"expected another name: {taken[name]} has this one")
        yield from _unknown(
            (*path, "schedule"), pattern.get("schedule"), _dig(tree, "schedules"), "a schedule"
        )
        for key in ("rule", "raises"):
            yield from _unknown((*path, key), pattern.get(key), rules, "a rule")
        for place, term in _terms(pattern):
            yield from _term(tree, (*path, *place), term, rules)


def _names(tree: Any) -> dict[str, str]:
    """Where the rules are, by name."""
    rules = tree.get("rules") if isinstance(tree, dict) else None
    return {
        rule["name"]: f"rules[{index}]"
        for index, rule in enumerate(rules if isinstance(rules, list) else [])
        if isinstance(rule, dict) and isinstance(rule.get("name"), str)
    }


def _terms(pattern: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for key in ("of", "steps", "by", "unless"):
        value = pattern.get(key)
        if isinstance(value, dict):
            yield (key,), value
        for index, term in _entries(pattern, key):
            if isinstance(term, dict):
                yield (key, index), term


def _term(tree: Any, path: Path, term: dict[str, Any], rules: dict[str, str]) -> Iterator[Fault]:
    cameras, microphones = _dig(tree, "cameras"), _dig(tree, "microphones")
    yield from _unknown((*path, "rule"), term.get("rule"), rules, "a rule")
    seen = term.get("kind") == "presence"
    sources, what = (cameras, "a camera") if seen else ({**cameras, **microphones}, "a camera or microphone")
    for index, name in _entries(term, "sources"):
        yield from _unknown((*path, "sources", index), name, sources, what)
    named = [name for _, name in _entries(term, "sources") if isinstance(name, str)]
    places = [
        place
        for camera in (name for name in named or cameras if name in cameras)
        for section in _PLACES.values()
        for place in _dig(tree, "cameras", camera, section)
    ]
    yield from _unknown((*path, "zone"), term.get("zone"), places, "a zone or line of these sources")
    known = {"sound": list(TAGS), "keyword": _keywords(tree)}.get(str(term.get("kind")))
    for index, label in _entries(term, "labels") if known is not None else ():
        yield from _unknown((*path, "labels", index), label, known, f"a {term['kind']}")


def _entries(rule: dict[str, Any], key: str) -> Iterator[tuple[int, Any]]:
    values = rule.get(key)
    return enumerate(values if isinstance(values, list) else [])


def _unknown(path: Path, value: Any, known: Any, what: str) -> Iterator[Fault]:
    if isinstance(value, str) and value not in known:
        choice = f" ({', '.join(map(one_line, list(known)[:12]))})" if known else ", but there is none"
        hint = suggestion(value, list(known), OTHER_SPELLINGS)
        yield Fault(path, f"given {given(value, path)}, expected {what}{choice}{hint}")


def _classes(tree: Any, camera: str) -> list[Any]:
    """What the camera's detector looks for, and what its fallback would."""
    own, general = _dig(tree, "cameras", camera, "detector"), _dig(tree, "detector")
    model = _model(tree, (camera,))
    classes = own.get("classes")
    if classes is None and MOTION not in (model, _model(tree, ())):
        classes = general.get("classes")
    wanted = classes if isinstance(classes, list) else classes_of(model)
    fallback = own.get("fallback") or general.get("fallback") or MOTION
    return [*wanted, *([MOTION] if fallback == MOTION else [])]


def _model(tree: Any, camera: Path) -> Any:
    """The detector's model, of one camera or in general."""
    own = _dig(tree, "cameras", *camera, "detector").get("model") if camera else None
    return own or _dig(tree, "detector").get("model")


def _keywords(tree: Any) -> list[str]:
    keywords = _dig(tree, "speech").get("keywords")
    entries = [entry for entry in keywords if isinstance(entry, dict)] if isinstance(keywords, list) else []
    return [str(entry.get("name") or name_of(str(entry.get("phrase", "")))) for entry in entries]


def _dig(tree: Any, *path: str | int) -> dict[str, Any]:
    """The mapping at `path`, or an empty one."""
    for part in path:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}
