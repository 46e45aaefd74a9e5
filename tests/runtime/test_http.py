from __future__ import annotations

import urllib.request

import pytest

from edgeguard.clock import ManualClock
from edgeguard.errors import StorageError
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.http import HealthServer, HealthStage


def test_a_port_that_is_taken_is_this_parts_trouble_and_is_tried_again() -> None:
    other = HealthServer(0, dict)
    part = HealthBoard(ManualClock()).part("health")
    stage = HealthStage(other.port, lambda: {"state": "ok"}, part)
    other.start()
    with pytest.raises(StorageError, match=str(other.port)):
        stage.open()
    stage.close()
    other.stop()
    stage.open()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{other.port}/health", timeout=5) as answer:
            assert answer.status == 200
        assert part.state is State.OK
    finally:
        stage.close()


def test_prometheus_can_read_it() -> None:
    board = HealthBoard(ManualClock())
    board.part("camera/gate").note(frames_replaced=3)
    server = HealthServer(0, lambda: {"state": board.state.value, "parts": board.report()})
    server.start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=")
            assert 'edgeguard_frames_replaced_total{part="camera/gate"} 3.0' in answer.read().decode()
    finally:
        server.stop()
