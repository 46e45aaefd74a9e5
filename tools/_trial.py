"""One clip through the real thing: the daemon as its own process, a real broker, a subscriber."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from _cases import Case
from _scoring import Raised

from edgeguard.alerts.link import Endpoint
from edgeguard.alerts.topics import up_filter
from edgeguard.client import Client, Told, open_client

REPOSITORY = Path(__file__).resolve().parent.parent
_CONNECT_S = 10.0
_START_S = 60.0
_AFTER_END_S = 3.0
_SLOWEST = 10.0
"""A clip may take so many times its own length."""


@dataclass(frozen=True, slots=True)
class Options:
    """How the daemon is run."""

    mirror: Path
    rtsp: bool = False
    """In real time from an RTSP server, rather than from the file as fast as it can be analysed."""
    model: str | None = None
    """Detector; None: the product's default."""


@dataclass(slots=True)
class Heard:
    """What the subscriber heard of one run."""

    opened: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, Any] = field(default_factory=dict)
    """Health, part by part, as last told."""
    first_utc_ns: int | None = None
    """UTC time of the first picture."""
    frames_replaced: int = 0
    stopped: bool = False

    def take(self, told: Told, camera: str) -> None:
        body = told.body
        if told.name == "alert" and body["state"] == "opened":
            self.opened.append(body)
        elif told.name == "health":
            self.parts = body["parts"]
            counters = self.parts.get(f"camera/{camera}", {}).get("counters", {})
            self.first_utc_ns = self.first_utc_ns or counters.get("first_utc_ns")
            self.frames_replaced = counters.get("frames_replaced", 0)
        elif told.name == "status":
            self.stopped = body["state"] == "stopped"

    @property
    def trouble(self) -> str | None:
        """Why nothing can be seen."""
        parts = [part for name, part in self.parts.items() if name.startswith(("vision", "detector"))]
        return next((part["reason"] for part in parts if part["state"] == "degraded"), None)

    @property
    def seconds(self) -> float:
        """Since the first picture."""
        return 0.0 if self.first_utc_ns is None else (time.time_ns() - self.first_utc_ns) / 1e9

    @property
    def models(self) -> list[str]:
        return sorted({model["name"] for alert in self.opened for model in alert["models"]})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one clip gave."""

    raised: list[Raised]
    models: list[str]
    frames_replaced: int = 0
    """Frames that were not analysed because a newer one had come; none unless in real time."""


def run(case: Case, options: Options) -> Outcome:
    """Raises RuntimeError if the daemon does not do its work."""
    clip = case.find(options.mirror)
    with TemporaryDirectory() as folder, _broker() as port, _url(clip, options.rtsp) as url:
        config = configuration(case, url, port, Path(folder), options)
        heard = _listen(case, config, Path(folder), live=options.rtsp)
    return _outcome(case, heard)


def configuration(case: Case, url: str, broker_port: int, folder: Path, options: Options) -> dict[str, Any]:
    """What the daemon is told: the case's own camera and rules, and defaults."""
    pace = {} if options.rtsp else {"pace": "fast"}
    model = {} if options.model is None else {"model": options.model}
    return {
        "site": "evaluation",
        "device": case.name,
        "state_dir": str(folder / "state"),
        "detector": {"fallback": "none", **model},
        "cameras": {case.camera: {"url": url, **pace, **case.settings}},
        "rules": [_for_model(rule, options.model) for rule in case.rules],
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
        "evidence": {"enabled": False},
        "health": {"interval_s": 1, "http_port": 0},
        "models": {"mirrors": [str(options.mirror.resolve())]},
    }


def _for_model(rule: dict[str, Any], model: str | None) -> dict[str, Any]:
    """Motion knows no classes: with it, whatever moves counts."""
    return {key: value for key, value in rule.items() if model != "motion" or key != "classes"}


@contextmanager
def _broker() -> Iterator[int]:
    """The port of a mosquitto that runs meanwhile; without a configuration it listens on loopback only."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if program is None:
        raise RuntimeError("mosquitto is not installed: `apt-get install mosquitto`, or run tools/setup")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    broker = subprocess.Popen(
        [program, "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        broker.terminate()
        broker.wait(10)


@contextmanager
def _url(clip: Path, rtsp: bool) -> Iterator[str]:
    """The clip's own address, or that of an RTSP server that runs meanwhile."""
    if not rtsp:
        yield clip.resolve().as_uri()
        return
    command = [sys.executable, "-m", "tests.support.rtsp_server", str(clip)]
    server = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        word, _, url = server.stdout.readline().strip().partition(" ")
        if word != "ready":
            raise RuntimeError(f"the RTSP server did not start for {clip}")
        yield url
    finally:
        server.terminate()
        server.wait(10)


def _listen(case: Case, config: dict[str, Any], folder: Path, live: bool) -> Heard:
    subscriber = _subscriber(config["mqtt"]["port"])
    path, log = folder / "edgeguard.yaml", folder / "daemon.log"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    command = [sys.executable, "-m", "edgeguard", "run", str(path), "--until-done"]
    with log.open("wb") as output:
        daemon = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        heard = _receive(case, subscriber, daemon, live)
    finally:
        daemon.kill()
        daemon.wait()
        subscriber.stop()
    if heard.trouble or not heard.stopped or heard.first_utc_ns is None:
        reason = heard.trouble or f"the daemon saw no clip or did not end well:\n{_tail(log)}"
        raise RuntimeError(f"{case.name}: {reason}")
    return heard


def _subscriber(port: int) -> Client:
    """One that listens already."""
    endpoint = Endpoint("127.0.0.1", port, "evaluation", session_expiry_s=0, reconnect_s=(0.1, 1.0))
    subscriber = open_client(endpoint, up_filter())
    subscriber.start()
    deadline = time.monotonic() + _CONNECT_S
    while subscriber.disconnected:
        if time.monotonic() > deadline:
            raise RuntimeError(f"no connection to the broker: {subscriber.disconnected}")
        subscriber.receive(0.1)
    return subscriber


def _receive(case: Case, subscriber: Client, daemon: subprocess.Popen[bytes], live: bool) -> Heard:
    """Listen until the daemon says that it has stopped; a live source has no end, so it is told to."""
    heard = Heard()
    deadline = time.monotonic() + _START_S + _SLOWEST * case.duration_s
    while not (heard.stopped or heard.trouble or daemon.poll() or time.monotonic() > deadline):
        for told in subscriber.receive(0.2):
            if isinstance(told, Told):
                heard.take(told, case.camera)
        if live and heard.seconds > case.duration_s + _AFTER_END_S:
            daemon.send_signal(signal.SIGTERM)
    return heard


def _outcome(case: Case, heard: Heard) -> Outcome:
    assert heard.first_utc_ns is not None
    raised = sorted(
        (Raised(alert["rule"], _at_s(alert, heard.first_utc_ns)) for alert in heard.opened),
        key=lambda one: one.at_s,
    )
    in_time = [one for one in raised if one.at_s <= case.duration_s]
    return Outcome(in_time, heard.models, heard.frames_replaced)


def _at_s(alert: dict[str, Any], first_utc_ns: int) -> float:
    """Time in the clip."""
    if alert["media_ns"] is not None:
        return float(alert["media_ns"] / 1e9)
    opened = datetime.strptime(alert["opened_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return opened.timestamp() - first_utc_ns / 1e9


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]
