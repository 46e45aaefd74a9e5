"""The AsyncAPI document says of the topics and messages what the code says."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import pytest
import yaml

from edgeguard.alerts.check import SCHEMAS, schema
from edgeguard.alerts.topics import Topics, addressee, sender

FOLDER = resources.files("edgeguard.alerts") / "schema"
DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / "asyncapi.yaml").read_text("utf-8"))
CHANNELS: dict[str, dict[str, Any]] = DOCUMENT["channels"]
RETAINED = {"status", "health", "counts", "config"}


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """What `$ref` in this document points to."""
    found: Any = DOCUMENT
    for word in node["$ref"].removeprefix("#/").split("/"):
        found = found[word]
    assert isinstance(found, dict)
    return found


def example(address: str) -> str:
    """An address with something in every parameter."""
    return address.format(
        site="site", device="device", source="source", kind="kind", verb="ping", id="id", day="day"
    )


@pytest.mark.parametrize("channel", CHANNELS.values(), ids=CHANNELS)
def test_each_channel_carries_the_message_that_the_code_reads_there(channel: dict[str, Any]) -> None:
    topic = example(channel["address"])
    origin = sender(topic) or addressee(topic)
    assert origin is not None
    ((name, reference),) = channel["messages"].items()
    assert origin == ("site", "device", name)
    payload = resolve(reference)["payload"]["schema"]["$ref"]
    assert json.loads((FOLDER / payload).read_text("utf-8")) == schema(name)
    words = ("site", "device", "source", "kind", "verb", "id", "day")
    assert set(channel["parameters"]) == {word for word in words if f"{{{word}}}" in channel["address"]}


def test_every_topic_and_message_is_there() -> None:
    topics = Topics("site", "device")
    told = {
        *(topics.status, topics.health, topics.health_past, topics.clock, topics.receipt, topics.ack),
        *(
            topics.alert("source", "kind"),
            topics.counts("source"),
            topics.coverage("day"),
            topics.result("id"),
            topics.command("ping"),
            topics.config,
            topics.config_desired,
        ),
    }
    assert {example(channel["address"]) for channel in CHANNELS.values()} == told
    assert {name for channel in CHANNELS.values() for name in channel["messages"]} == set(SCHEMAS)


def test_every_channel_has_its_operation_with_its_direction_and_retention() -> None:
    seen = set()
    for operation in DOCUMENT["operations"].values():
        channel = operation["channel"]["$ref"].rpartition("/")[2]
        seen.add(channel)
        up = "/up/" in resolve(operation["channel"])["address"]
        assert operation["action"] == ("send" if up else "receive")
        assert operation["bindings"]["mqtt"]["retain"] == (channel in RETAINED)
    assert seen == set(CHANNELS)


def test_the_verbs_are_those_of_the_schema() -> None:
    verbs = CHANNELS["command"]["parameters"]["verb"]["enum"]
    assert verbs == schema("command")["properties"]["verb"]["enum"]
