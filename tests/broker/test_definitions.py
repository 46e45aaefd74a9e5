from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edgeguard.broker.definitions import definitions
from edgeguard.broker.roles import RIGHTS
from edgeguard.cli.main import app
from edgeguard.errors import ConfigError

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "broker"
KEYS = {
    "edgeguard.v1.depot.gate-1.up.alert.yard.loitering",
    "edgeguard.v1.depot.gate-1.up.alert.drill.zone_entered",
    "edgeguard.v1.depot.gate-1.up.status",
    "edgeguard.v1.depot.gate-1.down.receipt",
    "edgeguard.v1.depot.gate-1.down.ack",
    "edgeguard.v1.depot.gate-1.down.command.replay",
    "edgeguard.v1.depot.gate-1.down.command.restart",
    "edgeguard.v1.depot.gate-10.up.status",
    "edgeguard.v1.depot.gate-1.upper",
    "frigate.events",
    "homeassistant.status",
}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    said = CliRunner().invoke(app, ["broker", "definitions", str(SHIPPED / "roles.yaml")])
    assert said.exit_code == 0
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def may(made: dict[str, Any], user: str, verb: str) -> set[str]:
    (permission,) = (one for one in made["topic_permissions"] if one["user"] == user)
    return {key for key in KEYS if re.search(permission[verb], key)}


def test_nobody_has_a_password(made: dict[str, Any]) -> None:
    assert {user["password_hash"] for user in made["users"]} == {""}
    assert {user["name"] for user in made["users"]} > {"depot/gate-1", "control-room", "collector-1"}


def test_a_device_writes_its_own_up_and_reads_its_own_down(made: dict[str, Any]) -> None:
    own = "edgeguard.v1.depot.gate-1."
    assert may(made, "depot/gate-1", "write") == {key for key in KEYS if key.startswith(f"{own}up.")}
    drill = f"{own}up.alert.drill.zone_entered"
    assert may(made, "depot/gate-1", "read") == {
        drill,
        *(key for key in KEYS if key.startswith(f"{own}down.")),
    }
    assert may(made, "depot/gate-2", "read") == set()
    assert (may(made, "drill-1", "read"), may(made, "drill-1", "write")) == ({drill}, set())


def test_a_device_may_listen_to_its_drills_beside_its_own_connection(made: dict[str, Any]) -> None:
    (permission,) = (one for one in made["permissions"] if one["user"] == "depot/gate-1")
    for client, allowed in (("depot-gate-1", True), ("depot-gate-1-drill", True), ("depot-gate-10", False)):
        name = f"mqtt-subscription-edgeguard-{client}qos1"
        assert bool(re.search(permission["configure"], name)) is allowed


def test_roles_write_what_they_may_at_mosquitto(made: dict[str, Any]) -> None:
    down = "edgeguard.v1.depot.gate-1.down."
    commands = {f"{down}command.replay", f"{down}command.restart"}
    assert may(made, "control-room", "write") == {f"{down}ack"}
    assert may(made, "shift-leader", "write") == {f"{down}ack", *commands}
    assert may(made, "collector-1", "write") == {f"{down}ack", f"{down}receipt", f"{down}command.replay"}
    assert may(made, "bridge-1", "write") == {"frigate.events", "homeassistant.status"}
    assert may(made, "home-assistant", "write") == {"homeassistant.status"}


def test_a_subscription_to_more_than_the_right_does_not_match_it(made: dict[str, Any]) -> None:
    (permission,) = (one for one in made["topic_permissions"] if one["user"] == "control-room")
    allowed, *refused = ("edgeguard.v1.*.*.up.#", "edgeguard.v1.#", "#", "edgeguard.v1.*.*.#")
    assert re.search(permission["read"], allowed)
    assert not any(re.search(permission["read"], pattern) for pattern in refused)


def test_a_collector_reads_the_queue_and_nothing_else(made: dict[str, Any]) -> None:
    (permission,) = (one for one in made["permissions"] if one["user"] == "collector-1")
    names = ("edgeguard", "edgeguard-dead", "mqtt-subscription-edgeguard-depot-gate-1qos1", "amq.topic")
    for verb, allowed in (("read", ["edgeguard"]), ("write", ["amq.topic"]), ("configure", [])):
        assert [name for name in names if re.search(permission[verb], name)] == allowed


def test_a_full_queue_refuses_instead_of_dropping(made: dict[str, Any]) -> None:
    (queue,) = (one for one in made["queues"] if one["name"] == "edgeguard")
    assert queue["durable"] is True
    assert queue["arguments"]["x-queue-type"] == "quorum"
    assert queue["arguments"]["x-overflow"] == "reject-publish"


@pytest.mark.parametrize("roles", [{"devices": ["depot/gate.1"]}, {"dashboards": ["wall.1"]}])
def test_a_dot_in_a_name_is_refused(roles: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigError, match="has a dot in its name"):
        definitions(roles)


def test_every_role_is_understood() -> None:
    assert definitions({role: [role] for role in RIGHTS})["users"]


def test_collectors_get_what_a_later_version_adds_and_no_live_counts(made: dict[str, Any]) -> None:
    keys = {bound["routing_key"] for bound in made["bindings"] if bound["destination"] == "edgeguard"}
    own = "edgeguard.v1.*.*.up."
    assert f"{own}*" in keys
    assert keys.isdisjoint({f"{own}#", f"{own}counts.#"})
