"""The check of the broker, at a real mosquitto: as it ships, and as it should not be."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import Endpoint, LinkEvent, Subscribed, Tls
from edgeguard.alerts.topics import Topics
from edgeguard.clock import SystemClock
from edgeguard.runtime.doctor import Finding, Verdict
from edgeguard.runtime.doctor import broker as checked
from edgeguard.runtime.doctor.broker import broker, doctor_topic
from tests.support.broker import Broker, free_port
from tests.support.site import Site
from tests.support.waiting import wait_for

TOPICS = Topics("depot", "gate-1")
CLOCK = SystemClock()


def look(endpoint: Endpoint, *, lax: bool = False, topics: Topics = TOPICS) -> list[Finding]:
    return list(broker(endpoint, topics, CLOCK, lax=lax))


def verdicts(found: list[Finding]) -> dict[str, Verdict]:
    return {one.check: one.verdict for one in found}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    with made.broker:
        yield made


def device(site: Site, tls: Tls | None = None, **changes: object) -> Endpoint:
    endpoint = site.endpoint("edgeguard-depot-gate-1", tls or site.tls("depot/gate-1"))
    return replace(endpoint, **changes)  # type: ignore[arg-type]


def test_the_shipped_broker_is_as_it_should_be(site: Site) -> None:
    found = look(device(site))
    assert [one.check for one in found] == ["certificate", "broker", "broker_rights"]
    assert "the broker's certificate ends on" in found[0].said  # in 29 days: the test's are short
    assert [one.verdict for one in found[1:]] == [Verdict.OK, Verdict.OK]
    assert "reason 0x87" in found[-1].said
    assert found[0].about == f"localhost:{site.broker.port}"


def test_with_mqtt_3_it_cannot_speak_as_the_centre(site: Site) -> None:
    found = look(device(site, protocol="mqtt311"))
    assert verdicts(found)["broker"] is Verdict.OK
    assert verdicts(found)["broker_rights"] is Verdict.SKIPPED
    assert "cannot speak as the centre" in found[-1].said


def test_a_device_that_has_another_name_at_the_broker_may_tell_nothing(site: Site) -> None:
    found = look(device(site), topics=Topics("depot", "gate-2"))
    assert found[-1].verdict is Verdict.FAULT
    assert "does not take what this device tells (reason 0x87)" in found[-1].said


def test_a_certificate_that_ended_is_refused_and_so_is_none(site: Site) -> None:
    for tls in (site.expired("depot/gate-1"), Tls(site.ca)):
        found = look(device(site, tls))
        assert found[-1].verdict is Verdict.FAULT
        assert "certificate" in f"{found[-1].said} {found[-1].cause}"


def test_a_broker_that_is_not_the_one_we_trust_is_told(site: Site, tmp_path: Path) -> None:
    from edgeguard.broker.authority import Authority

    Authority.create(tmp_path / "other", "Other", CLOCK)
    mine = site.tls("depot/gate-1")
    found = look(device(site, replace(mine, ca_file=tmp_path / "other" / "ca.crt")))
    assert [one.verdict for one in found] == [Verdict.FAULT]
    assert "is not trusted" in found[0].said
    (wrong_name,) = look(device(site, host="127.0.0.1"))
    assert "not trusted" in wrong_name.said


def test_nobody_there_and_a_name_that_leads_nowhere_are_told_apart() -> None:
    (nobody,) = look(Endpoint("127.0.0.1", free_port(), "x"))
    assert "nobody answers at" in nobody.said
    (nameless,) = look(Endpoint("broker.invalid", 1883, "x"))
    assert "leads nowhere" in nameless.said


def test_each_fallback_is_asked(tmp_path: Path) -> None:
    with Broker(tmp_path) as here:
        found = look(Endpoint("127.0.0.1", free_port(), "x", fallbacks=(("127.0.0.1", here.port),)), lax=True)
    assert [one.verdict for one in found] == [Verdict.FAULT, Verdict.OK, Verdict.WARNING]


@pytest.mark.parametrize(("lax", "verdict"), [(False, Verdict.FAULT), (True, Verdict.WARNING)])
@pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])
def test_a_broker_without_rights_is_found_out(
    tmp_path: Path, protocol: str, lax: bool, verdict: Verdict
) -> None:
    with Broker(tmp_path) as here:
        found = look(Endpoint("127.0.0.1", here.port, "x", protocol=protocol), lax=lax)
    assert found[-1].check == "broker_rights"
    assert found[-1].verdict is verdict
    assert "forge" in (found[-1].cause or "")


def test_a_wrong_password_is_told(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("depot/gate-1:right\n")
    subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
    with Broker(tmp_path, f"allow_anonymous false\npassword_file {passwords}") as here:
        endpoint = Endpoint("127.0.0.1", here.port, "x", username="depot/gate-1", password="wrong")
        for protocol in ("mqtt5", "mqtt311"):
            (found,) = look(replace(endpoint, protocol=protocol))
            assert found.verdict is Verdict.FAULT
            assert "password" in (found.fix or "")
        assert look(replace(endpoint, password="right"), lax=True)[0].ok


def test_what_is_no_broker_is_told(tmp_path: Path, site: Site) -> None:
    """TLS where none is spoken, and none where it is."""
    with Broker(tmp_path) as here:
        found = look(device(site, port=here.port))
        assert "TLS" in found[0].said
    plain = look(Endpoint("127.0.0.1", site.broker.port, "x"))
    assert plain[0].verdict is Verdict.FAULT


def test_nothing_is_left_behind_and_the_guard_s_session_is_not_taken(tmp_path: Path) -> None:
    """Whoever listens hears two messages on topics of the doctor's own; nothing is retained."""
    with Broker(tmp_path) as here:
        heard: list[tuple[str, bool]] = []
        guard = paho.Client(CallbackAPIVersion.VERSION2, "edgeguard-depot-gate-1", protocol=paho.MQTTv5)
        lost: list[object] = []
        guard.on_disconnect = lambda *words: lost.append(words)
        guard.on_message = lambda _client, _data, message: heard.append((message.topic, message.retain))
        guard.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        guard.connect("127.0.0.1", here.port)
        guard.loop_start()
        wait_for(guard.is_connected, "the guard is connected")
        look(Endpoint("127.0.0.1", here.port, "edgeguard-depot-gate-1"), lax=True)
        wait_for(lambda: len(heard) == 2, "both are heard")
        assert not lost
        guard.disconnect()
        guard.loop_stop()
        later: list[str] = []
        late = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        ready: list[object] = []
        late.on_message = lambda _client, _data, message: later.append(message.topic)
        late.on_subscribe = lambda *words: ready.append(words)
        late.on_connect = lambda client, *_: client.subscribe("edgeguard/#", qos=1)
        late.connect("127.0.0.1", here.port)
        late.loop_start()
        wait_for(lambda: ready, "subscribed")
        late.disconnect()
        late.loop_stop()
    assert [topic for topic, _ in heard] == [
        "edgeguard/v1/depot/gate-1/up/doctor",
        "edgeguard/v1/depot/not-gate-1/up/doctor",
    ]
    assert doctor_topic(TOPICS) == heard[0][0]
    assert later == []


def test_what_others_say_to_the_device_meanwhile_is_no_proof_of_missing_rights(tmp_path: Path) -> None:
    """Receipts come all day; with MQTT 3.1.1 only the doctor's own words tell that nothing keeps it from
    them."""
    rights = tmp_path / "acl"
    rights.write_text(
        "pattern write edgeguard/v1/%u/up/#\npattern read edgeguard/v1/%u/down/#\n"
        "user centre\ntopic readwrite edgeguard/v1/#\n"
    )
    stop = threading.Event()
    with Broker(tmp_path, f"allow_anonymous true\nacl_file {rights}") as here:
        centre = paho.Client(CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
        centre.username_pw_set("centre")
        centre.connect("127.0.0.1", here.port)
        centre.loop_start()

        def talk() -> None:
            while not stop.wait(0.1):
                centre.publish("edgeguard/v1/depot/gate-1/down/receipt", b"{}", qos=1)

        talking = threading.Thread(target=talk)
        talking.start()
        found = look(Endpoint("127.0.0.1", here.port, "x", username="depot/gate-1", protocol="mqtt311"))
        stop.set()
        talking.join()
        centre.loop_stop()
    assert verdicts(found)["broker_rights"] is Verdict.SKIPPED


class SilentLink(FakeLink):
    """Of a broker that answers the first message alone."""

    def __init__(self, _endpoint: Endpoint, notify: Callable[[LinkEvent], object], *_: object) -> None:
        super().__init__(notify, lambda publication: 0 if publication.mid == 1 else None)
        self._say = notify

    def start(self) -> None:
        super().start()
        self._say(Subscribed())


def test_a_broker_that_does_not_answer_has_refused_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checked, "PATIENCE_S", 0.5)
    monkeypatch.setattr(checked, "MqttLink", SilentLink)
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        found = look(Endpoint("127.0.0.1", somebody.getsockname()[1], "x"))
    assert found[-1].check == "broker_rights"
    assert found[-1].verdict is Verdict.WARNING
