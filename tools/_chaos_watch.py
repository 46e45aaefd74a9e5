"""What a guard says of itself while it is plagued: over HTTP, and over MQTT."""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any

import paho.mqtt.client as paho
from _tap import Tap

from edgeguard.clock import SystemClock

_CLOCK = SystemClock()
_EVERY_S = 0.2
_PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
_OVERLOADED = "overloaded"
Parts = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was known at one moment of the monotonic clock."""

    at_ns: int
    pid: int
    parts: Parts | None
    """None: no answer."""
    rss_kib: int = 0

    @property
    def is_well(self) -> bool:
        """Every part is as it should be."""
        return self.parts is not None and all(map(is_fine, self.parts.values()))

    def is_overloaded(self, part: str) -> bool:
        """Whether that part says that the machine is too slow for it."""
        return (self.parts or {}).get(part, {}).get("code") == _OVERLOADED


def is_fine(part: dict[str, Any]) -> bool:
    """Well, but for what is no fault of ours: the script wants a silent microphone, the machine is slow."""
    no_wonder = str(part["reason"]).endswith(": dead") or part.get("code") == _OVERLOADED
    return part["state"] in ("ok", "off") or no_wonder


class HealthWatch:
    """Asks the health port again and again, on a thread of its own."""

    def __init__(self, port: int, pid: Callable[[], int]) -> None:
        self.samples: list[Sample] = []
        self._url = f"http://127.0.0.1:{port}/health"
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    @property
    def now(self) -> Sample:
        return self.samples[-1] if self.samples else Sample(0, 0, None)

    def since(self, at_ns: int) -> list[Sample]:
        return [sample for sample in self.samples if sample.at_ns >= at_ns]

    def __enter__(self) -> HealthWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join(10)

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            try:
                pid = self._pid()
            except IndexError:
                continue  # it was not started yet
            parts = self._ask()
            self.samples.append(Sample(_CLOCK.monotonic_ns(), pid, parts, _rss_kib(pid)))

    def _ask(self) -> Parts | None:
        """None also where it dies while it answers."""
        try:
            parts: Parts = self._report()["parts"]
        except (OSError, ValueError, HTTPException):
            return None
        return parts

    def _report(self) -> Any:
        try:
            with urllib.request.urlopen(self._url, timeout=2) as answer:  # noqa: S310 - loopback
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)


class Ear(Tap):
    """Hears what the guard tells over MQTT, beside its collector."""

    def __init__(self, port: int) -> None:
        super().__init__(port, "edgeguard/v1/#")
        self.health: list[Sample] = []
        self.steps: list[tuple[int, float]] = []
        """When (monotonic) it told that UTC was stepped, and by how many ms."""

    def _take(self, message: paho.MQTTMessage) -> None:
        now_ns, what = _CLOCK.monotonic_ns(), message.topic.split("/up/")[-1]
        if what == "health" and not message.retain:
            self.health.append(Sample(now_ns, 0, json.loads(message.payload)["parts"]))
        elif what == "clock":
            self.steps.append((now_ns, json.loads(message.payload)["step_ms"]))


def _rss_kib(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_KIB
    except (OSError, IndexError):
        return 0
