"""Somebody answers an alert, or nobody does: through the real daemon, a real broker and a real receiver."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import standardwebhooks
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edgeguard.alerts.audit import verify
from edgeguard.alerts.topics import Topics
from tests.alerts.strict import assert_valid
from tests.support.broker import Broker
from tests.support.daemon import DEVICE, SITE, Box, Json, Listener, settings
from tests.support.desk import ack
from tests.support.receiver import Call, Receiver, certificate
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = pytest.mark.e2e
TOPICS = Topics(SITE, DEVICE)
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()


@pytest.fixture
def operator(broker: Broker) -> Iterator[paho.Client]:
    """Somebody at a dashboard, who publishes."""
    client = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def make_box(folder: Path, broker: Broker, walk: Path, **other: Any) -> Box:
    """A camera that sees the walk once; each of its alerts is an alarm."""
    alarms = [{**rule, "severity": "alarm"} for rule in rules("yard")]
    return Box(folder, settings(broker.port, {"yard": camera(walk.as_uri(), pace="fast")}, alarms, **other))


def escalation(folder: Path, receiver: Receiver, ca_file: Path | None = None, after_s: float = 2) -> Json:
    secret = folder / "webhook-secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    webhook = {"url": receiver.url, "secret_file": str(secret)}
    return {"after_s": after_s, "webhook": webhook | ({"ca_file": str(ca_file)} if ca_file else {})}


def escalated(listener: Listener) -> list[Json]:
    return listener.wait_for_alerts(1, lambda alert: alert["escalated_at"] is not None)


def calls_of(receiver: Receiver, parcel_id: str) -> list[Call]:
    """What it took under this id, after the two tries that it refused."""
    return [call for call in receiver.calls[2:] if call.headers["webhook-id"] == parcel_id]


def test_an_acknowledgement_comes_back_as_a_revision_and_is_answered(
    tmp_path: Path, broker: Broker, listener: Listener, operator: paho.Client, walk: Path
) -> None:
    with make_box(tmp_path, broker, walk) as box:
        box.start()
        alert = listener.wait_for_alerts(1)[0]
        answer_topic = TOPICS.result("wall-3")
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = answer_topic
        words = {
            **ack(alert["alert_id"], 1_800_000_000_000_000_000, "false_alarm", "eva"),
            "site": SITE,
            "device": DEVICE,
        }
        operator.publish(TOPICS.ack, json.dumps(words), 1, properties=properties)
        result = listener.wait_for_message(answer_topic)
        assert_valid("result", result)
        assert (result["id"], result["ok"]) == (words["ack_id"], True)
        (told, *_) = listener.wait_for_alerts(1, lambda alert: alert["acknowledged"] is not None)
        assert_valid("alert", told)
        assert told["alert_id"] == alert["alert_id"]
        assert told["revision"] > alert["revision"]
        assert told["acknowledged"]["verdict"] == "false_alarm"
        wait_for(
            lambda: box.part("verdicts").get(f"{alert['rule']}.false_alarm") == 1, "the verdict in health"
        )

        operator.publish(TOPICS.ack, b"{}", 1)
        operator.publish(TOPICS.command("reboot"), b"{}", 1)
        wait_for(lambda: box.part("inbound").get("refused_unknown_topic") == 1, "the refusals in health")
        inbound = box.part("inbound")
        assert (inbound["done_ack"], inbound["refused_malformed"]) == (1, 1)
        head = box.part("audit")["head"]
        box.stop()
        assert (verify(box.state).lines, verify(box.state).head, verify(box.state).fault) == (3, head, None)


def test_a_command_is_answered(
    tmp_path: Path, broker: Broker, listener: Listener, operator: paho.Client, walk: Path
) -> None:
    with make_box(tmp_path, broker, walk) as box:
        box.start()
        first = listener.wait_for_alerts(1)[0]
        command_id = str(uuid.uuid4())
        words = {
            "schema": "edgeguard.command.v1",
            "site": SITE,
            "device": DEVICE,
            "command_id": command_id,
            "verb": "replay",
            "by": "eva",
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": None,
            "from_seq": first["seq"],
            "to_seq": first["seq"],
        }
        wait_for(lambda: box.part("outbox").get("delivered", 0) >= first["seq"], "its delivery")
        operator.publish(TOPICS.command("replay"), json.dumps(words), 1)
        result = listener.wait_for_message(TOPICS.result(command_id))
        assert (result["ok"], result["replayed"], result["unavailable"]) == (True, 1, [])
        again = listener.wait_for_alerts(1, lambda one: one["seq"] == first["seq"] and one["replayed"])
        assert again[0]["alert_id"] == first["alert_id"]


def test_an_alarm_that_nobody_acknowledges_calls_somebody(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    """The receiver is out of order for the first two tries."""
    pair = certificate(tmp_path)
    with Receiver(500, 500, tls=pair) as receiver:
        settings = escalation(tmp_path, receiver, pair[0])
        with make_box(tmp_path, broker, walk, escalation=settings) as box:
            box.start()
            told = escalated(listener)[0]
            assert_valid("alert", told)
            assert told["severity"] == "critical"
            box.wait_for_part("webhook", "degraded", "answers with status 500")
            box.wait_for_part("webhook", "ok", timeout_s=45)
            parcel_id = f"escalation_{told['alert_id']}"
            (call, *_) = wait_for(lambda: calls_of(receiver, parcel_id), "the call")
            said = standardwebhooks.Webhook(SECRET).verify(call.body, dict(call.headers))
            assert (said["type"], said["timestamp"]) == ("alert.escalated", told["escalated_at"])
            assert said["data"]["alert_id"] == told["alert_id"]


def test_killing_the_daemon_between_escalation_and_webhook(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path, stillness: Path
) -> None:
    with Receiver(*[503] * 1000) as out_of_order:
        settings = escalation(tmp_path, out_of_order)
        with make_box(tmp_path, broker, walk, escalation=settings) as box:
            box.start()
            alert_ids = {told["alert_id"] for told in escalated(listener)}
            box.wait_for_part("webhook", "degraded", "503")
            box.kill9()
    with Receiver() as receiver:
        settings = escalation(tmp_path, receiver, after_s=3600)
        with make_box(tmp_path, broker, stillness, escalation=settings) as box:
            box.start()
            wanted = {f"escalation_{alert_id}" for alert_id in alert_ids}
            wait_for(
                lambda: wanted <= {call.headers["webhook-id"] for call in receiver.calls}, "the webhooks"
            )
            for call in receiver.calls:
                standardwebhooks.Webhook(SECRET).verify(call.body, dict(call.headers))
