"""What systemd, an operator and a probe meet: signals, notifications, the health port."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker, answers
from tests.support.daemon import Box, Listener, settings
from tests.support.rtsp_process import RtspProcess
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = pytest.mark.e2e
STOP_S = 5.0
"""Within which SIGTERM has to end the daemon."""


def make_box(folder: Path, broker: Broker, url: str, **environment: str) -> Box:
    config = settings(broker.port, {"yard": camera(url)}, rules("yard"), log={"observations": True})
    return Box(folder, config, **environment)


def test_sigterm_while_the_broker_is_away(tmp_path: Path, walk: Path) -> None:
    with make_box(tmp_path, Broker(tmp_path), walk.as_uri()) as box:
        box.start()
        box.wait_for_part("broker", "degraded", "cannot connect")
        box.wait_for_part("camera/yard", "ok")
        assert box.stop(STOP_S) == 0


def test_sigterm_while_the_broker_does_not_answer(tmp_path: Path, broker: Broker, walk: Path) -> None:
    with Listener(broker.port), make_box(tmp_path, broker, walk.as_uri()) as box:
        box.start()
        box.wait_for_part("broker", "ok")
        broker.sigstop()
        wait_for(lambda: box.part("outbox").get("pending"), "an alert waits")
        assert box.stop(STOP_S) == 0
        broker.sigcont()


def test_sigterm_while_a_camera_hangs(tmp_path: Path, broker: Broker, walk: Path) -> None:
    with RtspProcess(walk) as rtsp, make_box(tmp_path, broker, rtsp.url) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        rtsp.freeze()
        assert box.stop(STOP_S) == 0
        assert "Traceback" not in box.stderr


def test_sigusr1_shows_every_thread_and_disturbs_none(tmp_path: Path, broker: Broker, walk: Path) -> None:
    with make_box(tmp_path, broker, walk.as_uri()) as box:
        box.start()
        box.wait_for_part("camera/yard", "ok")
        box.signal(signal.SIGUSR1)
        wait_for(lambda: "asked by SIGUSR1" in box.stderr, "stacks")
        for place in ("runtime/daemon.py", "runtime/vision.py", "runtime/alerting.py", "alerts/publisher.py"):
            assert place in box.stderr
        box.wait_for_part("vision", "ok")
        assert box.stop() == 0


def test_an_abort_shows_threads_too(tmp_path: Path, broker: Broker, walk: Path) -> None:
    """As when systemd's watchdog is not fed. Threads that run on may end the looking at them early."""
    with make_box(tmp_path, broker, walk.as_uri()) as box:
        box.start()
        box.wait_for_part("vision", "ok")
        box.signal(signal.SIGABRT)
        assert box.wait() in (-signal.SIGABRT, -signal.SIGSEGV)
        _, _, shown = box.stderr.partition("Fatal Python error: Aborted")
        assert 'File "' in shown


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """Its end of the notification socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(tmp_path / "notify"))
        door.settimeout(30)
        yield door


def test_systemd_hears_ready_signs_of_life_and_stopping(
    tmp_path: Path, broker: Broker, walk: Path, systemd: socket.socket
) -> None:
    with make_box(tmp_path, broker, walk.as_uri(), NOTIFY_SOCKET=str(tmp_path / "notify")) as box:
        box.start()
        said = b""
        while b"READY=1" not in said:
            said = systemd.recv(1000)
        box.wait_for_part("vision", "ok")
        while said != b"WATCHDOG=1":
            said = systemd.recv(1000)
        assert box.stop() == 0
        while said != b"STOPPING=1":
            said = systemd.recv(1000)


def test_health_answers_on_loopback_alone(tmp_path: Path, broker: Broker, walk: Path) -> None:
    with make_box(tmp_path, broker, walk.as_uri()) as box:
        box.start()
        report = wait_for(box.health, "health answers")
        assert set(report) == {"state", "parts"}
        assert {"camera/yard", "detector", "vision", "alerts", "evidence", "outbox", "broker"} <= set(
            report["parts"]
        )
        assert not _answers_elsewhere(box.health_port)
        assert box.stop() == 0
        assert not answers(box.health_port)


def test_a_taken_port_costs_the_report_there_and_nothing_else(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    with make_box(tmp_path, broker, walk.as_uri()) as box, socket.socket() as other:
        other.bind(("127.0.0.1", box.health_port))
        other.listen()
        box.start()
        listener.wait_for_alerts(1)
        report = listener.messages("health")[-1]["parts"]["health"]
        assert report["state"] == "degraded"
        assert f"127.0.0.1:{box.health_port}" in report["reason"]
        assert box.stop() == 0


def test_two_daemons_do_not_share_a_state_folder(tmp_path: Path, broker: Broker, walk: Path) -> None:
    (tmp_path / "second").mkdir()
    with make_box(tmp_path, broker, walk.as_uri()) as box:
        box.start()
        box.wait_for_part("outbox", "ok")
        config = settings(broker.port, {"yard": camera(walk.as_uri())}, [], state_dir=str(box.state))
        with Box(tmp_path / "second", config) as other:
            assert other.start().wait() == 1
            assert "give this one its own `state_dir`" in other.stderr
        assert box.stop() == 0


def _answers_elsewhere(port: int) -> bool:
    """Whether the port is open on an address of this machine that others can reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return False
        address = probe.getsockname()[0]
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
