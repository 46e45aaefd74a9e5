"""What Home Assistant is told, and what it makes of EdgeGuard's own messages."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.bridges import HomeAssistantBridge, Publication
from edgeguard.bridges.ha_components import KINDS
from edgeguard.config import rules as config_rules
from edgeguard.types import AlertState
from tests.bridges.home_assistant import Entities, assert_discoverable
from tests.bridges.told import PARTS, Told, alert_body, counts, health, part, status
from tests.support.alerts import IDENTITY, NEXT_RUN, UTC_NS, alert, moment

CONFIG = "homeassistant/device/edgeguard/depot_gate-1/config"
NOW_S = UTC_NS / 1e9


def bridge() -> Told:
    return Told(HomeAssistantBridge)


def announced(parts: Any = None) -> dict[str, Any]:
    told = bridge()
    told.tell(status())
    (said,) = told.tell(health(parts))
    return assert_discoverable(said.topic, said.payload)


@pytest.fixture(scope="module")
def entities() -> Entities:
    return Entities(announced(), NOW_S)


def test_a_device_is_announced_when_its_health_is_known() -> None:
    told = bridge()
    assert told.tell(status()) == []
    (said,) = told.tell(health())
    assert (said.topic, said.retain) == (CONFIG, True)
    message = assert_discoverable(said.topic, said.payload)
    assert message["device"] == {
        "identifiers": ["edgeguard_depot_gate-1"],
        "name": "depot gate-1",
        "manufacturer": "EdgeGuard",
        "model": "Guard",
        "sw_version": IDENTITY.version,
    }


@pytest.mark.parametrize(
    ("component", "change"),
    [
        ("health", {"unique_id": None}),
        ("health", {"state_class": "measurement"}),
        ("health", {"state_topc": "x"}),
        ("health", {"entity_category": "config"}),
        ("problem", {"device_class": "trouble"}),
        ("problem", {"platform": "switch"}),
        ("alert", {"event_types": []}),
        ("last_alert", {"state_topic": "a/#/b"}),
        ("last_alert", {"value_template": "summary"}),
    ],
)
def test_the_schema_of_discovery_refuses_what_home_assistant_would(component: str, change: Any) -> None:
    message = announced()
    message["components"][component].update(change)
    with pytest.raises(AssertionError):
        assert_discoverable(CONFIG, json.dumps(message))


def test_it_has_an_entity_for_all_that_matters() -> None:
    message = announced()
    assert set(message["components"]) == {
        *("health", "problem", "outbox_pending", "last_alert", "alert"),
        *("camera_gate_person", "camera_gate_objects", "camera_gate_problem"),
        "microphone_hall_problem",
    }
    ids = [component["unique_id"] for component in message["components"].values()]
    assert len(set(ids)) == len(ids)
    assert "edgeguard_depot_gate-1_camera_gate_person" in ids


def test_entities_read_edgeguards_own_topics() -> None:
    components = announced()["components"]
    up = "edgeguard/v1/depot/gate-1/up"
    assert components["health"]["state_topic"] == f"{up}/health"
    assert components["camera_gate_person"]["state_topic"] == f"{up}/counts/gate"
    assert components["alert"]["state_topic"] == f"{up}/alert/#"


def test_the_same_is_announced_once_and_a_new_camera_anew() -> None:
    told = bridge()
    told.tell(status())
    told.tell(health())
    assert told.tell(health(state="degraded")) == []
    (said,) = told.tell(health({**PARTS, "camera/yard": part()}))
    assert "camera_yard_person" in assert_discoverable(said.topic, said.payload)["components"]


def test_what_is_no_more_is_removed_and_then_left_out() -> None:
    told = bridge()
    told.tell(status())
    told.tell(health({**PARTS, "camera/yard": part()}))
    removal, after = (assert_discoverable(one.topic, one.payload) for one in told.tell(health()))
    assert removal["components"]["camera_yard_person"] == {"platform": "sensor"}
    assert removal["components"]["camera_yard_problem"] == {"platform": "binary_sensor"}
    assert after["components"].keys() == announced()["components"].keys()


@pytest.mark.parametrize("first", ["broker", "device"])
def test_what_an_earlier_bridge_announced_is_removed_too(first: str) -> None:
    """Whether the broker tells first what it kept of the bridge or of the device."""
    before = announced({**PARTS, "camera/yard": part()})
    told = bridge()
    kept = json.dumps(before).encode()
    said: list[Publication] = []
    if first == "broker":
        said += told.bridge.hear(CONFIG, kept, retained=True)
    told.tell(status(), live=False)
    said += told.tell(health(), live=False)
    if first == "device":
        said += told.bridge.hear(CONFIG, kept, retained=True)
    removal, after = (json.loads(one.payload)["components"] for one in said[-2:])
    assert removal["camera_yard_objects"] == {"platform": "sensor"}
    assert "camera_yard_objects" not in after


def test_its_own_words_coming_back_are_no_news() -> None:
    told = bridge()
    told.tell(status())
    (said,) = told.tell(health())
    for retained in (False, True):
        assert told.bridge.hear(said.topic, said.payload.encode(), retained) == []


def test_what_was_removed_before_is_not_removed_again() -> None:
    """An earlier bridge died between its two messages."""
    kept = announced()
    kept["components"]["camera_yard_person"] = {"platform": "sensor"}
    told = bridge()
    told.bridge.hear(CONFIG, json.dumps(kept).encode(), retained=True)
    told.tell(status())
    (said,) = told.tell(health())
    assert "camera_yard_person" not in json.loads(said.payload)["components"]


def test_an_older_word_of_its_own_that_comes_back_late_is_no_news() -> None:
    told = bridge()
    told.tell(status())
    (older,) = told.tell(health({**PARTS, "camera/yard": part()}))
    told.tell(health())
    assert told.bridge.hear(CONFIG, older.payload.encode(), retained=False) == []


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'{"components": 3}',
        b'{"components": {"a": 3}}',
        b'{"components": {"a": {"b": 1, "c": 2}}}',
    ],
)
def test_what_is_no_discovery_message_is_ignored(payload: bytes) -> None:
    told = bridge()
    assert told.bridge.hear(CONFIG, payload, retained=True) == []
    told.tell(status())
    assert len(told.tell(health())) == 1


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(
        lambda value: json.dumps({"components": value}).encode()
    )
)
def test_whatever_lies_on_its_topic_does_not_stop_it(payload: bytes) -> None:
    told = bridge()
    told.bridge.hear(CONFIG, payload, retained=True)
    told.tell(status())
    assert told.tell(health())


def test_a_starting_home_assistant_is_told_again() -> None:
    told = bridge()
    told.tell(status())
    said = told.tell(health())
    assert told.bridge.hear("homeassistant/status", b"online", retained=False) == said
    assert told.bridge.hear("homeassistant/status", b"offline", retained=False) == []
    assert told.bridge.greet() == said


def test_a_new_version_is_announced() -> None:
    told = bridge()
    told.tell(status())
    told.tell(health())
    newer = replace(NEXT_RUN, version="0.2.0")
    assert told.tell(status(identity=newer)) == []
    (said,) = told.tell(health(identity=newer))
    assert json.loads(said.payload)["device"]["sw_version"] == "0.2.0"


@pytest.mark.parametrize(
    ("state", "available"), [("online", "online"), ("stopped", "offline"), ("offline", "offline")]
)
def test_availability_is_the_devices_own(entities: Entities, state: str, available: str) -> None:
    assert entities.available(status(state)) == available


@pytest.mark.parametrize(("state", "problem"), [("starting", "OFF"), ("ok", "OFF"), ("degraded", "ON")])
def test_health_is_a_state_and_a_problem(entities: Entities, state: str, problem: str) -> None:
    body = health(state=state)
    assert entities.state("health", body) == state
    assert entities.state("problem", body) == problem


def test_health_names_what_is_degraded_and_why(entities: Entities) -> None:
    broken = {**part("degraded"), "reason": 'no "picture" <yet>'}
    attributes = entities.attributes("health", health({**PARTS, "camera/gate": broken}))
    assert attributes == {"degraded": {"camera/gate": 'no "picture" <yet>'}}
    assert entities.attributes("health", health()) == {"degraded": {}}


def test_the_outbox_tells_what_is_not_delivered(entities: Entities) -> None:
    assert entities.state("outbox_pending", health()) == "3"


@pytest.mark.parametrize(
    ("state", "problem"),
    [("ok", "OFF"), ("starting", "OFF"), ("off", "OFF"), ("degraded", "ON"), ("ended", "ON")],
)
def test_cameras_and_microphones_have_their_problems(entities: Entities, state: str, problem: str) -> None:
    body = health({"camera/gate": part(state), "microphone/hall": part(state)})
    assert entities.state("camera_gate_problem", body) == problem
    assert entities.state("microphone_hall_problem", body) == problem


def test_a_camera_of_which_nothing_is_told_is_a_problem(entities: Entities) -> None:
    assert entities.state("camera_gate_problem", health({})) == "ON"


def test_counts_are_numbers(entities: Entities) -> None:
    body = {**counts(2, moving=1), "seen": {"person": 2, "car": 1}}
    assert entities.state("camera_gate_person", body) == "2"
    assert entities.state("camera_gate_objects", body) == "3"
    assert (
        entities.state("camera_gate_person", counts(0))
        == entities.state("camera_gate_objects", counts(0))
        == "0"
    )
    assert entities.attributes("camera_gate_objects", counts(2, moving=1)) == {
        "seen": {"person": 2},
        "moving": {"person": 1},
        "zones": {"yard": {"person": 2}},
    }


def test_the_last_alert_is_its_summary_cut_to_what_a_state_holds(entities: Entities) -> None:
    assert entities.state("last_alert", alert_body(alert())) == alert().summary
    assert entities.state("last_alert", alert_body(alert(summary="x" * 400))) == "x" * 255


def test_its_attributes_say_the_rest(entities: Entities) -> None:
    said = alert_body(alert(summary='he said "<b>"'))
    attributes = entities.attributes("last_alert", said)
    assert attributes == {name: said[name] for name in attributes}
    assert {"alert_id", "severity", "zone", "acknowledged", "replayed", "drill"} <= attributes.keys()


def test_an_alert_is_an_event_when_it_is_opened(entities: Entities) -> None:
    event = entities.event("alert", alert_body(alert()))
    assert event is not None
    assert (event["event_type"], event["source"], event["zone"]) == ("loitering", "dock", "yard")
    for state in (AlertState.UPDATED, AlertState.CLOSED):
        assert entities.event("alert", alert_body(alert(state=state, revision=2))) is None


def test_an_exercise_is_no_event(entities: Entities) -> None:
    assert entities.event("alert", alert_body(alert(drill=True))) is None


def test_a_kind_that_home_assistant_was_not_told_of_is_another(entities: Entities) -> None:
    event = entities.event("alert", alert_body(moment(kind="brand_new")))
    assert event is not None
    assert (event["event_type"], event["kind"]) == ("other", "brand_new")


def test_every_kind_of_rule_is_a_type_of_event() -> None:
    kinds = [get_args(rule.model_fields["kind"].annotation) for rule in _leaves(config_rules.Rule)]
    assert kinds
    assert {kind for (kind,) in kinds} <= set(KINDS)


def _leaves(section: type[Any]) -> list[type[Any]]:
    children = section.__subclasses__()
    return [leaf for child in children for leaf in _leaves(child)] if children else [section]


@pytest.mark.parametrize(("age_s", "is_event"), [(299, True), (301, False)])
def test_a_late_copy_is_an_event_only_while_it_is_fresh(age_s: float, is_event: bool) -> None:
    entities = Entities(announced(), NOW_S + age_s)
    late = {**alert_body(alert()), "replayed": True}
    assert (entities.event("alert", late) is not None) is is_event
    assert entities.event("alert", {**late, "replayed": False}) is not None


@pytest.mark.parametrize("name", ["x'] }}{{ 7*7", "{{ states() }}", "a b", "ü", "'", ""])
def test_a_device_does_not_write_templates(name: str) -> None:
    parts = {**PARTS, f"camera/{name}": part(), f"microphone/{name}": part()}
    assert announced(parts)["components"].keys() == announced()["components"].keys()


def test_names_that_cannot_stand_in_a_topic_still_tell_devices_apart() -> None:
    topics = set()
    for site, device in (("a.b", "c"), ("a-b", "c"), ("a_b", "c"), ("a", "b_c"), ("a", "b-c")):
        told = bridge()
        identity = replace(IDENTITY, site=site, device=device)
        told.tell(status(identity=identity))
        (said,) = told.tell(health(identity=identity))
        assert_discoverable(said.topic, said.payload)
        topics.add(said.topic)
    assert len(topics) == 5


def test_the_example_conversation_makes_sense_to_it() -> None:
    text = (resources.files("edgeguard.alerts") / "examples" / "conversation.jsonl").read_text("utf-8")
    told = bridge()
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        if "/up/" in line["topic"]:
            told.tell(line["message"])
    entities = Entities(assert_discoverable(told.said[-1].topic, told.said[-1].payload), NOW_S)
    bodies = [line["message"] for line in lines if "/alert/" in line["topic"]]
    events = [event for body in bodies if (event := entities.event("alert", body))]
    assert [event["event_type"] for event in events] == ["line_crossed", "loitering"]
    assert all(entities.state("last_alert", body) == body["summary"] for body in bodies)
