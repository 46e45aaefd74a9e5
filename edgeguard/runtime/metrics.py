"""The health report in Prometheus' exposition format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from edgeguard.runtime.health import State

CONTENT_TYPE = CONTENT_TYPE_LATEST
_STATES = tuple(state.value for state in State)
_NO_METRICS = frozenset({"state", "reason", "since_utc_ns"})


def exposition(report: Callable[[], dict[str, Any]]) -> bytes:
    """Everything that is a number in the report, by part.

    `edgeguard_part_state` is 1 for the state that a part is in and 0 for the others; every counter and
    measurement of a part is `edgeguard_<its name in health>{part}`.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Report(report))
    return generate_latest(registry)


class _Report(Collector):
    def __init__(self, report: Callable[[], dict[str, Any]]) -> None:
        self._report = report

    def collect(self) -> Iterator[GaugeMetricFamily]:
        report = self._report()
        parts: dict[str, dict[str, Any]] = report["parts"]
        yield GaugeMetricFamily("edgeguard_ok", "1 unless a part is degraded", report["state"] != "degraded")
        yield _states(parts)
        yield _since(parts)
        yield from _numbers(parts)


def _states(parts: dict[str, dict[str, Any]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily("edgeguard_part_state", "Which state a part is in", labels=["part", "state"])
    for name, part in parts.items():
        for state in _STATES:
            family.add_metric([name, state], float(part["state"] == state))
    return family


def _since(parts: dict[str, dict[str, Any]]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "edgeguard_part_state_since_seconds", "Unix time since when a part is in its state", labels=["part"]
    )
    for name, part in parts.items():
        family.add_metric([name], part["since_utc_ns"] / 1e9)
    return family


def _numbers(parts: dict[str, dict[str, Any]]) -> Iterator[GaugeMetricFamily]:
    families: dict[str, GaugeMetricFamily] = {}
    for name, part in parts.items():
        for key, value in part.items():
            if key in _NO_METRICS or isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            metric = f"edgeguard_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}"
            if metric not in families:
                families[metric] = GaugeMetricFamily(metric, f"`{key}` of a part's health", labels=["part"])
            families[metric].add_metric([name], float(value))
    yield from families.values()
