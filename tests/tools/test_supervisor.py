"""The parent that stands in for systemd, tried on small programs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest
from _supervisor import Supervisor

from tests.support.waiting import wait_for

_SAYS = """
import os, socket, sys, time
door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
door.connect(os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1))
def say(line):
    door.send(line.encode())
print("watchdog", os.environ["WATCHDOG_USEC"], flush=True)
"""


def supervised(folder: Path, program: str, **options: float) -> Supervisor:
    return Supervisor([sys.executable, "-c", _SAYS + program], folder, **options)  # type: ignore[arg-type]


def test_one_that_is_fed_lives_until_it_is_told_to_stop(tmp_path: Path) -> None:
    program = "say('READY=1\\nSTATUS=ok')\nwhile True: say('WATCHDOG=1'); time.sleep(0.05)"
    with supervised(tmp_path, program, watchdog_s=2.0) as parent:
        wait_for(lambda: parent.wait_ready().fed > 10, "it is fed")
        assert parent.run.statuses == ["ok"]
        assert "watchdog 2000000" in parent.log
        assert parent.stop() == -signal.SIGTERM
        assert not parent.run.starved
        assert parent.run.longest_hunger_s < 2.0
    assert parent.restarts == 0


def test_one_that_stops_to_feed_is_aborted_and_started_again(tmp_path: Path) -> None:
    program = "say('READY=1'); say('WATCHDOG=1'); time.sleep(60)"
    with supervised(tmp_path, program, watchdog_s=0.5) as parent:
        parent.wait_ready(2)
        first = parent.runs[0]
        assert first.starved
        assert first.exit_code == -signal.SIGABRT
        assert first.fed == 1
        assert parent.run.pid != first.pid


def test_one_that_does_not_die_of_it_is_killed(tmp_path: Path) -> None:
    program = "import signal; signal.signal(signal.SIGABRT, signal.SIG_IGN); say('READY=1'); time.sleep(60)"
    with supervised(tmp_path, program, watchdog_s=0.3, abort_s=0.3) as parent:
        parent.wait_ready(2)
        assert parent.runs[0].exit_code == -signal.SIGKILL


def test_one_that_never_is_ready_is_aborted_too(tmp_path: Path) -> None:
    with supervised(tmp_path, "time.sleep(60)", start_s=0.3) as parent:
        wait_for(lambda: parent.restarts, "a second life")
        assert parent.runs[0].starved
        assert parent.runs[0].ready_ns is None


def test_a_killed_one_is_started_again(tmp_path: Path) -> None:
    program = "say('READY=1')\nwhile True: say('WATCHDOG=1'); time.sleep(0.05)"
    with supervised(tmp_path, program) as parent:
        parent.wait_ready()
        parent.signal(signal.SIGKILL)
        parent.wait_ready(2)
        assert parent.runs[0].exit_code == -signal.SIGKILL
        assert not parent.runs[0].starved


@pytest.mark.parametrize("code", [0, 78])
def test_some_ends_are_the_end(tmp_path: Path, code: int) -> None:
    with supervised(tmp_path, f"say('READY=1'); sys.exit({code})") as parent:
        wait_for(lambda: not parent._thread.is_alive(), "it is not started again")
        assert parent.run.exit_code == code
    assert parent.restarts == 0


def test_only_the_main_process_is_heard(tmp_path: Path) -> None:
    program = """
if os.fork() == 0:
    say('READY=1')
    os._exit(0)
os.wait()
say('STATUS=mother')
time.sleep(60)
"""
    with supervised(tmp_path, program) as parent:
        wait_for(lambda: parent.run.statuses, "the mother speaks")
        assert parent.run.statuses == ["mother"]
        assert parent.run.ready_ns is None
