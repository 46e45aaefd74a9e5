"""A guard that does not watch, or sees nothing, says so."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from edgeguard.coverage import Book, Ledger, Record, What
from tests.alerts.strict import assert_valid
from tests.support.broker import Broker
from tests.support.daemon import EDGEGUARD, Box, Json, Listener, clean_environment, settings
from tests.support.rtsp_process import RtspProcess
from tests.support.waiting import wait_for
from tests.support.walkers import camera

pytestmark = pytest.mark.e2e
BLIND = {"kind": "blind", "name": "nobody-watches", "after_s": 2, "severity": "alarm"}


def coverage(box: Box, *options: str) -> dict[str, Any]:
    done = subprocess.run(
        [*EDGEGUARD, "coverage", "--state-dir", str(box.state), "--json", *options],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@contextmanager
def a_lost_camera(
    folder: Path, broker: Broker, listener: Listener, walk: Path
) -> Iterator[tuple[RtspProcess, Box, Json]]:
    """A guard whose only camera was killed, and the alert that it raised."""
    with (
        RtspProcess(walk) as rtsp,
        Box(folder, settings(broker.port, {"yard": camera(rtsp.url)}, [BLIND])) as box,
    ):
        box.start()
        box.wait_for_part("camera/yard", "ok")
        rtsp.kill9()
        [opened] = listener.wait_for_alerts(1)
        yield rtsp, box, opened


def test_a_lost_camera_is_an_alert_and_the_book_outlives_a_killed_daemon(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    with a_lost_camera(tmp_path, broker, listener, walk) as (rtsp, box, opened):
        assert (opened["kind"], opened["source"], opened["state"]) == ("blind", "yard", "opened")
        assert opened["summary"].startswith("nothing came from yard for ")
        assert box.part("camera/yard")["blind"] != "no"
        assert coverage(box)["intervals"][-1]["to"] is None  # also while the daemon runs
        rtsp.start()
        closed = listener.wait_for_alerts(2, timeout_s=60)[-1]
        assert (closed["state"], closed["alert_id"]) == ("closed", opened["alert_id"])
        wait_for(lambda: box.part("camera/yard")["blind"] == "no", "the camera back in the book")
        box.kill9()
        box.start()
        wait_for(lambda: box.part("camera/yard").get("blind") == "no", "the camera back after the restart")
        told = coverage(box, "--source", "yard")
    causes = [one["cause"] for one in told["intervals"]]
    assert causes[0] == "connecting"
    assert causes[-2:] == ["restarted", "connecting"]
    lasted = [one["lasted_s"] for one in told["intervals"] if one["cause"] not in ("connecting", "restarted")]
    assert sum(lasted) >= 2
    assert sum(sum(day["yard"].values()) for day in told["blind_s"].values()) >= sum(lasted)


def test_an_alert_that_a_killed_guard_left_open_says_that_nobody_watched_since(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    with a_lost_camera(tmp_path, broker, listener, walk) as (_, box, opened):
        assert opened["blind"][-1]["to"] is None, "it goes on"
        box.kill9()
        box.start()
        [closed] = listener.wait_for_alerts(1, lambda alert: alert["state"] == "closed", timeout_s=60)
    assert closed["alert_id"] == opened["alert_id"]
    assert_valid("alert", closed)
    told = [(gap["cause"], gap["to"] is None) for gap in closed["blind"]]
    lost = opened["blind"][-1]["cause"]
    assert [one for one in told if one[0] in (lost, "restarted")][-2:] == [
        (lost, False),
        ("restarted", False),
    ]


def the_day_before(folder: Path) -> str:
    """A book in which `yard` was lost for 100 s, and then nobody watched any more."""
    day_ns, mono_ns = 86_400 * 10**9, 10**15
    lost_ns = time.time_ns() // day_ns * day_ns - 3600 * 10**9
    begin_ns = lost_ns - day_ns
    first = Record(What.BEGIN, begin_ns, mono_ns, run="old", boot="old", sources=("yard",))
    ledger, book = Ledger(folder), Book([first])
    ledger.begin(first)
    for what, seconds in ((What.LOST, 0), (What.BACK, 100), (What.STOP, 110)):
        utc_ns = lost_ns + seconds * 10**9
        at_ns = utc_ns - begin_ns + mono_ns
        record = Record(what, utc_ns, at_ns, "yard", "stalled" if what is What.LOST else "", at_ns)
        ledger.write(record, book.begin_again(record))
        book.take(record)
    return f"{datetime.fromtimestamp(lost_ns / 1e9, timezone.utc):%Y-%m-%d}"


def test_the_day_before_is_told_once_and_an_alert_names_the_gap_before_it(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    crossing = {"kind": "line_crossed", "name": "passed", "camera": "yard", "line": "west"}
    with Box(tmp_path, settings(broker.port, {"yard": camera(f"file://{walk}")}, [crossing])) as box:
        day = the_day_before(box.state / "coverage")
        box.start()
        told = listener.wait_for_message(f"edgeguard/v1/depot/gate-1/up/coverage/{day}", timeout_s=90)
        [alert] = listener.wait_for_alerts(1)
        wait_for((box.state / "coverage" / "told").exists, "the mark that the day is on the disk")
        wait_for(lambda: "confirm_p99_ms" in box.part("latency"), "the alert's latencies in health")
        latency = box.part("latency")
        metrics = box.metrics()
        box.stop()
        box.start()
        listener.wait_for_alerts(2)
        assert [one["day"] for one in listener.messages("coverage")] == [day], "and not again"
    assert_valid("coverage", told)
    [yard] = told["sources"]
    assert [gap["cause"] for gap in yard["gaps"]] == ["stalled", "restarted"]
    assert yard["blind_s"] == pytest.approx(100 + 3600 - 110, abs=1)
    assert_valid("alert", alert)
    assert [gap["cause"] for gap in alert["blind"]] == ["restarted", "connecting"]
    assert {gap["source"] for gap in alert["blind"]} == {"yard"}
    way = ["received", "arrived", "infer_start", "infer_end", "ruled", "decided", "committed", "published"]
    passed_ns = [alert["stages"][f"{stage}_ns"] for stage in way]
    assert passed_ns == sorted(passed_ns)
    assert alert["stages"]["sensor_ns"] is None, "a file has no sensor"
    for stage in ("decode", "wait", "infer", "rule", "decide", "commit", "publish", "confirm", "alert"):
        p50, p95, p99 = (latency[f"{stage}_p{share}_ms"] for share in (50, 95, 99))
        assert 0 <= p50 <= p95 <= p99, stage
        assert f'edgeguard_stage_latency_seconds{{quantile="0.99",stage="{stage}"}}' in metrics


def test_a_picture_that_turns_dark_is_an_alert(tmp_path: Path, broker: Broker, listener: Listener) -> None:
    clip = tmp_path / "dusk.mp4"
    raw = "video/x-raw,format=I420,width=320,height=240,framerate=5/1"
    line = (
        f"gst-launch-1.0 -q concat name=c ! x264enc speed-preset=ultrafast ! h264parse ! mp4mux ! "
        f"filesink location={clip} videotestsrc num-buffers=60 pattern=smpte75 ! {raw} ! c. "
        f"videotestsrc num-buffers=60 pattern=black ! {raw} ! c."
    )
    subprocess.run(line.split(), check=True, timeout=60)
    eye = {"url": str(clip.as_uri()), "pace": "fast", "detector": {"model": "motion"}}
    rule = {"kind": "tampered", "name": "eye-shut", "what": ["covered", "too_dark"]}
    with Box(tmp_path, settings(broker.port, {"yard": eye}, [rule])) as box:
        assert box.start("--until-done").wait(60) == 0
        opened = listener.wait_for_alerts(1)[0]
    assert (opened["kind"], opened["source"], opened["label"]) == ("tampered", "yard", "too_dark")
    assert opened["summary"].startswith("camera yard is too dark (brightness ")
    assert opened["evidence"] or opened["evidence_error"]
