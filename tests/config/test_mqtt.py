from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.trees import built, faults, tree


def mqtt(**keys: Any) -> Any:
    return built(tree(mqtt={"host": "127.0.0.1"} | keys)).mqtt


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1", "LOCALHOST"])
def test_this_machine_needs_no_tls(host: str) -> None:
    assert not mqtt(host=host).tls.enabled
    assert mqtt(host=host).port == 1883


@pytest.mark.parametrize(
    "host", ["broker.example", "192.0.2.1", "2001:db8::1", "localhost.example", "broker", "0.0.0.0"]
)
def test_another_machine_needs_tls_or_a_clear_word(host: str) -> None:
    (told,) = faults(tree(mqtt={"host": host}))
    assert told.startswith("mqtt.tls: is not enabled, but ")
    assert mqtt(host=host, tls={"enabled": True}).port == 8883
    assert mqtt(host=host, allow_plaintext=True).port == 1883


def test_fallback_brokers_on_other_machines_need_tls_too() -> None:
    keys = {"host": "127.0.0.1", "fallback_hosts": ["127.0.0.2", "b.example"]}
    (told,) = faults(tree(mqtt=keys))
    assert told.startswith("mqtt.tls: is not enabled, but b.example is another machine")
    assert mqtt(**keys, tls={"enabled": True}).fallback_hosts == ("127.0.0.2", "b.example")


def test_tls_files_come_from_systemd_where_it_laid_them_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "gate.key").touch()
    tls = {"enabled": True, "cert_file": "/etc/gate.crt", "key_file": "/etc/gate.key"}
    assert mqtt(tls=tls).tls.places() == (None, Path("/etc/gate.crt"), tmp_path / "gate.key")


def test_a_given_port_stays() -> None:
    assert mqtt(port=18830).port == 18830
    assert mqtt(port=18830, tls={"enabled": True}).port == 18830


def test_the_client_is_named_after_the_device() -> None:
    assert mqtt().client_id == "edgeguard-harbour-guard-1"
    assert mqtt(client_id="mine").client_id == "mine"


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        (
            {"host": "mqtt://broker.example"},
            'host: given "mqtt://broker.example", expected a host name or address',
        ),
        ({"host": "localhost:1883"}, 'host: given "localhost:1883", expected a host name or address alone'),
        ({"host": ""}, 'host: given "", expected a host name'),
        ({"host": "a..b"}, 'host: given "a..b", expected a host name'),
        ({"host": 5}, "host: given 5, expected text"),
        ({"fallback_hosts": ["b:1"]}, 'fallback_hosts[0]: given "b:1", expected a host name'),
        ({"port": 0}, "port: given 0, expected a whole number from 1 to 65535"),
        ({"port": "1883"}, 'port: given "1883", expected a whole number from 1 to 65535'),
        ({"client_id": "a b"}, 'client_id: given "a b", expected 1 to 80 letters, digits, - and _'),
        ({"protocol": "5"}, 'protocol: given "5", expected one of mqtt5, mqtt311'),
        ({"password_file": "p"}, 'password_file: given "p", expected a username beside it'),
        ({"password": "hunter2"}, 'password: unknown key; did you mean "password_file"?'),
        (
            {"tls": {"enabled": True, "cert_file": "c"}},
            "tls.key_file: given nothing, expected both cert_file and key_file",
        ),
        (
            {"tls": {"enabled": True, "key_file": "k"}},
            'tls.key_file: given "k", expected both cert_file and key_file',
        ),
        (
            {"tls": {"ca_file": "ca.pem"}},
            "tls.enabled: given false, expected true, because files for TLS are given",
        ),
        (
            {"tls": {"enabled": True, "verify": False}},
            "tls.verify: unknown key; known here: ca_file, cert_file",
        ),
        ({"tls": {"enabled": True, "insecure": True}}, "tls.insecure: unknown key"),
        ({"window": 0}, "window: given 0, expected a whole number from 1 to 1000"),
    ],
)
def test_what_is_refused(keys: dict[str, Any], fault: str) -> None:
    (told,) = faults(tree(mqtt={"host": "127.0.0.1"} | keys))
    assert told.startswith(f"mqtt.{fault}")


def test_no_broker_is_a_fault() -> None:
    values = tree()
    del values["mqtt"]
    assert faults(values) == ["mqtt: is missing, expected a mapping (`key: value`)"]
    assert faults(tree(mqtt={})) == ["mqtt.host: is missing, expected text"]


def test_the_password_is_read_when_it_is_needed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    settings = mqtt(username="guard", password_file=str(secret))
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    assert settings.password() == "hunter2"
    assert mqtt().password() is None
