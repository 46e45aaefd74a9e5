from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeguard.config import Config
from edgeguard.rules import PersonDown
from edgeguard.runtime.journal import read
from edgeguard.runtime.replaying import Replay
from edgeguard.types import Observation, Phase, Severity
from tests.config.trees import built, tree
from tests.golden.record import OBSERVATIONS
from tests.support.tracks import boxed

SCENE: dict[str, Any] = {
    "yard": {
        "url": "scene://yard",
        "zones": {"restricted": {"polygon": [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]}},
        "lines": {"gate": {"start": [0.1, 0.5], "end": [0.9, 0.5]}},
    }
}
GLASS = {"kind": "sound", "name": "any-glass", "tags": ["glass"]}
DAY_NS = 86_400_000_000_000


def config(*rules: dict[str, Any], **sections: Any) -> Config:
    ears = {"yard-mic": {"url": "alsa://default", "camera": "yard"}}
    return built(tree(cameras=SCENE, microphones=ears, rules=list(rules), **sections))


def observed() -> list[Observation]:
    return list(read(OBSERVATIONS.read_text().splitlines()))


def test_a_rule_on_sound_is_new_and_a_rule_on_pictures_is_found_by_its_name() -> None:
    place = {"camera": "yard", "zone": "restricted"}
    known = {"kind": "zone_entered", "name": "restricted-entered", "severity": "critical", **place}
    unknown = {"kind": "zone_left", "name": "gone", **place}
    replay = Replay(config(GLASS, known, unknown))
    alerts = list(replay.run(observed()))
    assert {(alert.rule, alert.severity) for alert in alerts} == {
        ("any-glass", Severity.WARNING),
        ("restricted-entered", Severity.CRITICAL),
    }
    assert replay.unseen == {"gone"}


def test_a_rule_can_be_made_stricter() -> None:
    def loitering(dwell_s: float) -> list[str]:
        rule = {"kind": "loitering", "name": "restricted-loitering", "camera": "yard", "zone": "restricted"}
        return [alert.rule for alert in Replay(config({**rule, "dwell_s": dwell_s})).run(observed())]

    assert loitering(8.0) == ["restricted-loitering"]
    assert loitering(600.0) == []


def test_a_person_down_can_be_asked_to_lie_flatter_and_longer() -> None:
    lying = PersonDown("fallen", "restricted", SCENE["yard"]["zones"]["restricted"]["polygon"])
    shown = [boxed(n / 5, (7, (0.4, 0.4, 0.6, 0.5))) for n in range(50)]  # twice as wide as tall, for 9.6 s
    noticed = [replace(one, source="yard") for tracks in shown for one in lying.update(tracks)]

    def fallen(**keys: float) -> list[str]:
        rule = {"kind": "person_down", "name": "fallen", "camera": "yard", "zone": "restricted", **keys}
        return [alert.rule for alert in Replay(config(rule)).run(noticed)]

    assert fallen() == fallen(ratio=1.9) == fallen(for_s=9.0) == ["fallen"]
    assert fallen(ratio=2.1) == fallen(for_s=9.7) == []


def test_a_pattern_can_be_tried_on_what_was_noticed() -> None:
    pattern = {
        "kind": "together",
        "name": "break-in",
        "of": [{"kind": "sound"}, {"kind": "presence", "sources": ["yard"], "zone": "restricted"}],
    }
    (alert, *_) = Replay(config(patterns=[pattern])).run(observed())
    assert {one.kind for one in alert.joined} == {"sound", "presence"}
    assert alert.source == "yard"


def test_a_pattern_that_raises_shows_the_rules_alert_at_its_severity() -> None:
    entered = {"kind": "zone_entered", "name": "restricted-entered", "camera": "yard", "zone": "restricted"}
    pattern = {
        "kind": "together",
        "name": "break-in",
        "of": [{"kind": "sound"}, {"kind": "presence", "sources": ["yard"], "zone": "restricted"}],
        "within_s": 30.0,
        "raises": "restricted-entered",
        "severity": "critical",
    }
    alerts = list(Replay(config(entered, patterns=[pattern])).run(observed()))
    raised = [alert for alert in alerts if alert.rule == "restricted-entered" and alert.joined]
    assert raised
    assert {(alert.severity, alert.state.value) for alert in raised} == {(Severity.CRITICAL, "opened")}
    assert len({alert.alert_id for alert in alerts}) == len(alerts)


def test_it_goes_through_restarts_of_the_box_day_by_day() -> None:
    first = observed()
    second = [replace(one, pts_ns=one.pts_ns - 10**12, utc_ns=one.utc_ns + DAY_NS) for one in first]
    alerts = list(Replay(config(GLASS)).run([*first, *second]))
    assert len({alert.opened_utc_ns // DAY_NS for alert in alerts}) == 2


def sounds(*at: tuple[float, float]) -> list[Observation]:
    """The same glass broken again and again: seconds of the monotonic clock, and by how much UTC was off."""
    glass = next(one for one in observed() if one.kind == "sound" and one.phase is Phase.BEGAN)
    instant = replace(glass, phase=Phase.INSTANT)
    return [
        replace(
            instant,
            pts_ns=glass.pts_ns + round(up_s * 1e9),
            utc_ns=glass.utc_ns + round((up_s + off_s) * 1e9),
        )
        for up_s, off_s in at
    ]


@pytest.mark.parametrize("off_s", [-86_400 * 30.0, -3600.0, 0.0, 3600.0, 86_400 * 365.0])
def test_a_step_of_utc_loses_no_alert_and_makes_none(off_s: float) -> None:
    """Three of four: the second is within the cooldown of the first, wherever UTC was put meanwhile."""
    log = sounds((0, 0), (30, off_s), (100, off_s), (200, 0))
    alerts = list(Replay(config({**GLASS, "cooldown_s": 60})).run(log))
    assert len(alerts) == 3
    assert [alert.opened_utc_ns - log[0].utc_ns for alert in alerts] == [
        0,
        round((100 + off_s) * 1e9),
        200 * 10**9,
    ], "told by the clock as it was"


@pytest.mark.parametrize("off_s", [-86_400 * 30.0, 0.0, 5 * 3600.0, 86_400 * 365.0])
def test_a_stamp_that_is_far_off_lets_nothing_be_absent(off_s: float) -> None:
    pattern = {"kind": "absent", "name": "silence", "of": {"kind": "sound"}, "for_s": 100.0}
    log = sounds((0, 0), (40, off_s), (80, 0), (120, 0))
    assert len(list(Replay(config(patterns=[pattern])).run(log))) == 0


def test_the_same_log_gives_the_same_alerts() -> None:
    runs = [list(Replay(config(GLASS)).run(observed())) for _ in range(2)]
    assert runs[0] == runs[1] != []


def test_a_sound_that_two_rules_asked_for_is_one() -> None:
    glass = next(one for one in observed() if one.kind == "sound" and one.phase is Phase.BEGAN)
    twice = [replace(glass, rule=name) for name in ("one", "two")]
    again = {"kind": "repeated", "name": "again", "of": {"kind": "sound"}, "count": 2}
    assert not list(Replay(config(patterns=[again])).run(twice))
