"""The patterns of the shipped warehouse, as the daemon builds them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.alerts.policy import Policy
from edgeguard.clock import ManualClock
from edgeguard.config import Config, load
from edgeguard.runtime.assembly.fusing import EVERYWHERE, fuser, policy, watched_zones
from edgeguard.types import Alert, AlertState, Observation, Phase, Severity
from tests.conftest import REPOSITORY

NIGHT_NS = 1_795_906_800_000_000_000
"""Saturday, 28 November 2026, at 23:40 in Zurich."""


@pytest.fixture(scope="module")
def warehouse() -> Config:
    return load(REPOSITORY / "configs" / "warehouse.yaml")


def seen(kind: str, t_s: float, source: str, *, label: str = "person", **more: object) -> Observation:
    pts_ns = round(t_s * 1e9)
    return Observation(kind, source, pts_ns, NIGHT_NS + pts_ns, 0.8, label=label, key="1", **more)  # type: ignore[arg-type]


def somebody(t_s: float, source: str, zone: str = EVERYWHERE) -> Observation:
    return seen("presence", t_s, source, zone=zone, track_ids=(1,), phase=Phase.CONTINUES)


def help_called(t_s: float) -> Observation:
    return seen("keyword", t_s, "aisle-mic", label="help me", rule="help-called")


ENTERED = seen("line_crossed", 10, "gate", rule="entrance-at-night", track_ids=(1,))
LOITERING = seen("loitering", 10, "gate", rule="forecourt-loitering", zone="forecourt", phase=Phase.BEGAN)
DOWN = seen(
    "person_down", 10, "aisle", rule="aisle-person-down", zone="floor", track_ids=(1,), phase=Phase.BEGAN
)
CALLED = {"aisle-person-down": Severity.ALARM, "help-called": Severity.ALARM}
GUARD = [somebody(t, "gate", "forecourt") for t in range(0, 3600, 900)]


def alerts(config: Config, story: list[Observation], until_s: float = 100) -> list[Alert]:
    joining = fuser(config)
    deciding: Policy = policy(config, ManualClock(0, NIGHT_NS))
    found = joining.tick(0, NIGHT_NS)
    found += [one for observation in story for one in joining.update(observation)]
    found += joining.tick(round(until_s * 1e9), NIGHT_NS + round(until_s * 1e9))
    told = [alert for one in found for alert in deciding.update(one)]
    return [alert for alert in told if alert.state is AlertState.OPENED]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (
            [somebody(8, "dock", "ramp"), seen("sound", 10, "dock-mic", label="scream")],
            {"violence-at-the-ramp": Severity.CRITICAL},
        ),
        ([somebody(2, "dock", "ramp"), seen("sound", 10, "dock-mic", label="scream")], {}),
        (
            [help_called(10)],
            {"help-called": Severity.ALARM, "shout-out-of-sight": Severity.ALARM},
        ),
        (
            [somebody(8, "aisle"), help_called(10)],
            {"help-called": Severity.ALARM},
        ),
        ([ENTERED], {"intruder": Severity.INFO}),
        ([ENTERED, somebody(25, "dock", "ramp")], {"intruder": Severity.CRITICAL}),
        ([somebody(10, "aisle"), DOWN], {"aisle-person-down": Severity.ALARM}),
        (
            [help_called(4), somebody(5, "aisle"), DOWN],  # told 5 s after the fall
            {**CALLED, "help-near-a-person-down": Severity.CRITICAL},
        ),
        (
            [somebody(10, "aisle"), DOWN, help_called(20)],
            {**CALLED, "help-near-a-person-down": Severity.CRITICAL, "shout-out-of-sight": Severity.ALARM},
        ),
        ([somebody(10, "aisle"), DOWN, somebody(25, "aisle"), help_called(26)], CALLED),
        (
            [somebody(10, "aisle"), DOWN, seen("keyword", 12, "dock-mic", label="help me")],
            {"aisle-person-down": Severity.ALARM},
        ),
        (
            [LOITERING, seen("keyword", 12, "dock-mic", label="help me")],
            {
                "forecourt-loitering": Severity.WARNING,
                "somebody-needs-help": Severity.CRITICAL,
                "shout-out-of-sight": None,
            },
        ),
    ],
)
def test_stories(warehouse: Config, story: list[Observation], expected: dict[str, Severity | None]) -> None:
    told = {alert.rule: alert.severity for alert in alerts(warehouse, story)}
    assert told == {rule: severity for rule, severity in expected.items() if severity}


@given(t_s=st.floats(0, 60))
def test_help_counts_from_15_s_before_one_is_down_to_15_s_after(warehouse: Config, t_s: float) -> None:
    phases = [Phase.BEGAN, *[Phase.CONTINUES] * 9, Phase.ENDED]
    lying = [replace(DOWN, pts_ns=s * 10**9, phase=phase) for s, phase in enumerate(phases, 20)]
    story = sorted([*lying, help_called(t_s)], key=lambda one: one.pts_ns)
    told = {alert.rule: alert for alert in alerts(warehouse, story)}
    assert ("help-near-a-person-down" in told) == (5 <= t_s <= 44)
    if alarm := told.get("help-near-a-person-down"):
        assert (alarm.severity, alarm.source, alarm.zone) == (Severity.CRITICAL, "aisle", "floor")
        assert {one.kind for one in alarm.joined} == {"keyword", "person_down"}


def test_the_guard_who_comes_and_the_guard_who_does_not(warehouse: Config) -> None:
    assert alerts(warehouse, GUARD, 3700) == []
    (missed, *_) = alerts(warehouse, GUARD[:1], 3700)
    assert (missed.rule, missed.source, missed.zone) == ("no-guard", "gate", "forecourt")
    assert missed.opened_utc_ns == NIGHT_NS + 1_800_000_000_000
    assert missed.summary.startswith("no-guard in forecourt: presence person by gate (absent_s 1800 >= 1800")


def test_presence_is_watched_where_patterns_ask_for_it(warehouse: Config) -> None:
    assert watched_zones(warehouse, "dock") == ("ramp",)
    assert watched_zones(warehouse, "gate") == ("forecourt",)
    assert watched_zones(warehouse, "aisle") == (None,)
