"""One contract for the link to a broker and for its fake; then what only a real broker shows."""

from __future__ import annotations

import json
import queue
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from edgeguard.alerts import mqtt
from edgeguard.alerts.fake import FakeLink
from edgeguard.alerts.link import (
    Acked,
    Connected,
    Disconnected,
    Endpoint,
    Link,
    LinkEvent,
    Received,
    Subscribed,
    Tls,
    Will,
)
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.tls import tls_context
from edgeguard.errors import ConfigError
from tests.support.alerts import endpoint
from tests.support.broker import Broker, free_port

EventT = TypeVar("EventT")
Events = queue.SimpleQueue[LinkEvent]
DYNAMIC_SECURITY = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), None)


def wait_for(events: Events, kind: type[EventT], timeout_s: float = 10.0) -> EventT:
    """The next event of that kind; others are passed over."""
    deadline = time.monotonic() + timeout_s
    while True:
        event = events.get(timeout=max(0.01, deadline - time.monotonic()))
        if isinstance(event, kind):
            return event


def wait_for_all(events: Events, kind: type[EventT], count: int) -> list[EventT]:
    return [wait_for(events, kind) for _ in range(count)]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def events() -> Events:
    return queue.SimpleQueue()


@pytest.fixture(params=["mqtt5", "mqtt311", "fake"])
def link(request: pytest.FixtureRequest, events: Events) -> Iterator[Link]:
    if request.param == "fake":
        made: Link = FakeLink(events.put)
    else:
        broker: Broker = request.getfixturevalue("broker")
        # a listener of its own: MQTT 5 answers 16 where there is none
        where = endpoint(broker.port, protocol=request.param)
        made = MqttLink(where, events.put, subscriptions=["t/#"])
    yield made
    made.close()


def test_it_connects_when_started(link: Link, events: Events) -> None:
    link.start()
    assert wait_for(events, Connected).receive_maximum > 0


def test_nothing_is_taken_before_the_start(link: Link) -> None:
    assert link.publish("t/1", b"{}") is None


def test_each_message_is_acknowledged_under_its_own_id(link: Link, events: Events) -> None:
    link.start()
    wait_for(events, Connected)
    mids = [link.publish("t/1", b"{}"), link.publish("t/2", b"{}", retain=True)]
    acks = [wait_for(events, Acked), wait_for(events, Acked)]
    assert None not in mids
    assert {ack.mid for ack in acks} == set(mids)
    assert {ack.reason_code for ack in acks} == {0}


def test_closing_ends_with_disconnected(link: Link, events: Events) -> None:
    link.start()
    wait_for(events, Connected)
    link.close()
    assert wait_for(events, Disconnected).reason


def test_it_can_be_started_again_after_closing(link: Link, events: Events) -> None:
    link.start()
    wait_for(events, Connected)
    link.close()
    wait_for(events, Disconnected)
    link.start()
    wait_for(events, Connected)
    assert link.publish("t/1", b"{}") is not None
    wait_for(events, Acked)


@pytest.fixture
def connect(events: Events) -> Iterator[Callable[..., MqttLink]]:
    """Starts links and closes them at the end."""
    links = []

    def start(where: Endpoint, **values: object) -> MqttLink:
        links.append(MqttLink(where, events.put, **values))  # type: ignore[arg-type]
        links[-1].start()
        return links[-1]

    yield start
    for link in links:
        link.close()


Connect = Callable[..., MqttLink]


def test_nobody_subscribed_is_reason_16(broker: Broker, connect: Connect, events: Events) -> None:
    link = connect(endpoint(broker.port))
    wait_for(events, Connected)
    link.publish("nobody/listens", b"{}")
    assert wait_for(events, Acked).reason_code == 16


def test_a_refused_topic_is_reason_135(tmp_path: Path, connect: Connect, events: Events) -> None:
    (tmp_path / "acl").write_text("topic read #\n")
    with Broker(tmp_path, f"allow_anonymous true\nacl_file {tmp_path / 'acl'}") as broker:
        link = connect(endpoint(broker.port))
        wait_for(events, Connected)
        link.publish("a/b", b"{}")
        ack = wait_for(events, Acked)
        assert (ack.reason_code, ack.reason) == (135, "Not authorized")


@pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])
def test_the_broker_keeps_the_place_of_a_subscriber_that_is_away(
    broker: Broker, connect: Connect, events: Events, protocol: str
) -> None:
    link = connect(endpoint(broker.port, f"away-{protocol}", protocol=protocol), subscriptions=["kept"])
    wait_for(events, Connected)
    link.close()
    wait_for(events, Disconnected)
    sender = connect(endpoint(broker.port, f"sender-{protocol}"))
    wait_for(events, Connected)
    sender.publish("kept", b"while you were away")
    assert wait_for(events, Acked).reason_code == 0
    link.start()
    assert wait_for(events, Received).body == b"while you were away"


def test_the_broker_keeps_from_us_what_is_too_large_to_be_read(
    broker: Broker, connect: Connect, events: Events
) -> None:
    link = connect(endpoint(broker.port, "small"), subscriptions=["to/us"])
    wait_for(events, Subscribed)
    for size in (1_000_000, 200_000):
        link.publish("to/us", bytes(size))
    assert len(wait_for(events, Received).body) == 200_000


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A broker that knows `gate` with the password `right`."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "users").write_text("gate:right\n")
    subprocess.run(["mosquitto_passwd", "-U", folder / "users"], check=True)
    with Broker(folder, f"allow_anonymous false\npassword_file {folder / 'users'}") as running:
        yield running


@pytest.mark.parametrize("protocol", ["mqtt5", "mqtt311"])
def test_bad_credentials_are_given_as_the_reason(
    guarded: Broker, connect: Connect, events: Events, protocol: str
) -> None:
    connect(endpoint(guarded.port, username="gate", password="wrong", protocol=protocol))
    reasons = {wait_for(events, Disconnected).reason for _ in range(3)}
    assert reasons == {"the broker refused: Not authorized"}


def test_good_credentials_open(guarded: Broker, connect: Connect, events: Events) -> None:
    where = endpoint(guarded.port, username="gate", password="right")
    connect(where)
    wait_for(events, Connected)
    assert "right" not in repr(where)


def test_it_waits_for_a_broker_that_is_not_there_yet(
    tmp_path: Path, connect: Connect, events: Events
) -> None:
    port = free_port()
    connect(endpoint(port))
    assert "Connection refused" in wait_for(events, Disconnected).reason
    with Broker(tmp_path, port=port):
        wait_for(events, Connected)


def test_the_answer_to_its_subscriptions_is_told(broker: Broker, connect: Connect, events: Events) -> None:
    connect(endpoint(broker.port, "reader"), subscriptions=["t", "$share/readers/t"])
    assert wait_for(events, Subscribed).refused == ()


def test_a_subscription_that_is_refused_is_named(tmp_path: Path, connect: Connect, events: Events) -> None:
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"defaultACLAccess": {"subscribe": False}}))
    options = f"allow_anonymous true\nplugin {DYNAMIC_SECURITY}\nplugin_opt_config_file {rules}"
    with Broker(tmp_path, options) as broker:
        connect(endpoint(broker.port), subscriptions=["t/#"])
        assert wait_for(events, Subscribed).refused == ("t/#: Not authorized",)


def test_a_broker_that_dies_is_noticed_and_rejoined_without_old_messages(
    tmp_path: Path, connect: Connect, events: Events
) -> None:
    with Broker(tmp_path) as broker:
        link = connect(endpoint(broker.port), subscriptions=["t"])
        wait_for(events, Connected)
        broker.sigstop()
        link.publish("t", b"old")
        broker.kill9()
        wait_for(events, Disconnected)
        broker.start()
        wait_for(events, Connected)
        link.publish("t", b"new")
        assert wait_for(events, Received).body == b"new"


def test_a_frozen_broker_is_noticed_by_its_silence(tmp_path: Path, connect: Connect, events: Events) -> None:
    with Broker(tmp_path) as broker:
        connect(endpoint(broker.port, keepalive_s=1))
        wait_for(events, Connected)
        broker.sigstop()
        wait_for(events, Disconnected)
        broker.sigcont()
        wait_for(events, Connected)


def test_a_frozen_broker_is_noticed_within_two_keepalives_also_while_publishing(
    tmp_path: Path, connect: Connect, events: Events
) -> None:
    with Broker(tmp_path) as broker:
        link = connect(endpoint(broker.port, keepalive_s=2))
        wait_for(events, Connected)
        broker.sigstop()
        frozen_at = time.monotonic()
        while events.empty():
            link.publish("t", b"{}")
            time.sleep(0.2)
        assert "Keep alive timeout" in wait_for(events, Disconnected).reason
        assert time.monotonic() - frozen_at < 2 * 2 + 1


def test_further_brokers_are_tried_in_turn(tmp_path: Path, connect: Connect, events: Events) -> None:
    ports = [free_port() for _ in range(3)]
    where = endpoint(ports[0], fallbacks=tuple(("127.0.0.1", port) for port in ports[1:]))
    folders = [tmp_path / "second", tmp_path / "third"]
    for folder in folders:
        folder.mkdir()
    second, third = (Broker(folder, port=port) for folder, port in zip(folders, ports[1:], strict=True))
    with third:
        with second:
            link = connect(where, subscriptions=["t"])
            assert "Connection refused" in wait_for(events, Disconnected).reason
            wait_for(events, Connected)
            second.kill9()
            wait_for(events, Connected)
            link.publish("t", b"from the third")
            assert wait_for(events, Received).body == b"from the third"
            second.start()
        third.restart()
        assert "Connection refused" in wait_for_all(events, Disconnected, 2)[1].reason
        wait_for(events, Connected)


def test_a_link_without_any_broker_ends_when_closed(connect: Connect, events: Events) -> None:
    link = connect(endpoint(free_port(), fallbacks=(("127.0.0.1", free_port()),)))
    wait_for_all(events, Disconnected, 3)
    link.close()
    assert link._client is not None
    deadline = time.monotonic() + 10
    while link._client._thread is not None:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_broker_that_owes_too_much_is_joined_anew(tmp_path: Path, connect: Connect, events: Events) -> None:
    with Broker(tmp_path) as broker:
        link = connect(endpoint(broker.port))
        wait_for(events, Connected)
        broker.sigstop()
        while link.publish("t", b"{}") is not None:
            pass
        wait_for(events, Disconnected)
        broker.sigcont()
        wait_for(events, Connected)
        assert link.publish("t", b"{}") is not None


def test_the_will_tells_that_we_vanished(tmp_path: Path, connect: Connect, events: Events) -> None:
    with Broker(tmp_path) as broker:
        connect(endpoint(broker.port, "watcher"), subscriptions=["will"])
        wait_for(events, Connected)
        doomed = connect(endpoint(broker.port), will=Will("will", b"gone", delay_s=0))
        wait_for(events, Connected)
        # as a crash would: the connection breaks without a goodbye, and stays away
        assert doomed._client is not None
        doomed._client.reconnect_delay_set(60, 60)
        doomed._client.socket().shutdown(2)  # type: ignore[union-attr]
        assert wait_for(events, Received).body == b"gone"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ca.crt` and a certificate of it for localhost."""
    folder = tmp_path_factory.mktemp("authority")
    for command in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca"
        " -keyout ca.key -out ca.crt",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
        " -addext subjectAltName=DNS:localhost -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -copy_extensions copy"
        " -out server.crt",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def secure(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    files = f"cafile {authority}/ca.crt\ncertfile {authority}/server.crt\nkeyfile {authority}/server.key"
    with Broker(tmp_path_factory.mktemp("secure"), f"allow_anonymous true\n{files}") as running:
        yield running


def test_a_trusted_broker_is_joined_over_tls(
    secure: Broker, authority: Path, connect: Connect, events: Events
) -> None:
    connect(Endpoint("localhost", secure.port, "tls", tls=Tls(authority / "ca.crt")))
    wait_for(events, Connected)


@pytest.mark.parametrize(
    ("host", "trusted", "words"),
    [("localhost", False, "certificate verify failed"), ("127.0.0.1", True, "certificate is not valid")],
    ids=["unknown authority", "wrong name"],
)
def test_a_broker_that_cannot_prove_itself_is_not_joined(
    secure: Broker, authority: Path, connect: Connect, events: Events, host: str, trusted: bool, words: str
) -> None:
    connect(Endpoint(host, secure.port, "tls", tls=Tls(authority / "ca.crt" if trusted else None)))
    assert words in wait_for(events, Disconnected).reason


def test_no_link_can_be_made_that_does_not_verify(authority: Path) -> None:
    for tls in (Tls(), Tls(authority / "ca.crt")):
        context = tls_context(tls)
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    careless = re.compile(
        r"CERT_NONE|CERT_OPTIONAL|check_hostname = False|tls_insecure_set|_create_unverified"
    )
    package = Path(mqtt.__file__).parents[1]
    assert [path for path in package.rglob("*.py") if careless.search(path.read_text())] == []


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_key_that_others_can_read_or_change_is_refused(authority: Path, tmp_path: Path, mode: int) -> None:
    key = Path(shutil.copy(authority / "server.key", tmp_path))
    key.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {key}"):
        MqttLink(Endpoint("localhost", 1, "x", tls=Tls(None, authority / "server.crt", key)), print)


def test_a_key_under_a_passphrase_is_refused_and_nobody_asked_for_it(authority: Path, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    lock = ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", authority / "server.key", "-out", key]
    subprocess.run(lock, check=True)
    with pytest.raises(ConfigError, match=r"locked\.key"):
        MqttLink(Endpoint("localhost", 1, "x", tls=Tls(None, authority / "server.crt", key)), print)


def test_tls_files_that_vanish_are_a_reason_and_the_link_goes_on(
    secure: Broker, authority: Path, tmp_path: Path, connect: Connect, events: Events
) -> None:
    ca = Path(shutil.copy(authority / "ca.crt", tmp_path))
    where = Endpoint("localhost", secure.port, "tls", tls=Tls(ca), reconnect_s=(0.05, 0.1))
    link = MqttLink(where, events.put)
    ca.unlink()
    link.start()
    assert f"cannot use the TLS files {ca}: No such file" in wait_for(events, Disconnected).reason
    shutil.copy(authority / "ca.crt", ca)
    wait_for(events, Connected)
    link.close()


def test_tls_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.crt"):
        MqttLink(Endpoint("localhost", 1, "x", tls=Tls(tmp_path / "none.crt")), print)


def test_an_unknown_protocol_is_refused() -> None:
    with pytest.raises(ConfigError, match="MQTT protocol is"):
        MqttLink(Endpoint("localhost", 1, "x", protocol="4"), print)
