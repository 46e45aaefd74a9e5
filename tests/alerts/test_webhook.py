"""The webhook against a real server, checked with the library that the specification's authors publish."""

from __future__ import annotations

import base64
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import standardwebhooks

from edgeguard.alerts.webhook import Parcel, Webhook, secret_key, signature
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import ConfigError
from tests.support.broker import free_port
from tests.support.receiver import Receiver, certificate

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
PARCEL = Parcel("escalation_019b0000-0000-7000-8000-000000000001", b'{"type":"alert.escalated"}')


def test_the_signature_is_that_of_the_specification() -> None:
    told = signature(
        secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        Parcel("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'),
        1614265330,
    )
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_arrives_is_verified_by_the_reference_library() -> None:
    with Receiver() as receiver:
        posted = Webhook(receiver.url, SECRET, SystemClock()).post(PARCEL)
    assert (posted.parcel_id, posted.error) == (PARCEL.parcel_id, None)
    (call,) = receiver.calls
    assert call.path == "/hooks/guard?to=control"
    assert call.headers["content-type"] == "application/json"
    told = standardwebhooks.Webhook(SECRET).verify(call.body, dict(call.headers))
    assert told == {"type": "alert.escalated"}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(call.body + b" ", dict(call.headers))


@pytest.mark.parametrize("status", [204, 299])
def test_every_2xx_is_taken(status: int) -> None:
    with Receiver(status) as receiver:
        assert Webhook(receiver.url, SECRET, SystemClock()).post(PARCEL).error is None


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 410, 429, 500, 503])
def test_everything_else_is_not_and_no_redirect_is_followed(status: int) -> None:
    with Receiver(status) as receiver:
        error = Webhook(receiver.url, SECRET, SystemClock()).post(PARCEL).error
    assert error is not None
    assert error.endswith(f"answers with status {status}")
    assert "hooks" not in error
    assert [call.path for call in receiver.calls] == ["/hooks/guard?to=control"]


class TestTls:
    def test_a_given_authority_is_trusted(self, tmp_path: Path) -> None:
        pair = certificate(tmp_path)
        with Receiver(tls=pair) as receiver:
            assert Webhook(receiver.url, SECRET, SystemClock(), pair[0]).post(PARCEL).error is None
        assert len(receiver.calls) == 1

    def test_no_other_is(self, tmp_path: Path) -> None:
        other, _ = certificate(tmp_path, "other")
        with Receiver(tls=certificate(tmp_path)) as receiver:
            for ca_file in (None, other):
                error = Webhook(receiver.url, SECRET, SystemClock(), ca_file).post(PARCEL).error
                assert "CERTIFICATE_VERIFY_FAILED" in (error or "")
        assert receiver.calls == []

    def test_nor_is_another_name(self, tmp_path: Path) -> None:
        pair = certificate(tmp_path, address="192.0.2.1")
        with Receiver(tls=pair) as receiver:
            error = Webhook(receiver.url, SECRET, SystemClock(), pair[0]).post(PARCEL).error
        assert "IP address mismatch" in (error or "")

    def test_a_file_without_authorities_is_said_at_once(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="authorities"):
            Webhook("https://127.0.0.1/", SECRET, SystemClock(), tmp_path / "none.crt")

    def test_old_protocols_are_not_spoken(self) -> None:
        webhook = Webhook("https://127.0.0.1/", SECRET, SystemClock())
        assert webhook._tls is not None
        assert webhook._tls.minimum_version is ssl.TLSVersion.TLSv1_2
        assert webhook._tls.verify_mode is ssl.CERT_REQUIRED


def test_nobody_there() -> None:
    error = Webhook(f"http://127.0.0.1:{free_port()}/", SECRET, SystemClock()).post(PARCEL).error
    assert "does not answer" in (error or "")


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200" + b"x" * 70_000]
)
def test_a_server_that_does_not_speak_http(said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        webhook = Webhook(f"http://127.0.0.1:{server.getsockname()[1]}/", SECRET, ManualClock(), timeout_s=5)
        with ThreadPoolExecutor() as pool:
            posted = pool.submit(webhook.post, PARCEL)
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(said)
                connection.shutdown(socket.SHUT_WR)
                error = posted.result(20).error
    assert "does not answer" in (error or "")


def test_a_server_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        webhook = Webhook(
            f"http://127.0.0.1:{server.getsockname()[1]}/", SECRET, ManualClock(), timeout_s=0.1
        )
        assert "timed out" in (webhook.post(PARCEL).error or "")


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_!!!!",
        SECRET.removeprefix("whsec_"),
        SECRET[:-1],
        "whsec_" + base64.b64encode(b"too short").decode(),
        "whsec_" + base64.b64encode(bytes(65)).decode(),
    ],
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError, match="24 to 64 bytes in base64"):
        secret_key(secret)


def test_a_bad_secret_is_not_told() -> None:
    with pytest.raises(ConfigError) as refusal:
        secret_key("whsec_" + "hunter2" * 20)
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://[::1]/hook", ("::1", 443)),
        ("http://[::1]/hook", ("::1", 80)),
        ("https://[::1]:8443/hook", ("::1", 8443)),
        ("https://guard.example/hook", ("guard.example", 443)),
    ],
)
def test_where_the_url_names_no_port_it_is_that_of_the_scheme(url: str, place: tuple[str, int]) -> None:
    connection = Webhook(url, SECRET, ManualClock())._connect()
    assert (connection.host, connection.port) == place
