"""From its commit on, an alert is never lost: not by killing the daemon, nor the broker."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.daemon import Box, Json, Listener, settings
from tests.support.waiting import wait_for
from tests.support.walkers import PASSED, WALKERS, camera, rules

pytestmark = pytest.mark.e2e
COPIES = 6


def make_box(folder: Path, broker: Broker, walk: Path, *, endless: bool = True) -> Box:
    """A camera that sees the walk as fast as it can be read, over and over if `endless`; many alerts."""
    yard = camera(walk.as_uri(), pace="fast", loop=endless)
    config = settings(broker.port, {"yard": yard}, rules("yard", COPIES))
    config["mqtt"]["retry_s"] = 2
    return Box(folder, config)


def drain(folder: Path, broker: Broker, stillness: Path) -> Box:
    """Let a daemon that sees nothing deliver what the ones before it left behind."""
    still = camera(stillness.as_uri(), pace="fast")
    with Box(folder, settings(broker.port, {"yard": still}, rules("yard"))) as box:
        assert box.start("--until-done").wait() == 0
    return box


def assert_all_arrived(box: Box, listener: Listener) -> None:
    """What the outbox committed came, under one number each, doubles only of the same revision."""
    revisions: dict[int, set[tuple[str, int]]] = defaultdict(set)
    for alert in listener.alerts:
        revisions[alert["seq"]].add((alert["alert_id"], alert["revision"]))
    others = {message["seq"] for name in ("clock", "health") for message in listener.messages(name)}
    assert set(range(1, box.committed() + 1)) - set(revisions) - others == set(), "committed, never received"
    assert [seq for seq, known in revisions.items() if len(known) > 1] == []
    assert len({known for seq in revisions for known in revisions[seq]}) == len(revisions)


def assert_numbers_rise_from_run_to_run(alerts: list[Json], runs: list[str]) -> None:
    """`runs` are boot ids in the order of their starts."""
    highest = 0
    for run in runs:
        numbers = [alert["seq"] for alert in alerts if alert["boot_id"] == run]
        assert min(numbers, default=highest + 1) > highest
        highest = max(numbers, default=highest)


def test_killing_the_daemon_in_mid_stream(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path, stillness: Path
) -> None:
    with make_box(tmp_path, broker, walk) as box:
        for frozen in (False, True, True):
            already = len(listener.alerts)
            box.start()
            listener.wait_for_alerts(already + 10)
            if frozen:
                broker.sigstop()  # so that alerts wait, and others are sent and not acknowledged
            time.sleep(random.uniform(0, 0.7))
            box.kill9()
            broker.sigcont()
    assert_all_arrived(drain(tmp_path, broker, stillness), listener)
    online = [message for message in listener.messages("status") if message["state"] == "online"]
    runs = list(dict.fromkeys(message["boot_id"] for message in online))
    assert len(runs) == 4
    assert_numbers_rise_from_run_to_run(listener.alerts, runs)
    assert listener.messages("status")[-1]["seq_high"] == max(alert["seq"] for alert in listener.alerts)


def test_the_broker_comes_later_than_the_alerts(tmp_path: Path, walk: Path) -> None:
    broker = Broker(tmp_path)
    with make_box(tmp_path, broker, walk, endless=False) as box:
        box.start("--until-done")
        wait_for(lambda: box.part("outbox").get("pending"), "alerts wait")
        assert "cannot connect" in box.wait_for_part("broker", "degraded")["reason"]
        with broker, Listener(broker.port) as listener:
            assert box.wait() == 0
            assert_all_arrived(box, listener)
            assert box.committed() == COPIES * len(PASSED) * len(WALKERS)


def test_killing_the_broker_in_mid_stream(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path, stillness: Path
) -> None:
    with make_box(tmp_path, broker, walk) as box:
        box.start()
        for _ in range(2):
            listener.wait_for_alerts(len(listener.alerts) + 10)
            broker.kill9()
            box.wait_for_part("broker", "degraded")
            broker.start()
            listener.wait_until_subscribed()
            box.wait_for_part("broker", "ok")
        assert box.stop() == 0
    assert_all_arrived(drain(tmp_path, broker, stillness), listener)


def test_an_alert_that_is_going_on_is_closed_whatever_ends_the_daemon(
    tmp_path: Path, broker: Broker, listener: Listener, walk: Path
) -> None:
    yard = camera(walk.as_uri(), loop=True)
    yard["zones"]["everywhere"] = {"polygon": [[0, 0], [1, 0], [1, 1], [0, 1]]}
    stays = {"kind": "loitering", "name": "stays", "camera": "yard", "zone": "everywhere", "dwell_s": 0.5}
    with Box(tmp_path, settings(broker.port, {"yard": yard}, [stays])) as box:
        box.start()
        (killed, *_) = listener.wait_for_alerts(1)
        box.kill9()
        box.start()
        listener.wait_for_alerts(1, lambda alert: alert["boot_id"] != killed["boot_id"] and is_open(alert))
        assert box.stop() == 0
        wait_for(lambda: not any(is_open(alert) for alert in latest(listener).values()), "all are closed")
    assert latest(listener)[killed["alert_id"]]["boot_id"] != killed["boot_id"]
    for alert in listener.alerts:
        closed = latest(listener)[alert["alert_id"]]
        assert closed["models"] == alert["models"] != []
        assert closed["evidence"] == alert["evidence"] != []


def is_open(alert: Json) -> bool:
    return alert["closed_at"] is None


def latest(listener: Listener) -> dict[str, Json]:
    """The highest revision of each alert."""
    in_order = sorted(listener.alerts, key=lambda alert: int(alert["revision"]))
    return {alert["alert_id"]: alert for alert in in_order}
