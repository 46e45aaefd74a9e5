"""The dashboard shows what there is: every number that it asks for comes from a running guard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from edgeguard.clock import ClockState, ManualClock
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.machine import BoxWatch
from edgeguard.runtime.metrics import exposition
from edgeguard.runtime.timekeeping import TimeWatch
from tests.runtime.test_machine import ORIN, write
from tests.support.broker import Broker, free_port
from tests.support.daemon import Box, Json, Listener, settings
from tests.support.waiting import wait_for
from tests.support.walkers import camera, make_walk, rules

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "grafana"
DASHBOARD: Json = json.loads((FOLDER / "edgeguard.json").read_text("utf-8"))
VARIABLES = {"$site": ".*", "$device": ".*", "$__rate_interval": "30s", "$__range": "1h"}
PROMETHEUS = shutil.which("prometheus")


def panels() -> list[Json]:
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> list[str]:
    """What the dashboard asks Prometheus, with its variables put in."""
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    asked += [one["expr"] for one in DASHBOARD["annotations"]["list"]]
    for name, value in VARIABLES.items():
        asked = [expression.replace(name, value) for expression in asked]
    return asked


def names(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:edgeguard|process)_\w+", expression))


def told(text: str) -> set[str]:
    return {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}


def metrics_of_a_jetson(folder: Path) -> set[str]:
    """What only a Jetson whose clock is kept right tells."""
    write(folder, ORIN)
    board = HealthBoard(ManualClock())
    BoxWatch(board.part("box"), folder, folder).refresh()
    TimeWatch(board.part("clock"), lambda: ClockState(True, "ntp", 0.1, 2.0), folder).refresh()
    return told(exposition(lambda: {"state": board.state.value, "parts": board.report()}).decode())


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A camera that sees walkers and a microphone, with somebody who listens."""
    folder = tmp_path_factory.mktemp("guard")
    walk = make_walk(folder / "walk.mp4")
    with Broker(folder) as broker, Listener(broker.port) as listener:
        config = settings(broker.port, {"yard": camera(walk.as_uri(), loop=True)}, rules("yard"))
        config["microphones"] = {"yard-mic": {"url": "scene://yard"}}
        with Box(folder, config) as box:
            box.start()
            listener.wait_for_alerts(6)
            wait_for(lambda: "confirm_p99_ms" in box.part("latency"), "the alerts' latencies")
            wait_for(lambda: "level_dbfs" in box.part("microphone/yard-mic"), "the level of the sound")
            yield box


def test_every_panel_has_its_place_and_its_number() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    taken: dict[tuple[int, int], str] = {}
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


@pytest.mark.e2e
def test_every_number_of_the_dashboard_comes_from_a_running_guard(guard: Box, tmp_path: Path) -> None:
    known = told(guard.metrics()) | metrics_of_a_jetson(tmp_path)
    asked = set().union(*map(names, expressions()))
    assert "edgeguard_age_s" in asked
    assert asked - known == set()


class Prometheus:
    """A real one that scrapes the guard every second."""

    def __init__(self, folder: Path, target: int) -> None:
        scrape = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == ["127.0.0.1:8642"]
        scrape["global"]["scrape_interval"] = "1s"
        scrape["scrape_configs"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{target}"]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(scrape))
        self._address = f"127.0.0.1:{free_port()}"
        assert PROMETHEUS is not None
        self.process = subprocess.Popen(
            [
                PROMETHEUS,
                f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address={self._address}",
                "--log.level=error",
            ]
        )

    def ask(self, expression: str) -> list[Any]:
        """The series that an expression gives now; AssertionError with Prometheus' words if it is none."""
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"http://{self._address}/api/v1/query?{query}", timeout=5) as answer:
                found: list[Any] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            if error.code == 503:  # it is not ready yet
                return []
            raise AssertionError(f"{expression}: {error.read().decode()}") from None
        except OSError:
            return []
        return found


@pytest.mark.e2e
@pytest.mark.skipif(PROMETHEUS is None, reason="prometheus is not installed")
def test_a_real_prometheus_answers_every_question_of_the_dashboard(guard: Box, tmp_path: Path) -> None:
    jetson = metrics_of_a_jetson(tmp_path / "jetson") - told(guard.metrics())
    prometheus = Prometheus(tmp_path, guard.health_port)
    try:
        wait_for(lambda: prometheus.ask("edgeguard_ok"), "a scrape")
        wait_for(lambda: prometheus.ask("rate(process_cpu_seconds_total[30s])"), "a rate")
        empty = [asked for asked in expressions() if not prometheus.ask(asked)]
        (series,) = prometheus.ask("edgeguard_ok")
        assert {"site", "device", "instance", "job"} <= set(series["metric"])
    finally:
        prometheus.process.terminate()
        prometheus.process.wait(10)
    assert [asked for asked in empty if not names(asked) & jetson and "changes(" not in asked] == []
