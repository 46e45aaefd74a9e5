"""A stage that hangs in a real daemon, and a parent with a notify socket that does what systemd does."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import _chaos_orders as orders
import pytest
from _supervisor import Supervisor

from tests.e2e.test_no_alert_is_lost import assert_all_arrived, drain
from tests.support.broker import Broker
from tests.support.daemon import Box, Listener, settings
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
GUARD = Path(__file__).resolve().parents[2] / "tools" / "_chaos_guard.py"
WATCHDOG_S = 6.0
STUCK_S = WATCHDOG_S / 2


@pytest.mark.parametrize(("part", "thread"), [("vision", "vision"), ("outbox", "publisher")])
def test_a_stage_that_hangs_is_noticed_shown_and_restarted_and_no_alert_is_lost(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path, stillness: Path, part: str, thread: str
) -> None:
    yard = camera(walk.as_uri(), pace="fast", loop=True)
    config = settings(broker.port, {"yard": yard}, rules("yard", 3))
    config["mqtt"]["retry_s"] = 2
    box = Box(tmp_path, config)
    command = [sys.executable, str(GUARD), str(tmp_path / "edgeguard.yaml")]
    with Supervisor(command, tmp_path, watchdog_s=WATCHDOG_S) as systemd:
        systemd.wait_ready()
        listener.wait_for_alerts(10)
        broker.sigstop()  # so that alerts are on the disk and nowhere else
        wait_for(lambda: box.part("outbox").get("pending"), "alerts wait on the disk")
        orders.give(tmp_path, "hang", stage=part, words="")
        told = wait_for(lambda: _stuck(box, part), "health names the stage")
        assert told["reason"] == f"no sign of life for more than {STUCK_S:g} s"
        assert _others_that_are_stuck(box, part) == []
        wait_for(lambda: "STUCK thread" in systemd.log, "the stacks")
        assert not systemd.run.starved, "the stacks come before the watchdog"
        fed = systemd.run.fed
        first = systemd.wait_for_run(lambda run: run.ended_ns, 1, 60, "has ended")
        assert (first.starved, first.exit_code, first.fed) == (True, -signal.SIGABRT, fed)
        broker.sigcont()
        already = len(listener.alerts)
        systemd.wait_ready(2)
        listener.wait_for_alerts(already + 10)
        assert systemd.stop() == 0
    stacks = systemd.log.split("the watchdog is not fed", 1)[1].split("Fatal Python error")[0]
    assert stacks.lstrip().startswith(f"STUCK thread {thread} (0x")
    assert "_chaos_guard.py" in stacks.split("thread ")[1], "it shows where it hangs"
    assert "\nthread capture-yard (0x" in stacks
    assert systemd.restarts == 1
    assert_all_arrived(drain(tmp_path, broker, stillness), listener)


IDLE_VISION = """
import sys, time
from pathlib import Path
from edgeguard.config import load
from edgeguard.runtime import logs
from edgeguard.runtime.assembly import House

logs.set_up("info", as_json=False)
daemon = House(load(Path(sys.argv[1]))).daemon()
(vision,) = [thread.stage for thread in daemon.crew.everyone if thread.part.name == "vision"]
look, idle = vision.step, Path("idle")
vision.step = lambda: time.sleep(0.1) if idle.exists() else look()
daemon.run()
"""


def test_detection_that_is_dead_while_its_thread_lives_is_told_and_is_no_reason_to_restart(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    config = settings(broker.port, {"yard": camera(walk.as_uri(), loop=True)}, rules("yard"))
    box = Box(tmp_path, config)
    command = [sys.executable, "-c", IDLE_VISION, str(tmp_path / "edgeguard.yaml")]
    with Supervisor(command, tmp_path, watchdog_s=WATCHDOG_S) as systemd:
        systemd.wait_ready()
        listener.wait_for_alerts(2)
        (tmp_path / "idle").touch()
        detector = box.wait_for_part("detector", "degraded", "none was looked at")
        assert (detector["code"], detector["age_limit_s"]) == ("no_inference", 10)
        assert detector["age_s"] > 10
        assert box.part("camera/yard")["age_s"] < 2
        assert box.part("vision")["beat_age_s"] < 1
        wait_for(lambda: _told(listener, "detector") == "no_inference", "it is told over MQTT")
        assert "degraded: detector no_inference" in systemd.run.statuses
        fed = systemd.run.fed
        (tmp_path / "idle").unlink()
        assert box.wait_for_part("detector", "ok")["code"] is None
        wait_for(lambda: _told(listener, "detector") is None, "that it is over is told, too")
        assert systemd.run.fed > fed > 0
        assert systemd.stop() == 0
    assert systemd.restarts == 0
    assert "STUCK" not in systemd.log


def _told(listener: Listener, part: str) -> object:
    return listener.messages("health")[-1]["parts"][part]["code"]


def _stuck(box: Box, part: str) -> dict[str, object] | None:
    told = box.part(part)
    return told if told.get("code") == "stuck" else None


def _others_that_are_stuck(box: Box, part: str) -> list[str]:
    parts = (box.health() or {})["parts"]
    return [name for name, told in parts.items() if told["code"] == "stuck" and name != part]
