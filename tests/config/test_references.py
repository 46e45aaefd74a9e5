from __future__ import annotations

from typing import Any

import pytest

from edgeguard.config.references import faults_of
from tests.config.trees import built, camera, faults, rule, tree


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"camera": "gaet"}, '.camera: given "gaet", expected a camera (gate); did you mean "gate"?'),
        (
            {"zone": "dokc"},
            '.zone: given "dokc", expected a zone of camera gate (dock); did you mean "dock"?',
        ),
        ({"zone": "entrance"}, '.zone: given "entrance", expected a zone of camera gate (dock)'),
        ({"schedule": "day"}, '.schedule: given "day", expected a schedule (night)'),
        (
            {"classes": ["dog"]},
            '.classes[0]: given "dog", expected a class that camera gate looks for (person, ',
        ),
        ({"classes": ["person", "dgo"]}, '.classes[1]: given "dgo", expected a class that detectors know'),
        (
            {"kind": "heard_and_seen", "tags": ["dog"], "microphone": "gate"},
            '.microphone: given "gate", expected a microphone (gate-mic); did you mean "gate-mic"?',
        ),
        (
            {"kind": "heard_and_seen", "keywords": ["help_me", "help"]},
            '.keywords[1]: given "help", expected a name from speech.keywords (help_me); did you mean',
        ),
    ],
)
def test_a_reference_that_leads_nowhere(keys: dict[str, Any], fault: str) -> None:
    (told,) = faults(rule(**keys))
    assert told.startswith(f"rules[0]{fault}")


def test_a_line_of_another_camera() -> None:
    crossed = {"kind": "line_crossed", "name": "r", "camera": "gate", "line": "exit"}
    assert faults(tree(rules=[crossed])) == [
        'rules[0].line: given "exit", expected a line of camera gate (entrance)'
    ]


def test_a_section_that_is_empty() -> None:
    assert faults(rule(schedule="night") | {"schedules": {}}) == [
        'rules[0].schedule: given "night", expected a schedule, but there is none'
    ]


@pytest.mark.parametrize(
    ("general", "own", "label", "fits"),
    [
        ({}, {}, "person", True),
        ({}, {}, "motion", True),
        ({"fallback": "none"}, {}, "motion", False),
        ({"fallback": "none"}, {"fallback": "motion"}, "motion", True),
        ({"classes": ["dog"]}, {}, "dog", True),
        ({"classes": ["dog"]}, {}, "person", False),
        ({"classes": ["dog"]}, {"classes": ["person"]}, "person", True),
        ({"classes": ["dog"]}, {"classes": ["person"]}, "dog", False),
        ({"classes": ["dog"]}, {"model": "motion"}, "dog", False),
        ({"model": "motion"}, {}, "person", False),
        ({"model": "motion"}, {"model": "yolox-s"}, "person", True),
    ],
)
def test_a_rule_asks_only_for_what_is_looked_for(
    general: dict[str, Any], own: dict[str, Any], label: str, fits: bool
) -> None:
    """And what is looked for is judged as the detectors themselves are put together."""
    values = camera(detector=own) | {"detector": general, "rules": rule(classes=[label])["rules"]}
    if fits:
        detector = built(values).cameras["gate"].detector
        assert label in detector.classes or (label, detector.fallback) == ("motion", "motion")
    else:
        (told,) = faults(values)
        assert told.startswith("rules[0].classes[0]")


def test_names_are_taken_once() -> None:
    twice = rule()["rules"] * 2
    assert faults(tree(rules=twice)) == ["rules[1].name: expected another name: rules[0] has this one"]


def test_a_microphone_is_no_camera() -> None:
    assert faults(tree(microphones={"gate": {"url": "alsa://default"}})) == [
        "microphones.gate: expected another name: a camera has this one"
    ]


def test_the_camera_beside_a_microphone() -> None:
    assert faults(tree(microphones={"m": {"url": "alsa://default", "camera": "yard"}})) == [
        'microphones.m.camera: given "yard", expected a camera (gate)'
    ]


def test_somebody_must_watch_or_listen() -> None:
    assert faults(tree(cameras={}, microphones={})) == ["cameras: expected at least one camera or microphone"]


@pytest.mark.parametrize(
    "odd",
    [
        None,
        [],
        {"cameras": []},
        {"cameras": {"a": 5}, "microphones": {"a": None}},
        {"rules": {}, "cameras": {"a": {"zones": 5, "detector": []}}},
        {"rules": [None, 5, {"camera": []}, {"camera": "a", "classes": 5, "keywords": {}, "zone": []}]},
        {"cameras": {"a": {}}, "rules": [{"camera": "a", "classes": [[], {}, "dog"], "name": []}]},
        {"detector": {"classes": 5, "model": []}, "speech": {"keywords": [5, {"name": []}]}},
    ],
)
def test_whatever_the_tree_is_it_is_judged(odd: Any) -> None:
    assert isinstance(faults_of(odd), list)


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"name": "r"}, ".name: expected another name: rules[0] has this one"),
        (
            {"schedule": "nigth"},
            '.schedule: given "nigth", expected a schedule (night); did you mean "night"?',
        ),
        (
            {"of": [{"kind": "presence", "zone": "dokc"}]},
            '.of[0].zone: given "dokc", expected a zone or line of',
        ),
        (
            {"of": [{"kind": "presence", "sources": ["gate-mic"]}]},
            '.of[0].sources[0]: given "gate-mic", expected a',
        ),
        (
            {"of": [{"kind": "sound", "labels": ["glas"]}]},
            '.of[0].labels[0]: given "glas", expected a sound (',
        ),
        (
            {"of": [{"kind": "keyword", "labels": ["help"]}]},
            '.of[0].labels[0]: given "help", expected a keyword (',
        ),
        ({"raises": "s"}, '.raises: given "s", expected a rule (r)'),
        ({"of": [{"kind": "sound", "rule": "s"}]}, '.of[0].rule: given "s", expected a rule (r)'),
        (
            {"unless": [{"kind": "sound", "sources": ["x"]}]},
            '.unless[0].sources[0]: given "x", expected a camera or',
        ),
        ({"of": [{"kind": "sond"}]}, '.of[0].kind: given "sond", expected one of presence, sound'),
    ],
)
def test_a_pattern_that_leads_nowhere(keys: dict[str, Any], fault: str) -> None:
    pattern = {"kind": "together", "name": "p", "of": [{"kind": "sound"}]} | keys
    (told,) = faults(rule() | {"patterns": [pattern]})
    assert told.startswith(f"patterns[0]{fault}")


@pytest.mark.parametrize("day", ["2026-02-30", "13-01", "christmas", "2026-1-1"])
def test_a_holiday_that_is_no_day(day: str) -> None:
    (told,) = faults(tree(holidays=[day]))
    assert "expected a date such as 2026-12-24, or 01-01 for every year" in told
