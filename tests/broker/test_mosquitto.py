"""The shipped configuration on a real mosquitto: what each role may do, and every refusal."""

from __future__ import annotations

import queue
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edgeguard.alerts.link import Acked, Connected, Disconnected, Received, Subscribed, Tls
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.broker.authority import Authority
from edgeguard.clock import SystemClock
from tests.support.site import DAYS, Site

GATE, OTHER = "edgeguard/v1/depot/gate-1", "edgeguard/v1/depot/gate-2"
PATIENCE_S = 10.0
NOBODY_LISTENS, NOT_AUTHORISED, TOO_LARGE = 16, 135, 149


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    with made.broker:
        yield made


class Client:
    """One of us at the broker."""

    def __init__(
        self, site: Site, name: str, tls: Tls, subscriptions: tuple[str, ...] = (), **where: str
    ) -> None:
        self.events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.link = MqttLink(site.endpoint(name, tls, **where), self.events.put, None, subscriptions)
        self.link.start()

    def wait(self, kind: type) -> Any:
        while not isinstance(event := self.events.get(timeout=PATIENCE_S), kind):
            pass
        return event

    def publish(self, topic: str, body: bytes = b"{}", *, retain: bool = False) -> int:
        """The reason code of the broker's answer; 0 and 16 (nobody subscribes) both mean that it may."""
        assert self.link.publish(topic, body, retain=retain) is not None
        return int(self.wait(Acked).reason_code)

    def heard_until(self, last: str) -> list[str]:
        topics = []
        while (topic := self.wait(Received).topic) != last:
            topics.append(topic)
        return topics


Join = Callable[..., Client]


@pytest.fixture
def join(site: Site) -> Iterator[Join]:
    joined = []

    def connect(name: str, *subscriptions: str) -> Client:
        joined.append(Client(site, f"{name}-{len(joined)}".replace("/", "-"), site.tls(name), subscriptions))
        joined[-1].wait(Subscribed if subscriptions else Connected)
        return joined[-1]

    yield connect
    for client in joined:
        client.link.close()


@pytest.fixture
def refused(site: Site) -> Iterator[Callable[..., str]]:
    """Why whoever comes with these files is not let in."""
    tried = []

    def attempt(tls: Tls, **where: str) -> str:
        tried.append(Client(site, "stranger", tls, **where))
        event = tried[-1].wait((Connected, Disconnected))  # type: ignore[arg-type]
        assert isinstance(event, Disconnected)
        return event.reason

    yield attempt
    for client in tried:
        client.link.close()


DRILLS = ["alert/drill/zone_entered", "alert/drill-mic/sound"]
UP = [
    *("status", "health", "health/past", "alert/yard/loitering", "clock", "counts/yard", "config"),
    "result/7",
    *DRILLS,
]
DOWN = ["receipt", "ack", "command/replay", "command/restart", "config"]
TOPICS = [
    *(f"{GATE}/up/{rest}" for rest in UP),
    *(f"{GATE}/down/{rest}" for rest in DOWN),
    f"{OTHER}/up/status",
    f"{OTHER}/down/receipt",
    "edgeguard/v1/depot/up/up/status",
    "edgeguard/v2/depot/gate-1/up/status",
    "frigate/events",
    "homeassistant/device/x/config",
    "homeassistant/status",
    "$SYS/broker/uptime",
    "elsewhere",
]
MAY_WRITE = {
    "depot/gate-1": {f"{GATE}/up/{rest}" for rest in UP},
    "depot/gate-2": {f"{OTHER}/up/status"},
    "control-room": {f"{GATE}/down/ack"},
    "shift-leader": {f"{GATE}/down/{rest}" for rest in ("ack", "command/replay", "command/restart")},
    "fleet": {f"{GATE}/down/config"},
    "collector-1": {
        *(f"{GATE}/down/{rest}" for rest in ("ack", "receipt", "command/replay")),
        f"{OTHER}/down/receipt",
    },
    "bridge-1": {"frigate/events", "homeassistant/device/x/config", "homeassistant/status"},
    "home-assistant": {"homeassistant/status"},
    "drill-1": set(),
    "not-in-the-list": set(),
}


@pytest.mark.parametrize("name", MAY_WRITE)
def test_everybody_writes_what_the_role_says_and_nothing_else(join: Join, name: str) -> None:
    client = join(name)
    answers = {topic: client.publish(topic) for topic in TOPICS}
    written = {topic for topic, code in answers.items() if code in (0, NOBODY_LISTENS)}
    assert {code for topic, code in answers.items() if topic not in written} == {NOT_AUTHORISED}
    assert written == MAY_WRITE[name]


@pytest.mark.parametrize("name", ["control-room", "not-in-the-list"])
def test_a_user_cannot_pass_as_a_site(join: Join, name: str) -> None:
    """The devices' pattern gives `edgeguard/v1/<name>/up/#`: it is denied, and no device called `up`."""
    code = join(name).publish(f"edgeguard/v1/{name}/up/up/status")
    assert code == NOT_AUTHORISED if name == "control-room" else NOBODY_LISTENS


ALL_UP = {f"{GATE}/up/{rest}" for rest in UP} | {f"{OTHER}/up/status"}
ALL_DOWN = {f"{GATE}/down/{rest}" for rest in DOWN} | {f"{OTHER}/down/receipt"}
BRIDGED = {"frigate/events", "homeassistant/device/x/config", "homeassistant/status"}
MAY_READ = {
    "depot/gate-1": {*(f"{GATE}/down/{rest}" for rest in DOWN), *(f"{GATE}/up/{rest}" for rest in DRILLS)},
    "depot/gate-2": {f"{OTHER}/down/receipt"},
    "drill-1": {f"{GATE}/up/{rest}" for rest in DRILLS},
    "control-room": ALL_UP,
    "shift-leader": ALL_UP,
    "fleet": ALL_UP,
    "collector-1": ALL_UP | ALL_DOWN,
    "bridge-1": ALL_UP | BRIDGED,
    "home-assistant": ALL_UP | BRIDGED,
    "not-in-the-list": set(),
}


def test_everybody_hears_what_the_role_says_and_nothing_else(join: Join) -> None:
    """Each subscribes to everything; what each may hear last is its own fence."""
    listeners = {name: join(name, "#") for name in MAY_READ}
    writers = {name: join(name) for name in MAY_WRITE}
    for name, topics in MAY_WRITE.items():
        for topic in topics:
            assert writers[name].publish(topic) in (0, NOBODY_LISTENS)
    writers["depot/gate-1"].publish(f"{GATE}/up/last")
    writers["collector-1"].publish(f"{GATE}/down/command/replay", b"last")
    heard = {name: _hears(client, MAY_READ[name]) for name, client in listeners.items()}
    assert heard == MAY_READ


def _hears(client: Client, expected: set[str]) -> set[str]:
    """Topics heard until all that is expected was, and a moment more."""
    heard: set[str] = set()
    while not expected <= heard:
        heard.add(client.wait(Received).topic)
    while True:
        try:
            event = client.events.get(timeout=0.1)
        except queue.Empty:
            return heard - {f"{GATE}/up/last"}
        if isinstance(event, Received):
            heard.add(event.topic)


def test_collectors_share_the_work(join: Join) -> None:
    shared = "$share/collectors/edgeguard/v1/+/+/up/#"
    both = [join("collector-1", shared), join("collector-2", shared)]
    device = join("depot/gate-1")
    for number in range(4):
        assert device.publish(f"{GATE}/up/alert/yard/n{number}") == 0
    heard = sorted(collector.wait(Received).topic[-2:] for collector in both for _ in range(2))
    assert heard == ["n0", "n1", "n2", "n3"]


def test_a_devices_will_is_told(site: Site, join: Join) -> None:
    topic = "edgeguard/v1/depot/doomed/up/status"
    watcher = join("control-room", topic)
    device = paho.Client(CallbackAPIVersion.VERSION2, "doomed", protocol=paho.MQTTv5)
    device.tls_set_context(_context(site.tls("depot/doomed")))
    device.will_set(topic, b"gone", 1)
    device.connect("localhost", site.broker.port)
    device.loop(1)
    device.socket().close()  # type: ignore[union-attr]
    assert watcher.wait(Received).body == b"gone"


def test_a_message_that_is_too_large_is_refused_and_its_sender_stays(join: Join) -> None:
    listener, device = join("control-room", f"{GATE}/up/#"), join("depot/gate-1")
    assert device.publish(f"{GATE}/up/alert/yard/large", b"x" * 266_240) == TOO_LARGE
    assert device.publish(f"{GATE}/up/alert/yard/largest", b"x" * 262_144) == 0
    assert len(listener.wait(Received).body) == 262_144


def test_who_sends_more_than_the_broker_takes_is_disconnected(site: Site) -> None:
    events: queue.SimpleQueue[str] = queue.SimpleQueue()
    careless = paho.Client(CallbackAPIVersion.VERSION2, "careless", protocol=paho.MQTTv5)
    careless.tls_set_context(_context(site.tls("depot/gate-1")))
    careless.on_connect = lambda client, *_: client.publish(f"{GATE}/up/status", b"x" * 300_000, 1)
    careless.on_publish = lambda *_: events.put("acknowledged")
    careless.on_disconnect = lambda *_: events.put("disconnected")
    careless.connect("localhost", site.broker.port)
    careless.loop_start()
    assert events.get(timeout=PATIENCE_S) == "disconnected"
    careless.disconnect()
    careless.loop_stop()


def test_no_certificate(site: Site, refused: Callable[..., str]) -> None:
    assert refused(Tls(site.ca)) == "the broker refused the TLS connection: certificate required"


def test_the_certificate_of_another_authority(
    site: Site, tmp_path: Path, refused: Callable[..., str]
) -> None:
    issued = Authority.create(tmp_path / "pki", "Depot", SystemClock()).client("depot/gate-1", DAYS)
    reason = refused(site.tls_of(issued))
    assert reason in {
        f"the broker refused the TLS connection: {why}" for why in ("unknown ca", "decrypt error")
    }


def test_an_expired_certificate(site: Site, refused: Callable[..., str]) -> None:
    expired = site.expired("depot/gate-1")
    assert refused(expired) == "the broker refused the TLS connection: certificate expired"


def test_the_brokers_own_certificate_is_none_for_clients(site: Site, refused: Callable[..., str]) -> None:
    installed = site.folder / "installed"
    reason = refused(Tls(site.ca, installed / "server.crt", installed / "server.key"))
    assert reason == "the broker refused the TLS connection: unsupported certificate"


def test_a_broker_under_another_name_or_authority(
    site: Site, tmp_path: Path, refused: Callable[..., str]
) -> None:
    own = site.tls("depot/gate-1")
    assert "certificate is not valid for '127.0.0.1'" in refused(own, host="127.0.0.1")
    Authority.create(tmp_path / "pki", "Stranger", SystemClock())
    other = Tls(tmp_path / "pki" / "ca.crt", own.cert_file, own.key_file)
    assert "certificate verify failed" in refused(other)


def test_a_revoked_certificate_is_refused_after_a_reload_and_the_next_one_is_not(
    site: Site, refused: Callable[..., str], join: Join
) -> None:
    tls = site.tls("depot/lost")
    before = Client(site, "lost", tls)
    before.wait(Connected)
    before.link.close()
    assert site.authority.revoke("depot/lost") == 1
    site.install_crl()
    site.broker.reload()
    assert refused(tls) == "the broker refused the TLS connection: certificate revoked"
    join("depot/lost")


def test_a_renewed_certificate_is_taken_at_the_next_connect(site: Site) -> None:
    """The files change below a client that runs: first expired, then good."""
    tls = site.expired("depot/renewed")
    client = Client(site, "renewed", tls)
    assert "certificate expired" in client.wait(Disconnected).reason
    site.tls("depot/renewed")
    client.wait(Connected)
    client.link.close()


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=tls.ca_file)
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


def browser(site: Site, username: str | None, password: str | None) -> tuple[Any, paho.Client]:
    """A dashboard over WebSocket: the broker's answer to it, and it."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
    client = paho.Client(CallbackAPIVersion.VERSION2, transport="websockets", protocol=paho.MQTTv5)
    client.tls_set_context(_context(Tls(site.ca)))
    client.username_pw_set(username, password)
    client.on_connect = lambda _client, _data, _flags, reason, _more: answers.put(reason)
    client.on_message = lambda _client, _data, message: answers.put(message.topic)
    client.on_publish = lambda _client, _data, _mid, reason, _more: answers.put(reason.value)
    client.on_subscribe = lambda *_: answers.put("subscribed")
    client.connect("localhost", site.websocket_port)
    client.loop_start()
    return answers, client


def test_a_dashboard_sees_and_acknowledges_over_websocket_and_no_more(site: Site, join: Join) -> None:
    answers, dashboard = browser(site, "control-room", "right")
    assert not answers.get(timeout=PATIENCE_S).is_failure
    dashboard.subscribe("edgeguard/v1/+/+/up/#", 1)
    assert answers.get(timeout=PATIENCE_S) == "subscribed"
    assert join("depot/gate-1").publish(f"{GATE}/up/alert/yard/loitering") == 0
    assert answers.get(timeout=PATIENCE_S) == f"{GATE}/up/alert/yard/loitering"
    codes = []
    for topic in (f"{GATE}/down/ack", f"{GATE}/down/command/restart", f"{GATE}/up/status"):
        dashboard.publish(topic, b"{}", 1)
        codes.append(answers.get(timeout=PATIENCE_S))
    assert codes == [NOBODY_LISTENS, NOT_AUTHORISED, NOT_AUTHORISED]
    dashboard.disconnect()


@pytest.mark.parametrize(
    ("username", "password"),
    [(None, None), ("control-room", "wrong"), ("control-room", ""), ("shift-leader", "right")],
    ids=["anonymous", "wrong password", "empty password", "no password at the broker"],
)
def test_strangers_are_refused_over_websocket(site: Site, username: str | None, password: str | None) -> None:
    answers, stranger = browser(site, username, password)
    assert str(answers.get(timeout=PATIENCE_S)) == "Not authorized"
    stranger.disconnect()
