from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeguard.alerts.link import Endpoint, Tls
from edgeguard.bridges import FrigateBridge, HomeAssistantBridge
from edgeguard.cli import bridge
from edgeguard.clock import ManualClock
from tests.cli.conftest import Type


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("frigate", "--prefix", "edgeguard/v1"), "the prefix is 'edgeguard/v1'"),
        (("home-assistant", "--prefix", "a/#"), "the prefix is 'a/#'"),
        (("frigate", "--names", "{camera}"), "more than one site is subscribed to"),
        (("frigate", "--names", "{house}", "--site", "s", "--device", "d"), "names is '{house}'"),
        (("frigate", "--username", "b", "--password-file", "/nowhere/password"), "/nowhere/password"),
        (("frigate", "--ca-file", "/nowhere/ca.pem"), "/nowhere/ca.pem"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(type_in: Type, words: tuple[str, ...], reason: str) -> None:
    said = type_in("bridge", *words)
    assert said.exit_code == 78
    assert reason in said.stderr
    assert "Traceback" not in said.stderr


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Endpoint, str, str]]:
    """What would be bridged."""
    calls: list[tuple[Any, Endpoint, str, str]] = []
    monkeypatch.setattr(
        bridge, "run_bridge", lambda make, *where: calls.append((make(ManualClock()), *where))
    )
    monkeypatch.setattr(bridge.logs, "set_up", lambda *_, **__: None)
    return calls


def test_every_option_reaches_the_link(
    type_in: Type, started: list[tuple[Any, Endpoint, str, str]], tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("secret\n")
    password.chmod(0o600)
    options = {"host": "broker.example", "site": "depot", "username": "bridge-1", "prefix": "cameras/frigate"}
    files = {"password-file": password, "ca-file": "ca.pem", "cert-file": "cert.pem", "key-file": "key.pem"}
    said = type_in(
        "bridge", "frigate", *(f"--{name}={value}" for name, value in {**options, **files}.items())
    )
    assert said.exit_code == 0, said.stderr
    ((built, endpoint, site, device),) = started
    assert isinstance(built, FrigateBridge)
    assert (endpoint.host, endpoint.port) == ("broker.example", 8883)
    assert (endpoint.username, endpoint.password) == ("bridge-1", "secret")
    assert endpoint.tls == Tls(Path("ca.pem"), Path("cert.pem"), Path("key.pem"))
    assert endpoint.client_id == "edgeguard-bridge-frigate-cameras-frigate"
    assert (site, device) == ("depot", "+")


def test_without_options_it_is_the_broker_next_door(
    type_in: Type, started: list[tuple[Any, Endpoint, str, str]]
) -> None:
    assert type_in("bridge", "home-assistant").exit_code == 0
    ((built, endpoint, site, device),) = started
    assert isinstance(built, HomeAssistantBridge)
    assert (endpoint.host, endpoint.port, endpoint.tls) == ("127.0.0.1", 1883, None)
    assert (site, device) == ("+", "+")
