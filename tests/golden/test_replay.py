"""What was once noticed in the drawn scenes still becomes the same messages, to the last byte.

Where a change of the messages is meant, `UPDATE_GOLDEN=1 pytest tests/golden` writes them anew; look at the
difference before you commit it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.messages import ClockQuality, Identity, alert_message
from edgeguard.alerts.policy import AlertRule, Policy
from edgeguard.clock import ManualClock
from edgeguard.fusion import Fuser, HeardAndSeen
from edgeguard.runtime.journal import read, to_line
from edgeguard.types import Alert, Observation, Severity
from tests.alerts.strict import assert_valid
from tests.golden.record import OBSERVATIONS, START_NS

ALERTS = Path(__file__).with_name("alerts.jsonl")
IDENTITY = Identity("depot", "gate-1", "00000000-0000-4000-8000-000000000000", "0.0.0", 0)
SEVERITIES = {
    "restricted-entered": Severity.ALARM,
    "restricted-left": Severity.INFO,
    "restricted-loitering": Severity.ALARM,
    "gate-passed": Severity.INFO,
    "bay-crowd": Severity.WARNING,
    "lane-used": Severity.INFO,
    "glass-heard": Severity.WARNING,
    "break-in": Severity.ALARM,
}


def replay(observations: list[Observation]) -> Iterator[Alert]:
    """Fusion and policy as the daemon has them, at the observations' own pace."""
    numbers = count(1)
    clock = ManualClock(START_NS)
    fuser = Fuser([HeardAndSeen("break-in", frozenset({"glass"}), "yard", "restricted", 5.0)])
    rules = {name: AlertRule(name, severity, cooldown_s=60) for name, severity in SEVERITIES.items()}
    policy = Policy(rules, clock, lambda: f"00000000-0000-7000-8000-{next(numbers):012}")
    for observation in observations:
        while clock.now_ns + 1_000_000_000 <= observation.pts_ns:
            clock.advance(1)
            yield from policy.tick()
        clock.now_ns = observation.pts_ns
        for noticed in fuser.update(observation):
            yield from policy.update(noticed)
    for _ in range(40):
        clock.advance(1)
        yield from policy.tick()


@pytest.fixture(scope="module")
def observations() -> list[Observation]:
    return list(read(OBSERVATIONS.read_text().splitlines()))


@pytest.fixture(scope="module")
def messages(observations: list[Observation]) -> list[dict[str, Any]]:
    quality = ClockQuality("synced", 0.0)
    return [
        alert_message(alert, IDENTITY, seq, alert.decided_ns or 0, quality)
        for seq, alert in enumerate(replay(observations), 1)
    ]


def test_the_same_observations_give_the_same_alerts(messages: list[dict[str, Any]]) -> None:
    lines = "".join(f"{json.dumps(message, ensure_ascii=False)}\n" for message in messages)
    if os.environ.get("UPDATE_GOLDEN"):
        ALERTS.write_text(lines)
    assert lines.splitlines() == ALERTS.read_text().splitlines()


def test_the_alerts_are_those_of_the_scenes(messages: list[dict[str, Any]]) -> None:
    opened = {message["rule"] for message in messages if message["state"] == "opened"}
    assert opened == set(SEVERITIES)
    for message in messages:
        assert_valid("alert", message)


def test_every_alert_is_closed_in_the_end(messages: list[dict[str, Any]]) -> None:
    latest = {message["alert_id"]: message for message in messages}
    assert [message["summary"] for message in latest.values() if message["closed_at"] is None] == []


def test_the_journal_gives_back_its_own_lines(observations: list[Observation]) -> None:
    lines = OBSERVATIONS.read_text().splitlines()
    assert [to_line(observation) for observation in observations] == lines
