"""Frigate's topics: presence, what is seen, what works, rates, sounds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from edgeguard.alerts.link import Will
from edgeguard.bridges import FrigateBridge, Publication
from edgeguard.bridges.frigate import names_for
from edgeguard.clock import ManualClock
from edgeguard.errors import ConfigError
from tests.bridges.told import PARTS, Told, alert_body, counts, health, messages, part, payloads, status
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS, moment

ONLINE = Publication("frigate/available", "online", retain=True)


def bridge(**options: Any) -> Told:
    return Told(lambda clock: FrigateBridge(clock, **{"names": "{camera}", **options}))


def watching() -> Told:
    """A bridge to a device that is online and looks."""
    told = bridge()
    told.tell(status())
    told.tell(health())
    return told


def test_it_says_nothing_of_presence_before_it_knows_a_device() -> None:
    told = bridge()
    assert not any(one.topic == "frigate/available" for one in told.said)
    assert told.tell(status()) == [ONLINE]


def test_its_end_is_told_by_the_broker_or_by_itself() -> None:
    told = bridge()
    assert told.bridge.will == Will("frigate/available", b"offline", 3)
    assert told.bridge.farewell() == [Publication("frigate/available", "stopped", retain=True)]


@pytest.mark.parametrize("state", ["stopped", "offline"])
def test_a_device_that_goes_is_not_available(state: str) -> None:
    told = watching()
    assert payloads(told.tell(status(state)))["frigate/available"] == state


def test_an_old_will_does_not_take_a_newer_run_away() -> None:
    told = watching()
    told.tell(status(identity=NEXT_RUN))
    assert told.tell(status("offline", IDENTITY)) == []
    assert payloads(told.tell(status("offline", NEXT_RUN)))["frigate/available"] == "offline"


def test_a_device_that_says_nothing_any_more_is_not_available() -> None:
    told = watching()
    assert "frigate/available" not in payloads(told.after(170))
    assert payloads(told.after(20))["frigate/available"] == "offline"
    assert payloads(told.tell(health()))["frigate/available"] == "online"


def test_it_is_available_while_one_of_several_devices_is() -> None:
    told = bridge(names="{device}_{camera}")
    other = replace(IDENTITY, device="gate-2")
    told.tell(status())
    told.tell(status(identity=other))
    assert "frigate/available" not in payloads(told.tell(status("offline")))
    assert payloads(told.tell(status("stopped", other)))["frigate/available"] == "stopped"


def test_counts_go_to_the_camera_and_its_zones() -> None:
    assert payloads(watching().tell(counts(2, moving=1))) == {
        "frigate/gate/person": "2",
        "frigate/gate/person/active": "1",
        "frigate/gate/all": "2",
        "frigate/gate/all/active": "1",
        "frigate/yard/person": "2",
        "frigate/yard/all": "2",
    }


def test_only_what_changed_is_said_and_who_left_is_zero() -> None:
    told = watching()
    told.tell(counts(2, moving=1))
    assert payloads(told.tell(counts(2))) == {
        "frigate/gate/person/active": "0",
        "frigate/gate/all/active": "0",
    }
    gone = payloads(told.tell(counts(0)))
    assert gone["frigate/gate/person"] == gone["frigate/gate/all"] == gone["frigate/yard/person"] == "0"
    assert told.tell(counts(0)) == []


def test_a_zone_of_two_cameras_is_one_zone() -> None:
    told = watching()
    told.tell(counts(2))
    assert payloads(told.tell(counts(1, source="back")))["frigate/yard/person"] == "3"


def test_a_zone_called_like_a_camera_leaves_the_topics_to_the_camera() -> None:
    said = payloads(watching().tell(counts(2, zone="gate")))
    assert said["frigate/gate/person"] == "2"
    told = watching()
    told.tell(counts(1))
    said = payloads(told.tell(counts(5, source="back", zone="gate")))
    assert "frigate/gate/person" not in said


def test_nothing_is_counted_where_nobody_looks() -> None:
    told = watching()
    told.tell(counts(2))
    said = payloads(told.tell(status("offline")))
    assert said["frigate/gate/person"] == said["frigate/gate/all"] == said["frigate/yard/all"] == "0"
    assert said["frigate/gate/status/detect"] == "offline"


def test_what_an_earlier_run_counted_is_not_believed() -> None:
    told = watching()
    told.tell(status(identity=NEXT_RUN))
    assert told.tell(counts(7)) == []


@pytest.mark.parametrize(
    ("camera", "detector", "said"),
    [
        (part(), part(rate_per_s=5.0), "online"),
        (part("degraded"), part(rate_per_s=5.0), "offline"),
        (part("ended"), part(rate_per_s=5.0), "offline"),
        (part("off"), part(rate_per_s=5.0), "disabled"),
        (part(), part("degraded"), "offline"),
        (part(), part("degraded", rate_per_s=5.0), "online"),
    ],
)
def test_a_camera_detects_if_it_works_and_something_looks(camera: Any, detector: Any, said: str) -> None:
    told = bridge()
    told.tell(status())
    status_topics = payloads(told.tell(health({"camera/gate": camera, "detector": detector})))
    assert status_topics["frigate/gate/status/detect"] == said


def test_a_microphone_has_its_status() -> None:
    told = bridge()
    told.tell(status())
    assert payloads(told.tell(health()))["frigate/hall/status/audio"] == "online"


def test_everything_is_said_anew_at_each_connection() -> None:
    told = watching()
    told.tell(counts(2))
    said = payloads(told.bridge.greet())
    assert said["frigate/available"] == "online"
    assert said["frigate/gate/person"] == "2"
    assert "frigate/stats" in said


def test_rates_are_those_of_the_camera_less_what_was_skipped() -> None:
    told = watching()
    told.tell(health({**PARTS, "camera/gate": part(rate_per_s=5.0, frames_replaced=20)}, at_s=10))
    (stats,) = messages(told.after(60), "frigate/stats")
    assert stats["cameras"]["gate"]["camera_fps"] == 5.0
    assert stats["cameras"]["gate"]["skipped_fps"] == 2.0
    assert stats["cameras"]["gate"]["process_fps"] == stats["cameras"]["gate"]["detection_fps"] == 3.0
    assert stats["detection_fps"] == 3.0
    assert stats["detectors"] == {"detector": {"inference_speed": None, "detection_start": None, "pid": None}}


def test_the_service_is_as_old_as_its_youngest_device() -> None:
    told = watching()
    told.clock.advance(30)
    told.tell(health(at_s=30))
    (stats,) = messages(told.after(30), "frigate/stats")
    assert stats["service"]["uptime"] == 60
    assert stats["service"]["version"] == IDENTITY.version
    assert stats["service"]["last_updated"] == UTC_NS / 1e9 + 30


def test_uptime_is_by_the_clock_of_the_device() -> None:
    """Whose clock is an hour ahead of the bridge's."""
    told = bridge()
    told.tell(status(identity=replace(IDENTITY, started_utc_ns=UTC_NS + 3600 * 10**9), at_s=3600))
    told.tell(health(at_s=3600))
    (stats,) = messages(told.after(60), "frigate/stats")
    assert stats["service"]["uptime"] == 60


def test_stats_come_once_a_minute() -> None:
    told = watching()
    assert [len(messages(told.after(20), "frigate/stats")) for _ in range(6)] == [0, 0, 1, 0, 0, 1]


def test_a_sound_is_on_for_half_a_minute() -> None:
    told = watching()
    heard = moment(kind="sound", source="hall", label="glass", zone=None, observed_utc_ns=UTC_NS)
    said = payloads([one for one in told.tell(alert_body(heard)) if "/audio/" in one.topic])
    assert said == {"frigate/hall/audio/glass": "ON"}
    told.after(20)
    again = replace(
        heard, alert_id="019b0200-0000-7000-8000-00000000beef", observed_utc_ns=UTC_NS + 20 * 10**9
    )
    told.tell(alert_body(again))
    assert "frigate/hall/audio/glass" not in payloads(told.after(20))
    assert payloads(told.after(11))["frigate/hall/audio/glass"] == "OFF"


def test_what_a_broker_would_refuse_does_not_stand_in_a_topic() -> None:
    hostile = counts(1)
    hostile["seen"] = {"a/b+c#\x00\ufffe": 1}
    assert "frigate/gate/a-b-c---" in payloads(watching().tell(hostile))


def test_cameras_of_several_devices_are_told_apart() -> None:
    told = Told(lambda clock: FrigateBridge(clock, names=names_for("+", "+")))
    told.tell(status())
    told.tell(health())
    assert payloads(told.tell(counts(1)))["frigate/depot_gate-1_gate/person"] == "1"


@pytest.mark.parametrize(
    ("site", "device", "names"),
    [
        ("+", "+", "{site}_{device}_{camera}"),
        ("depot", "+", "{device}_{camera}"),
        ("depot", "gate-1", "{camera}"),
    ],
)
def test_names_hold_what_is_not_chosen(site: str, device: str, names: str) -> None:
    assert names_for(site, device) == names


def test_names_by_which_cameras_could_be_taken_for_each_other_are_refused() -> None:
    with pytest.raises(ConfigError, match="--device"):
        names_for("depot", "+", "{camera}")
    assert names_for("+", "+", "{device}-{site}-{camera}") == "{device}-{site}-{camera}"


@pytest.mark.parametrize("names", ["{device}", "{camera.name}", "{", "{}", "{house}{camera}", "{camera[0]}"])
def test_names_that_cannot_be_filled_in_are_refused(names: str) -> None:
    with pytest.raises(ConfigError, match="names is"):
        FrigateBridge(ManualClock(), names=names)


@pytest.mark.parametrize("prefix", ["", "a b", "x/#", "+", "edgeguard", "edgeguard/v1/x", "/x", "x/", "$SYS"])
def test_prefixes_that_cannot_begin_a_topic_are_refused(prefix: str) -> None:
    with pytest.raises(ConfigError, match="the prefix is"):
        FrigateBridge(ManualClock(), prefix)
