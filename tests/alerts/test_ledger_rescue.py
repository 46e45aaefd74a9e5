"""The ledger where its file is damaged, removed, or has no room."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeguard.alerts.durable import MessageClass
from edgeguard.alerts.escalation import Escalation
from edgeguard.types import Severity
from tests.support.alerts import NEXT_RUN, alert, moment
from tests.support.desk import DeskBench

ALARM = {"severity": Severity.ALARM}


def damage(path: Path, start: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        old = file.read(size)
        file.seek(start)
        file.write(bytes(byte ^ 0xA5 for byte in old))


def stopped(folder: Path, **other: bool) -> DeskBench:
    """A run that ended, with much that is over, verdicts, and an alarm that waits."""
    bench = DeskBench(folder, Escalation(60.0), **other)
    for _ in range(30):
        one = moment()
        bench.run(one)
        bench.clock.advance(1)
        bench.ack(one.alert_id, "true")
    bench.run(moment(**ALARM))
    bench.publisher.stop(0)
    return bench


def test_an_alarm_waits_on_where_the_file_was_removed(tmp_path: Path) -> None:
    bench = DeskBench(tmp_path, Escalation(60.0))
    one = alert(**ALARM)
    bench.run(one)
    for file in tmp_path.glob("outbox.db*"):
        if file.suffix != ".seq":
            file.unlink()
    bench.run(after_s=61)
    raised = [told for told in bench.told if told["alert_id"] == one.alert_id][-1]
    assert raised["severity"] == "critical"
    assert raised["revision"] > 1000


def test_what_can_be_read_of_a_damaged_file_goes_on(tmp_path: Path) -> None:
    first = stopped(tmp_path)
    size = (tmp_path / "outbox.db").stat().st_size
    damage(tmp_path / "outbox.db", size - 2048, 2048)
    second = DeskBench(tmp_path, Escalation(60.0), identity=NEXT_RUN, clock=first.clock)
    assert second.outbox is not None
    assert second.outbox.set_aside
    assert second.outbox.transaction(lambda db: len(db.execute("SELECT * FROM told").fetchall())) > 5
    assert second.desk.report.verdicts == {"stay.true": 30}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 9000)), min_size=1, max_size=4))
def test_no_damage_keeps_a_run_from_starting_and_answering(
    tmp_path_factory: pytest.TempPathFactory, holes: list[tuple[float, int]]
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    first = stopped(folder)
    size = (folder / "outbox.db").stat().st_size
    for place, length in holes:
        damage(folder / "outbox.db", round(place * size), length)
    second = DeskBench(folder, Escalation(60.0), identity=NEXT_RUN, clock=first.clock)
    one = moment(**ALARM)
    second.run(one)
    second.run()
    assert second.ack(one.alert_id, "true")["ok"]
    assert second.known(one.alert_id) is not None
    second.run(after_s=61)
    assert second.publisher.delivery.storage_error is None
    shutil.rmtree(folder)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user may not mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_on_a_full_disk_the_ledger_forgets_before_an_alarm_is_shed(small_disk: Path) -> None:
    bench = DeskBench(small_disk, ballast_bytes=6 << 20)
    bench.run(*[moment() for _ in range(300)])
    bench.link.disconnect("gone")
    outbox = bench.outbox
    assert outbox is not None
    alarms = 0
    while not outbox.shed[MessageClass.ALARM] and bench.publisher.delivery.storage_error is None:
        bench.run(*[moment(**ALARM) for _ in range(100)])
        alarms += 100
        assert alarms < 10_000
    (over,) = outbox.transaction(lambda db: db.execute("SELECT count(*) FROM told").fetchone())
    assert over < alarms / 4
    assert outbox.pending > 1000
