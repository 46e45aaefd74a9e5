from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.publish as publish
import pytest

from edgeguard.alerts.messages import (
    ClockQuality,
    HealthReport,
    Identity,
    alert_message,
    encode,
    health_message,
)
from edgeguard.cli.watch import line, remark
from edgeguard.client import Told, ToldUnknown
from edgeguard.types import Severity
from tests.cli.conftest import Type
from tests.support.alerts import IDENTITY, UTC_NS, alert
from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, clean_environment

ALERT = "alert/dock/loitering"
OTHER = Identity("depot", "gate-2", IDENTITY.boot_id, "0.1.0", UTC_NS)


def message(identity: Identity = IDENTITY, **other: Any) -> dict[str, Any]:
    return alert_message(alert(**other), identity, 1, 0, ClockQuality())


def test_an_alert_is_one_line() -> None:
    text = line(Told("alert", "topic", message(), False)).plain
    assert text.split() == [
        *("08:00:00.000", "warning", "opened", "dock", "loitering"),
        *("person", "7", "stayed", "12.3", "s", "in", "yard", "(limit", "10", "s)"),
    ]


@pytest.mark.parametrize("name", ["health", "status"])
def test_anything_else_is_who_and_how(name: str) -> None:
    body = {"site": "depot", "device": "gate-1", "state": "ok"}
    assert line(Told(name, "topic", body, True)).plain == f"depot/gate-1 {name} ok"


def test_what_a_later_version_tells_is_named() -> None:
    assert remark(ToldUnknown("edgeguard/v1/depot/gate-1/up/gossip", {}, False)) == (
        "edgeguard/v1/depot/gate-1/up/gossip is of a later version, and not known here"
    )


@pytest.mark.parametrize("severity", [severity.value for severity in Severity])
def test_an_alert_of_any_severity_is_shown(severity: str) -> None:
    body = {**message(), "severity": severity}
    assert f" {severity} " in line(Told("alert", "topic", body, False)).plain


def test_health_names_what_is_not_well() -> None:
    at = {"since_utc_ns": UTC_NS}
    parts = {
        "camera/yard": {"state": "ok", "reason": None, "code": None, **at},
        "camera/gate": {"state": "degraded", "reason": "no answer", "code": "unreachable", **at},
        "sounds": {"state": "degraded", "reason": "rules wait\x1b[2J in vain", "code": None, **at},
    }
    body = health_message(HealthReport("degraded", parts), IDENTITY, UTC_NS, 0, ClockQuality())
    text = line(Told("health", "topic", body, False)).plain
    assert text.startswith("depot/gate-1 health degraded, camera/gate: unreachable, sounds: rules wait")
    assert text.isprintable()


def test_nobody_on_the_wire_steers_the_terminal() -> None:
    text = line(Told("alert", "topic", message(summary="\x1b]0;mine\x07 \x9b2J\r\n\u202eover"), False)).plain
    assert text.isprintable()
    assert "over" in text


def test_a_password_file_that_is_not_there_is_a_sentence(type_in: Type) -> None:
    said = type_in("watch", "--username", "guard", "--password-file", "/nowhere/password")
    assert said.exit_code == 78
    assert "/nowhere/password" in said.stderr


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


def watch(broker: Broker, *options: str) -> subprocess.Popen[str]:
    """The program, once it is connected."""
    command = [*EDGEGUARD, "watch", "--port", str(broker.port), *options]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, text=True, env=clean_environment(), **pipes)
    assert process.stderr is not None
    while process.stderr.readline().strip() != "connected":
        assert process.poll() is None
    return process


def tell(
    broker: Broker, identity: Identity, body: dict[str, Any], kind: str = "alert/dock/loitering"
) -> None:
    """As a device does; retained, because `connected` is said a moment before the subscription counts."""
    topic = f"edgeguard/v1/{identity.site}/{identity.device}/up/{kind}"
    publish.single(topic, encode(body), qos=1, retain=True, port=broker.port)


def end(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_alerts_are_printed_as_they_come_and_nothing_else(broker: Broker) -> None:
    health = health_message(HealthReport("ok", {}), IDENTITY, UTC_NS, 1, ClockQuality())
    tell(broker, IDENTITY, health, "health")
    process = watch(broker, "--json", "--device", "gate-1")
    tell(broker, OTHER, message(OTHER))
    summary = "the one \x9b2J \u202e"
    tell(broker, IDENTITY, message(summary=summary))
    assert process.stdout is not None
    printed = process.stdout.readline()
    assert json.loads(printed)["summary"] == summary
    assert printed.isascii(), "nothing in it steers the terminal"
    code, rest, err = end(process)
    assert (code, rest) == (130, "")
    assert "Traceback" not in err


def test_all_shows_health_too(broker: Broker) -> None:
    health = health_message(HealthReport("degraded", {}), IDENTITY, UTC_NS, 1, ClockQuality())
    tell(broker, IDENTITY, health, "health")
    process = watch(broker, "--all")
    assert process.stdout is not None
    assert process.stdout.readline() == "depot/gate-1 health degraded\n"
    end(process)
