"""UTC is stepped far forward and back again under a guard that works: nothing that is measured notices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeguard.coverage import Book, read
from tests.e2e.test_delivery_faults import faked_clock
from tests.support.broker import Broker
from tests.support.daemon import Box, Listener, settings
from tests.support.rtsp_process import RtspProcess
from tests.support.waiting import wait_for
from tests.support.walkers import camera, rules

pytestmark = pytest.mark.e2e
AHEAD_S = 400 * 86_400
ANSWER_S = 4.0
WAY = ("received", "arrived", "infer_start", "infer_end", "ruled", "decided", "committed", "published")
Json = dict[str, Any]


def test_a_clock_that_is_set_a_year_ahead_and_back_disturbs_nothing(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    offset, environment = faked_clock(tmp_path)
    with (
        RtspProcess(walk) as rtsp,
        Box(
            tmp_path,
            settings(
                broker.port,
                {"yard": camera(rtsp.url)},
                [*rules("yard"), {"kind": "blind", "name": "nobody-watches", "after_s": 8}],
                escalation={"after_s": ANSWER_S, "severity": "alarm"},
            ),
            **environment,
        ) as box,
    ):
        box.start()
        more_alerts(listener)
        for count, step_s in enumerate((AHEAD_S, 0), 1):
            offset.write_text(f"{step_s:+d}\n")
            wait_for_step(listener, count)
            more_alerts(listener)
        assert box.part("camera/yard")["blind"] == "no"
        latency = box.part("latency")
        box.stop()
    assert [round(step["step_ms"] / 1000) for step in listener.messages("clock")] == [AHEAD_S, -AHEAD_S]
    alerts = listener.alerts
    assert_is_measured_by_the_monotonic_clock(alerts)
    assert_is_escalated_in_time(alerts)
    assert "blind" not in {alert["kind"] for alert in alerts}
    gaps = Book(read(box.state / "coverage")).intervals()
    assert {gap.cause for gap in gaps} == {"connecting"}
    assert max(gap.lasted_s for gap in gaps) < 60
    assert {gap["cause"] for alert in alerts for gap in alert["blind"]} <= {"connecting"}
    assert latency["alert_p99_ms"] < 60_000


def wait_for_step(listener: Listener, count: int) -> None:
    wait_for(lambda: len(listener.messages("clock")) == count, "the step is told")


def more_alerts(listener: Listener, count: int = 3) -> None:
    before = len(opened(listener.alerts))
    wait_for(lambda: len(opened(listener.alerts)) >= before + count, f"{count} more alerts", 60)
    escalated = len([one for one in listener.alerts if one["escalated_at"]])
    wait_for(
        lambda: len([one for one in listener.alerts if one["escalated_at"]]) > escalated, "an escalation", 60
    )


def opened(alerts: list[Json]) -> list[Json]:
    return [alert for alert in alerts if alert["revision"] == 1]


def assert_is_measured_by_the_monotonic_clock(alerts: list[Json]) -> None:
    in_order = sorted(alerts, key=lambda alert: int(alert["seq"]))
    published = [alert["stages"]["published_ns"] for alert in in_order]
    assert published == sorted(published)
    for alert in in_order:
        passed = [alert["stages"][f"{stage}_ns"] for stage in WAY]
        known = [ns for ns in passed if ns is not None]
        assert known == sorted(known)
        assert known[-1] - known[0] < 60e9


def assert_is_escalated_in_time(alerts: list[Json]) -> None:
    """Neither at once, because UTC is far beyond the deadline, nor never, because it is far before it."""
    began = {alert["alert_id"]: alert["stages"]["committed_ns"] for alert in opened(alerts)}
    escalated = [alert for alert in alerts if alert["escalated_at"]]
    first = {alert["alert_id"]: alert for alert in reversed(escalated)}
    waited = [(one["stages"]["decided_ns"] - began[name]) / 1e9 for name, one in first.items()]
    assert len(waited) >= 3
    assert min(waited) >= ANSWER_S - 0.1
    assert max(waited) < ANSWER_S + 20
