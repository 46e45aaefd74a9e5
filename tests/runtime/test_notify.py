from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.runtime.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """systemd's end of the socket, and its address as systemd writes it."""
    shown = f"@edgeguard-test-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(shown.replace("@", "\0", 1))
        systemd.settimeout(5)
        yield systemd, shown


def test_what_is_sent_arrives(door: tuple[socket.socket, str], monkeypatch: pytest.MonkeyPatch) -> None:
    systemd, address = door
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    notifier = Notifier.from_environment()
    notifier.send("READY=1\nSTATUS=ok")
    assert systemd.recv(1000) == b"READY=1\nSTATUS=ok"
    assert notifier.watchdog_s == 30


@pytest.mark.parametrize("address", [None, "", "/nowhere/notify"])
def test_without_systemd_nothing_happens(address: str | None) -> None:
    Notifier(address).send("READY=1")


def test_nobody_started_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    notifier = Notifier.from_environment()
    notifier.send("READY=1")
    assert notifier.watchdog_s is None
