"""What patterns made of the drawn scenes, they still make, to the last byte.

`UPDATE_GOLDEN=1 pytest tests/golden` writes it anew where a change is meant.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.messages import ClockQuality, alert_message
from edgeguard.config import Config
from edgeguard.runtime.journal import read
from edgeguard.runtime.replaying import Replay
from edgeguard.types import Observation
from tests.alerts.strict import assert_valid
from tests.config.trees import TRIANGLE, built, tree
from tests.golden.record import OBSERVATIONS
from tests.golden.test_replay import IDENTITY

ALERTS = Path(__file__).with_name("patterns.jsonl")
GLASS = {"kind": "sound", "labels": ["glass"]}
INSIDE = {"kind": "presence", "sources": ["yard"], "zone": "restricted"}
PATTERNS: list[dict[str, Any]] = [
    {"kind": "together", "name": "glass-near-somebody", "of": [GLASS, INSIDE], "within_s": 3.0},
    {"kind": "together", "name": "glass-unseen", "of": [GLASS], "unless": [INSIDE]},
    {
        "kind": "sequence",
        "name": "in-then-glass",
        "steps": [{"kind": "zone_entered", "rule": "restricted-entered"}, GLASS],
    },
    {"kind": "repeated", "name": "busy-lane", "of": {"kind": "line_crossed"}, "count": 3, "cooldown_s": 5},
    {"kind": "absent", "name": "empty", "of": INSIDE, "for_s": 10.0, "cooldown_s": 0},
    {"kind": "witnessed", "name": "really-in", "rule": "restricted-entered", "by": [GLASS], "within_s": 20},
]


def config() -> Config:
    camera = {"url": "scene://yard", "zones": {"restricted": {"polygon": TRIANGLE}}}
    entered = {"kind": "zone_entered", "name": "restricted-entered", "camera": "yard", "zone": "restricted"}
    ears = {"yard-mic": {"url": "alsa://default"}}
    return built(tree(cameras={"yard": camera}, microphones=ears, rules=[entered], patterns=PATTERNS))


def lines(observations: list[Observation]) -> list[str]:
    quality = ClockQuality("synced", 0.0)
    messages = [
        alert_message(alert, IDENTITY, seq, 0, quality)
        for seq, alert in enumerate(Replay(config()).run(observations), 1)
    ]
    for number, message in enumerate(messages, 1):
        message["alert_id"] = f"00000000-0000-7000-8000-{number:012}"
        assert_valid("alert", message)
    return [json.dumps(message, ensure_ascii=False) for message in messages]


@pytest.fixture(scope="module")
def observations() -> list[Observation]:
    return list(read(OBSERVATIONS.read_text().splitlines()))


def test_the_same_observations_give_the_same_alerts(observations: list[Observation]) -> None:
    found = lines(observations)
    if os.environ.get("UPDATE_GOLDEN"):
        ALERTS.write_text("".join(f"{line}\n" for line in found))
    assert found == ALERTS.read_text().splitlines()
    assert {json.loads(line)["rule"] for line in found} >= {
        "glass-near-somebody",
        "in-then-glass",
        "really-in",
    }
    assert "glass-unseen" not in {json.loads(line)["rule"] for line in found}


def test_coming_late_changes_nothing(observations: list[Observation]) -> None:
    """Each comes up to 0.9 s late, so that some overtake others."""
    chance = random.Random(7)
    late = sorted(observations, key=lambda one: one.pts_ns + chance.randrange(900_000_000))
    assert late != observations

    def told(some: list[Observation]) -> list[tuple[str, str]]:
        rows = [json.loads(line) for line in lines(some)]
        return sorted((row["rule"], row["observed_at"]) for row in rows if row["kind"] == "pattern")

    assert told(late) == told(observations)
