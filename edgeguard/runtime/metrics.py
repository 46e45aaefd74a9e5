"""The health report in Prometheus' exposition format."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from edgeguard import __version__
from edgeguard.runtime.health import State
from edgeguard.runtime.metric_names import is_counter, latency_of, meaning

CONTENT_TYPE = CONTENT_TYPE_LATEST
_STATES = tuple(state.value for state in State)
_NO_METRICS = frozenset({"state", "reason", "code", "since_utc_ns"})
_LATENCY, _SAMPLES = "latency", "_samples"

Parts = Mapping[str, Mapping[str, Any]]


def exposition(report: Callable[[], dict[str, Any]]) -> bytes:
    """Everything that is a number in the report, by part; and what the kernel says of the process.

    `edgeguard_part_state` is 1 for the state that a part is in and 0 for the others, `edgeguard_part_code` is
    1 for what is wrong with it; every number of a part is `edgeguard_<its name in health>{part}`, with
    `_total` where it only rises; of the latencies `edgeguard_stage_latency_seconds{stage, quantile}`.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Report(report))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


class _Report(Collector):
    def __init__(self, report: Callable[[], dict[str, Any]]) -> None:
        self._report = report

    def collect(self) -> Iterator[Metric]:
        report = self._report()
        parts: Parts = report["parts"]
        build = GaugeMetricFamily("edgeguard_build_info", "Which EdgeGuard this is", labels=["version"])
        build.add_metric([__version__], 1.0)
        yield build
        yield GaugeMetricFamily("edgeguard_ok", "1 unless a part is degraded", report["state"] != "degraded")
        yield _states(parts)
        yield _codes(parts)
        yield _since(parts)
        yield from _latencies(parts.get(_LATENCY, {}))
        yield from _numbers((name, part) for name, part in parts.items() if name != _LATENCY)


def _states(parts: Parts) -> Metric:
    family = GaugeMetricFamily("edgeguard_part_state", "Which state a part is in", labels=["part", "state"])
    for name, part in parts.items():
        for state in _STATES:
            family.add_metric([name, state], float(part["state"] == state))
    return family


def _codes(parts: Parts) -> Metric:
    family = GaugeMetricFamily("edgeguard_part_code", "What is wrong with a part", labels=["part", "code"])
    for name, part in parts.items():
        if part.get("code"):
            family.add_metric([name, str(part["code"])], 1.0)
    return family


def _since(parts: Parts) -> Metric:
    family = GaugeMetricFamily(
        "edgeguard_part_state_since_seconds", "Unix time since when a part is in its state", labels=["part"]
    )
    for name, part in parts.items():
        family.add_metric([name], part["since_utc_ns"] / 1e9)
    return family


def _latencies(part: Mapping[str, Any]) -> Iterator[Metric]:
    took = GaugeMetricFamily(
        "edgeguard_stage_latency_seconds",
        "How long a stage takes, over its newest thousand",
        labels=["stage", "quantile"],
    )
    samples = GaugeMetricFamily(
        "edgeguard_stage_latency_samples", "Of how many that was measured", labels=["stage"]
    )
    for name, value in part.items():
        if (found := latency_of(name)) is not None:
            took.add_metric([*found], value / 1e3)
        elif name.endswith(_SAMPLES):
            samples.add_metric([name.removesuffix(_SAMPLES)], float(value))
    yield took
    yield samples


def _numbers(parts: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
    for name, part in parts:
        for key, value in part.items():
            if key in _NO_METRICS or isinstance(value, bool) or not isinstance(value, (int, float)):
                continue
            if key not in families:
                families[key] = _family(key)
            families[key].add_metric([name], float(value))
    yield from families.values()


def _family(key: str) -> GaugeMetricFamily | CounterMetricFamily:
    kind = CounterMetricFamily if is_counter(key) else GaugeMetricFamily
    return kind(f"edgeguard_{re.sub(r'[^a-zA-Z0-9_]', '_', key)}", meaning(key), labels=["part"])
