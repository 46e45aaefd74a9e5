"""The example dashboards, in Python and in JavaScript, at the shipped broker: TLS, rights, a real daemon."""

from __future__ import annotations

import json
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.link import Acked, Connected, Received
from edgeguard.alerts.mqtt import MqttLink
from tests.alerts.strict import assert_valid
from tests.dashboards.terminal import LANGUAGES, Terminal
from tests.golden.conversation import PATH
from tests.support.daemon import Box, settings
from tests.support.site import Site
from tests.support.waiting import wait_for
from tests.support.walkers import camera, make_walk, rules

DEVICE = "edgeguard/v1/depot/gate-1"
SAID = [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]
ALERTS = [said["message"] for said in SAID if "/up/alert/" in said["topic"]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    with made.broker:
        yield made


class Device:
    """Says what a device says, with a device's certificate and rights."""

    def __init__(self, site: Site) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        endpoint = site.endpoint("gate", site.tls("depot/gate-1"))
        self.link = MqttLink(endpoint, self._events.put, None, [f"{DEVICE}/down/#"])
        self.link.start()
        self._wait(Connected)

    def say(self, topic: str, body: bytes, *, retain: bool = False) -> None:
        self.link.publish(topic, body, retain=retain)
        assert self._wait(Acked).reason_code in (0, 16)

    def tell(self, message: dict[str, Any], topic: str | None = None) -> None:
        topic = topic or f"{DEVICE}/up/alert/{message['source']}/{message['kind']}"
        self.say(topic, json.dumps(message).encode())

    def hears(self) -> tuple[str, dict[str, Any]]:
        received = self._wait(Received)
        return received.topic, json.loads(received.body)

    def _wait(self, kind: type) -> Any:
        while not isinstance(event := self._events.get(timeout=20), kind):
            pass
        return event


@pytest.fixture
def device(site: Site) -> Iterator[Device]:
    made = Device(site)
    yield made
    for topic in ("status", "health", "counts/gate"):
        made.say(f"{DEVICE}/up/{topic}", b"", retain=True)
    made.link.close()


def with_certificate(site: Site, name: str, client_id: str) -> dict[str, Any]:
    tls = site.tls(name)
    return {
        "host": "localhost",
        "port": site.broker.port,
        "ca_file": str(tls.ca_file),
        "cert_file": str(tls.cert_file),
        "key_file": str(tls.key_file),
        "client_id": client_id,
    }


def with_password(site: Site, folder: Path, client_id: str) -> dict[str, Any]:
    (folder / "password").write_text("right\n")
    return {
        "host": "localhost",
        "port": site.websocket_port,
        "transport": "websockets",
        "ca_file": str(site.ca),
        "username": "control-room",
        "password_file": "password",
        "client_id": client_id,
    }


def alert(seq: int, **other: Any) -> dict[str, Any]:
    return {**ALERTS[0], "seq": seq, "alert_id": f"019b0100-0000-7000-8000-{seq:012d}", **other}


@pytest.mark.e2e
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_real_guard_is_shown_and_its_alert_acknowledged(language: str, site: Site, tmp_path: Path) -> None:
    walk = make_walk(tmp_path / "walk.mp4")
    tls = site.tls("depot/gate-1")
    config = settings(site.broker.port, {"yard": camera(walk.as_uri(), pace="fast")}, rules("yard"))
    config["mqtt"] |= {
        "host": "localhost",
        "tls": {
            "enabled": True,
            "ca_file": str(tls.ca_file),
            "cert_file": str(tls.cert_file),
            "key_file": str(tls.key_file),
        },
    }
    wall = with_password(site, tmp_path, f"{language}-wall")
    with Terminal(language, tmp_path, wall) as terminal, Box(tmp_path, config).start() as box:
        terminal.wait_for("depot/gate-1 is online")
        line = terminal.wait_for("alarm opened depot/gate-1 yard")
        ending = line.rpartition("[")[2].partition("]")[0]
        terminal.type(f"ack {ending} true police called")
        terminal.wait_for("depot/gate-1 ack done")
        terminal.wait_for("seen by control room")
        box.stop()
        terminal.wait_for("depot/gate-1 is stopped")
        assert not terminal.having("refused")
        assert not terminal.having("missing")
        assert terminal.quit() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_alert_is_shown_once_and_none_is_missed_while_it_is_dead(
    language: str, site: Site, device: Device, tmp_path: Path
) -> None:
    terminal = Terminal(language, tmp_path, with_certificate(site, "control-room", f"{language}-wall-2"))
    with terminal:
        for said in SAID[:6] + SAID[2:6]:
            device.say(said["topic"], json.dumps(said["message"]).encode(), retain=said["retained"])
        terminal.wait_for(ALERTS[1]["summary"])
        wait_for(lambda: ALERTS[1]["summary"] in terminal.remembered, "it is remembered")
        terminal.kill9()
        for message in ALERTS[:5]:
            device.tell(message)
        terminal.start()
        assert terminal.lines[0].startswith("still open: ")
        terminal.wait_for("critical closed")
        shown = [line for line in terminal.lines if "[" in line and "still open" not in line]
        assert len(shown) == 3, "an update, its closing, its escalation; not what was shown before"
        device.tell({**ALERTS[1], "replayed": True})
        coverage = next(said for said in SAID if "/up/coverage/" in said["topic"])
        device.tell(coverage["message"], coverage["topic"])
        source = coverage["message"]["sources"][0]
        share = f"{100 * source['watched_share']:.2f}%"
        terminal.wait_for(f"{source['source']} was watched {share} of {coverage['message']['day']}")
        blind = [{"source": "gate", "cause": "stalled", "from": "2026-11-28T02:00:00.000000Z", "to": None}]
        device.tell(alert(900, blind=blind))
        assert terminal.wait_for("[000000000900]").endswith("gate was blind (stalled)")
        assert not terminal.having("late"), "an old revision is no news"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_missing_is_noticed_and_asked_for(
    language: str, site: Site, device: Device, tmp_path: Path
) -> None:
    operator = {
        **with_certificate(site, "shift-leader", f"{language}-wall-3"),
        "may_command": True,
        "by": "shift",
    }
    with Terminal(language, tmp_path, operator) as terminal:
        device.tell(alert(10))
        device.tell(alert(15))
        device.tell(alert(13))
        terminal.wait_for("depot/gate-1 missing 11 to 12")
        terminal.wait_for("depot/gate-1 missing 14 to 14")
        asked = sorted((device.hears() for _ in range(2)), key=lambda heard: heard[1]["from_seq"])
        for topic, command in asked:
            assert topic == f"{DEVICE}/down/command/replay"
            assert_valid("command", command)
        assert [(command["from_seq"], command["to_seq"]) for _, command in asked] == [(11, 12), (14, 14)]
        device.tell(alert(14, replayed=True))
        result = next(
            said["message"]
            for said in SAID
            if said["message"].get("verb") == "replay" and "ok" in said["message"]
        )
        gone = [{"from_seq": 11, "to_seq": 12, "reason": "shed"}]
        device.tell({**result, "unavailable": gone}, f"{DEVICE}/up/result/{result['id']}")
        terminal.wait_for("depot/gate-1 lost 11 to 12: shed")
        later = {**alert(16), "schema": "edgeguard.gossip.v1"}
        device.tell(later, f"{DEVICE}/up/gossip")  # of a version to come, and no gap
        device.tell(alert(17))
        terminal.wait_for("[000000000017]")
        wait_for(lambda: '"first"' not in terminal.remembered, "no gap is left")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_no_message_is_refused_and_does_no_harm(
    language: str, site: Site, device: Device, tmp_path: Path
) -> None:
    topic = f"{DEVICE}/up/alert/gate/loitering"
    wall = with_certificate(site, "control-room", f"{language}-wall-4")
    with Terminal(language, tmp_path, wall) as terminal:
        hostile = [
            b"\xff",
            b"[" * 100_000,
            b"7",
            b"null",
            json.dumps({**alert(20), "device": "gate-2"}).encode(),
            json.dumps({**alert(21), "seq": "many"}).encode(),
            json.dumps({"schema": "edgeguard.alert.v1", "site": "depot", "device": "gate-1"}).encode(),
            json.dumps(alert(22, summary="x" * 262_144)).encode(),
        ]
        for body in hostile:
            device.say(topic, body)
        device.say(f"{DEVICE}/up/doctor", b"{}")  # a doctor tries its rights: no topic of the contract
        device.tell(alert(23, summary="\x1b[2Jwiped"))
        assert "wiped" in terminal.wait_for("[000000000023]")
        assert len(terminal.having("refused a message")) in (len(hostile) - 1, len(hostile))
        assert terminal.having("up/doctor") == []
        assert not any("\x1b" in line for line in terminal.lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_silence_and_an_old_will(language: str, site: Site, device: Device, tmp_path: Path) -> None:
    wall = with_certificate(site, "control-room", f"{language}-wall-5")
    status = SAID[0]["message"]
    with Terminal(language, tmp_path, wall) as terminal:
        device.tell(status, f"{DEVICE}/up/status")
        terminal.wait_for("depot/gate-1 is online")
        old = {
            **status,
            "boot_id": "0" * 8 + status["boot_id"][8:],
            "started_at": "2020-01-01T00:00:00.000000Z",
        }
        device.tell({**old, "state": "offline", "at": None}, f"{DEVICE}/up/status")
        terminal.wait_for("depot/gate-1 is unknown")
        assert not terminal.having("offline")
        device.tell({**status, "state": "offline", "at": None}, f"{DEVICE}/up/status")
        terminal.wait_for("depot/gate-1 is offline")
