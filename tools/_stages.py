"""The daemon's own stages from cameras to observations, without what tells of them."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from edgeguard import gst
from edgeguard.clock import Clock, SystemClock
from edgeguard.config.loading import parse
from edgeguard.models import ModelStore, default_root, load_catalog
from edgeguard.runtime.assembly.seeing import Seeing
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.coverage import Notices
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.shelf import Shelf, View
from edgeguard.runtime.stage import Stage, StageThread
from edgeguard.types import Observation, Showing

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class Watched:
    """What a run gave."""

    observations: list[Observation]
    health: dict[str, dict[str, Any]]
    cpu_s: float
    """Of the whole process, from when the models were loaded to when everything was looked at."""
    pictures: dict[str, int]
    """Analysed, by camera."""
    late_ns: dict[str, float]
    """Median by camera of how much later than its time a picture came that was looked at as it came."""


class _Register(Shelf):
    """Notes what is analysed."""

    def __init__(self) -> None:
        super().__init__()
        self.late_ns: dict[str, list[int]] = defaultdict(list)
        self.pictures: Counter[str] = Counter()

    def put(self, view: View, keep: bool) -> None:
        frame = view.frame
        self.pictures[frame.source] += 1
        if frame.showing is Showing.LIVE:
            self.late_ns[frame.source].append(frame.arrived_ns - frame.pts_ns)
        super().put(view, keep)


def watch(cameras: dict[str, dict[str, Any]], rules: list[dict[str, Any]], mirror: Path) -> Watched:
    """Play all cameras, which are clips, to their ends. Raises RuntimeError if one cannot be seen."""
    with TemporaryDirectory() as folder:
        return _watch(_config(cameras, rules, mirror, folder))


def _config(
    cameras: dict[str, dict[str, Any]], rules: list[dict[str, Any]], mirror: Path, folder: str
) -> Any:
    tree = {
        "site": "bench",
        "device": "bench",
        "state_dir": folder,
        "detector": {"fallback": "none"},
        "cameras": cameras,
        "rules": rules,
        "mqtt": {"host": "127.0.0.1"},
        "models": {"mirrors": [str(mirror.resolve())]},
    }
    return parse(yaml.safe_dump(tree), "bench")


def _watch(config: Any) -> Watched:
    gst.start()
    clock = SystemClock()
    board = HealthBoard(clock)
    observations: Channel[Observation] = Channel(100_000)
    store = ModelStore(config.models.dir or default_root(), config.models.mirrors)
    register = _Register()
    seeing = Seeing(
        config, clock, board, load_catalog(), store, observations, register, lambda _counts: True, Notices()
    )
    thinkers, sources = (_threads(stages, board, clock) for stages in (seeing.thinkers(), seeing.sources()))
    try:
        _start(thinkers)
        _wait(board, lambda: board.part("vision").state is State.OK)
        started = time.process_time()
        _start(sources)
        cameras = [board.part(f"camera/{name}") for name in config.cameras]
        _wait(board, lambda: all(part.state is State.ENDED for part in cameras) and seeing.idle)
        cpu_s = time.process_time() - started
    finally:
        for thread in (*thinkers, *sources):
            thread.ask_to_stop()
        for thread in (*thinkers, *sources):
            thread.join(5)
    seeing.refresh()
    return Watched(
        observations.get_all(0),
        board.report(),
        cpu_s,
        dict(register.pictures),
        {name: median(late) for name, late in register.late_ns.items()},
    )


def _threads(stages: dict[str, Stage], board: HealthBoard, clock: Clock) -> list[StageThread]:
    return [StageThread(stage, board.part(name), clock) for name, stage in stages.items()]


def _start(threads: list[StageThread]) -> None:
    for thread in threads:
        thread.start()


def _wait(board: HealthBoard, done: Callable[[], bool]) -> None:
    """Raises RuntimeError if anything does not do its work."""
    while not done():
        for name, told in board.report().items():
            if told["state"] == State.DEGRADED.value and not _is_overload(told["reason"]):
                raise RuntimeError(f"{name}: {told['reason']}")
        time.sleep(_POLL_S)


def _is_overload(reason: str) -> bool:
    """A machine that is slow today still does its work, only less often."""
    return reason.startswith("analysed ")
