from __future__ import annotations

from typing import Any

import pytest

from edgeguard.config import rules
from edgeguard.types import Severity
from tests.config.trees import built, faults, rule, tree

PLACE = {"camera": "gate", "zone": "dock"}


@pytest.mark.parametrize(
    ("keys", "kind", "expected"),
    [
        ({"kind": "zone_entered"}, rules.ZoneEntered, {"classes": None, "cooldown_s": 10.0, "enabled": True}),
        ({"kind": "zone_left", "classes": ["person"]}, rules.ZoneLeft, {"classes": ("person",)}),
        ({"kind": "loitering", "dwell_s": 30}, rules.Loitering, {"dwell_s": 30.0}),
        (
            {"kind": "person_down"},
            rules.PersonDown,
            {"ratio": 1.2, "for_s": 5.0, "classes": ("person",), "severity": Severity.WARNING},
        ),
        ({"kind": "person_down", "classes": None}, rules.PersonDown, {"classes": ("person",)}),
        ({"kind": "crowd", "count": 3}, rules.Crowd, {"count": 3, "hold_s": 1.0}),
        (
            {"kind": "heard_and_seen", "tags": ["glass"], "severity": "alarm"},
            rules.HeardAndSeen,
            {
                "tags": ("glass",),
                "keywords": (),
                "microphone": None,
                "within_s": 5.0,
                "severity": Severity.ALARM,
            },
        ),
        (
            {
                "kind": "heard_and_seen",
                "keywords": ["help_me"],
                "microphone": "gate-mic",
                "schedule": "night",
            },
            rules.HeardAndSeen,
            {"keywords": ("help_me",), "microphone": "gate-mic", "schedule": "night"},
        ),
    ],
)
def test_rules_on_zones(keys: dict[str, Any], kind: type[rules.Rule], expected: dict[str, Any]) -> None:
    (found,) = built(rule(**keys)).rules
    assert type(found) is kind
    assert {key: getattr(found, key) for key in expected} == expected


def test_rules_without_a_zone() -> None:
    crossed, spoken, heard = built(
        tree(
            rules=[
                {"kind": "line_crossed", "name": "a", "camera": "gate", "line": "entrance"},
                {"kind": "keyword", "name": "b"},
                {"kind": "sound", "name": "c", "tags": ["glass", "dog"], "microphone": "gate-mic"},
            ]
        )
    ).rules
    assert isinstance(crossed, rules.LineCrossed)
    assert crossed.direction == "any"
    assert isinstance(spoken, rules.Keyword)
    assert spoken.keywords is None
    assert isinstance(heard, rules.Sound)
    assert heard.tags == ("glass", "dog")


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"kind": "loiter"}, '.kind: given "loiter", expected one of '),
        ({"kind": 5}, ".kind: given 5, expected one of "),
        ({"kind": "loitering"}, ".dwell_s: is missing, expected a number above 0, up to 86400"),
        (
            {"kind": "loitering", "loitering_time": 3, "dwell_s": 1},
            '.loitering_time: unknown key; did you mean "dwell_s"?',
        ),
        ({"dwell_s": 3}, ".dwell_s: unknown key; known here: kind, name, "),
        ({"severity": "bad"}, '.severity: given "bad", expected one of info, warning, alarm'),
        ({"kind": "crowd", "count": 1}, ".count: given 1, expected a whole number from 2 to 1000"),
        ({"kind": "person_down", "ratio": 0.9}, ".ratio: given 0.9, expected a number from 1 to 5"),
        ({"kind": "person_down", "for_s": 0}, ".for_s: given 0, expected a number above 0, up to 3600"),
        (
            {"kind": "person_down", "classes": ["person", "motion"]},
            '.classes: given ["person", "motion"], expected no motion: whatever moves may well be wide',
        ),
        ({"cooldown_s": -1}, ".cooldown_s: given -1, expected a number from 0 to 86400"),
        ({"name": "Rule 1"}, '.name: given "Rule 1", expected a name (a-z, 0-9, -, _; '),
        ({"classes": []}, ".classes: given [], expected a list of at least one entry"),
        ({"kind": "heard_and_seen"}, ".tags: given [], expected at least one tag here, or one of `keywords`"),
        ({"kind": "heard_and_seen", "tags": ["glas"]}, '.tags[0]: given "glas", expected a sound tag: '),
    ],
)
def test_what_a_rule_refuses(keys: dict[str, Any], fault: str) -> None:
    assert faults(rule(**keys))[0].startswith(f"rules[0]{fault}")


def test_no_kind_at_all() -> None:
    assert faults(tree(rules=[{"name": "a"}]))[0].startswith("rules[0].kind: is missing, expected one of ")
    assert faults(tree(rules=["a"]))[0].startswith(
        'rules[0]: given "a", expected a mapping whose kind is one of '
    )
    assert faults(tree(rules={"a": 1}))[0] == "rules: given a mapping, expected a list of entries"


def test_the_examples_cover_every_kind() -> None:
    assert {example["kind"] for example in rules.examples()} == {
        kind for section in rules.__dict__.values() if (kind := _kind(section))
    }


def _kind(section: Any) -> str | None:
    own = isinstance(section, type) and issubclass(section, rules.Rule)
    return getattr(section.model_fields["kind"].annotation, "__args__", [None])[0] if own else None
