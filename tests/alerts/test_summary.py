from __future__ import annotations

from typing import Any

import pytest

from edgeguard.alerts.summary import sentence
from edgeguard.types import Joined, Measure
from tests.support.alerts import seen

PERSON = {"label": "person", "zone": "dock", "track_ids": (7,)}


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("zone_entered", PERSON, "person 7 entered dock"),
        ("zone_left", PERSON, "person 7 left dock"),
        (
            "line_crossed",
            {**PERSON, "zone": "gate", "measures": (Measure("direction", "left_to_right", "is", "any"),)},
            "person 7 crossed gate from left to right",
        ),
        (
            "loitering",
            {**PERSON, "measures": (Measure("dwell_s", 12.34, ">=", 10.0),)},
            "person 7 stayed 12.3 s in dock (limit 10 s)",
        ),
        (
            "pattern",
            {
                "rule": "break-in",
                "zone": "dock",
                "measures": (Measure("apart_s", 2.0, "<=", 3.0),),
                "joined": (Joined("sound", "hall", 0, 0.8, "glass"), Joined("zone_entered", "gate", 0, 0.9)),
            },
            "break-in in dock: sound glass by hall, zone entered by gate (apart_s 2 <= 3)",
        ),
        (
            "crowd",
            {"zone": "hall", "measures": (Measure("count", 5, ">=", 4),)},
            "crowd of 5 in hall (limit 4)",
        ),
        (
            "person_down",
            {**PERSON, "measures": (Measure("for_s", 6.24, ">=", 5.0), Measure("ratio", 2.13, ">=", 1.2))},
            "person 7 seems to lie in dock for 6.2 s (limit 5 s), 2.1 times as wide as tall (limit 1.2)",
        ),
        (
            "keyword",
            {"source": "hall", "label": "help", "confidence": 0.914},
            "keyword 'help' heard by hall (confidence 0.91)",
        ),
        (
            "sound",
            {"source": "hall", "label": "glass", "confidence": 0.5},
            "sound 'glass' heard by hall (confidence 0.50)",
        ),
        (
            "intent",
            {
                "source": "hall",
                "label": "weapon",
                "text": "he has a gun",
                "measures": (Measure("urgency", 0.95, ">=", 0.5),),
            },
            "weapon understood by hall in 'he has a gun' (urgency 0.95)",
        ),
        (
            "heard_and_seen",
            {
                **PERSON,
                "label": "help",
                "measures": (Measure("heard_by", "hall"), Measure("delay_s", 1.25, "<=", 5.0)),
            },
            "'help' heard by hall and track 7 seen in dock, 1.2 s apart (limit 5 s)",
        ),
        (
            "tailgating",
            {"measures": (Measure("gap_s", 0.5, "<=", 2), Measure("badge", "none"))},
            "tailgating at dock (gap_s 0.5 <= 2, badge none)",
        ),
    ],
)
def test_the_why_in_words(kind: str, values: dict[str, Any], words: str) -> None:
    assert sentence(seen(kind=kind, **values)) == words


@pytest.mark.parametrize(
    "kind",
    [
        "zone_entered",
        "zone_left",
        "line_crossed",
        "loitering",
        "crowd",
        "person_down",
        "keyword",
        "sound",
        "heard_and_seen",
        "microphone_fault",
        "x",
    ],
)
def test_words_are_found_for_an_observation_that_says_little(kind: str) -> None:
    assert "None" not in sentence(seen(kind=kind))
