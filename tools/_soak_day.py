"""A day of a site with two cameras and two microphones, as fast as it can be worked through.

All stages between the sources and the outbox are the daemon's own, stepped by hand with a clock that is set:
two hearing stages, what joins and what decides, and picture beside sound. What cameras notice is drawn from a
seed. The yard's microphone gives every chunk of the day, to a recogniser that only pretends; the hall's gives
real sounds, for a share of each minute, to whatever models are installed: the last line says which. Outbox,
broker, evidence and the models of the cameras are left out.

Memory is this process's; its growth is that from after the first fifth of the day to its end.
"""

from __future__ import annotations

import argparse
import gc
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from _soak_site import CHUNK_NS, RATE_HZ, Hall, Voice, Yard, drawn_sound, real_sounds

from edgeguard.clock import ManualClock
from edgeguard.config import Config
from edgeguard.config.loading import parse
from edgeguard.runtime import alerting, hearing
from edgeguard.runtime.alerting import AlertStage
from edgeguard.runtime.assembly.fusing import fuser, policy
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.hearing import HearingStage
from edgeguard.types import Alert, AudioChunk, Observation, Phase

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).parents[2] / "shared"))
_READINGS = 30
"""Of memory, in the whole run."""
_ALLOWED_KIB = 20_000
_SITE: dict[str, Any] = {
    "site": "soak",
    "device": "day",
    "mqtt": {"host": "127.0.0.1"},
    "cameras": {
        name: {"url": f"rtsp://192.0.2.{n}/a", "zones": {"dock": {"polygon": [[0, 0], [1, 0], [1, 1]]}}}
        for n, name in enumerate(("gate", "yard"), 1)
    },
    "microphones": {"hall-mic": {"url": "file://day.wav"}, "yard-mic": {"url": "file://day.wav"}},
    "speech": {"keywords": [{"phrase": "help"}, {"phrase": "stop it"}]},
    "rules": [
        {"kind": "zone_entered", "name": "dock-entered", "camera": "gate", "zone": "dock"},
        {"kind": "loitering", "name": "dock-loitering", "camera": "yard", "zone": "dock", "dwell_s": 30},
        {"kind": "keyword", "name": "help-called", "microphone": "yard-mic"},
        {"kind": "sound", "name": "anything-heard"},
    ],
    "patterns": [
        {"kind": "together", "name": "help-near-person", "of": [{"kind": "keyword"}, {"kind": "presence"}]},
        {
            "kind": "sequence",
            "name": "in-then-help",
            "steps": [{"kind": "zone_entered"}, {"kind": "keyword"}],
        },
        {"kind": "repeated", "name": "in-and-in", "of": {"kind": "zone_entered"}, "count": 4},
        {"kind": "absent", "name": "nobody", "of": {"kind": "presence"}, "for_s": 300},
        {"kind": "witnessed", "name": "really", "rule": "dock-loitering", "by": [{"kind": "keyword"}]},
    ],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hours", type=float, default=24, help="of the site's time")
    parser.add_argument("--model-seconds", type=float, default=2, help="of each minute that models hear")
    parser.add_argument("--seed", type=int, default=1, help="of what happens")


def run(args: argparse.Namespace) -> dict[str, object]:
    """The figures of one run."""
    # Nobody puts anything in while a stage waits.
    hearing.STEP_S = alerting.STEP_S = 0.0  # type: ignore[attr-defined]
    with TemporaryDirectory(prefix="edgeguard-soak-") as folder:
        return Day(_config(Path(folder)), args).run()


def _config(folder: Path) -> Config:
    (folder / "day.wav").touch()
    tree = {**_SITE, "state_dir": str(folder), "models": {"dir": str(folder), "mirrors": [str(MIRROR)]}}
    return parse(yaml.safe_dump(tree), "day", folder)


class Day:
    """The site, and what happens there."""

    def __init__(self, config: Config, args: argparse.Namespace) -> None:
        self._minutes = max(round(args.hours * 60), 5)
        self._model_chunks = round(args.model_seconds * 10)
        self._random = np.random.default_rng(args.seed)
        self._clock = clock = ManualClock(now_ns=1_000_000_000)
        self._board = HealthBoard(clock)
        self._observations: Channel[Observation] = Channel(10_000)
        self.noticed, self.told = Counter[str](), Counter[str]()
        self._chunks = Counter[str]()
        self._track = 0
        self._voices = {
            "hall-mic": Voice(real_sounds(MIRROR)),
            "yard-mic": Voice([drawn_sound(self._random)]),
        }
        self._hall = Hall(MIRROR, config, clock, self._board, self._observations)
        self._yard = Yard(config, clock, self._board, self._observations)
        self._alerts = AlertStage(
            self._observations,
            fuser(config),
            policy(config, clock),
            None,
            self._tell,
            lambda _alert: (),
            None,
            self._board.part("alerts"),
            clock,
        )

    def run(self) -> dict[str, object]:
        begin_s = time.monotonic()
        stages = (self._hall.stage, self._yard.stage, self._alerts)
        for stage in stages:
            stage.open()
        held = []
        for minute in range(self._minutes):
            self._live_a_minute()
            if minute % max(self._minutes // _READINGS, 1) == 0:
                held.append(_held())
        for stage in stages:
            stage.close()
        self._alerts.finish()
        return self._figures(held, round(time.monotonic() - begin_s))

    def _live_a_minute(self) -> None:
        seen = sorted(self._seen(), key=lambda one: one.pts_ns)
        for number in range(600):
            self._clock.now_ns += CHUNK_NS
            self._yard.see(self._clock.now_ns, moves=bool(self._random.random() < 0.02))
            self._hear("yard-mic", self._yard.chunks, self._yard.stage)
            if number < self._model_chunks:
                self._hear("hall-mic", self._hall.chunks, self._hall.stage)
            while seen and seen[0].pts_ns <= self._clock.now_ns:
                self._observations.put(seen.pop(0))
            if len(self._observations) or number % 10 == 0:
                self._decide()

    def _hear(self, name: str, chunks: Channel[AudioChunk], stage: HearingStage) -> None:
        at_ns = self._clock.now_ns - CHUNK_NS
        samples = self._voices[name].next()
        number = at_ns // CHUNK_NS
        chunks.put(AudioChunk(name, number, at_ns, at_ns, self._clock.now_ns, samples, RATE_HZ))
        stage.step()
        self._chunks[name] += 1

    def _decide(self) -> None:
        self._alerts.step()
        while len(self._observations):
            self._alerts.step()

    def _seen(self) -> Iterator[Observation]:
        """What the cameras notice in the next minute: each person has a number of his own."""
        for _ in range(self._random.poisson(1.5)):
            self._track += 1
            camera, begin_s = str(self._random.choice(["gate", "yard"])), float(self._random.uniform(0, 40))
            kind, rule = (
                ("zone_entered", "dock-entered") if camera == "gate" else ("loitering", "dock-loitering")
            )
            phases = [Phase.INSTANT] if camera == "gate" else [Phase.BEGAN, Phase.CONTINUES, Phase.ENDED]
            for late, phase in enumerate(phases):
                yield self._observation(kind, camera, begin_s + 5 * late, phase, rule)
            for second in range(int(self._random.integers(2, 15))):
                yield self._observation("presence", camera, begin_s + second, Phase.CONTINUES, None)

    def _observation(
        self, kind: str, camera: str, after_s: float, phase: Phase, rule: str | None
    ) -> Observation:
        at_ns = self._clock.now_ns + round(after_s * 1e9)
        self.noticed[kind] += 1
        key = "picture" if rule is None else str(self._track)
        return Observation(
            kind,
            camera,
            at_ns,
            at_ns + self._clock.utc_offset_ns,
            0.8,
            phase,
            rule,
            key,
            zone="dock" if rule else "picture",
            track_ids=(self._track,),
            label="person",
        )

    def _tell(self, alert: Alert) -> None:
        self.told[alert.state.value] += 1

    def _figures(self, held: list[tuple[int, int]], took_s: int) -> dict[str, object]:
        first, last = held[len(held) // 5 :][:5], held[-5:]
        rss_kib, objects = (round(median(r[n] for r in last) - median(r[n] for r in first)) for n in (0, 1))
        report = self._board.report()
        return {
            "hours": round(self._minutes / 60, 2),
            "observations": report["alerts"]["observations"],
            "alerts": self.told.total(),
            "opened": self.told["opened"],
            "chunks": self._chunks.total(),
            "chunks_by_models": self._chunks["hall-mic"],
            "real": {part: _model(report[part]) for part in ("sounds", "speech")},
            "drawn": "what cameras notice; the yard's words",
            "rss_growth_kib": rss_kib,
            "object_growth": objects,
            "rss_kib": held[-1][0],
            "took_s": took_s,
            "failed": rss_kib > _ALLOWED_KIB or not self.told.total(),
        }


def _model(part: dict[str, Any]) -> str:
    return str(part.get("model") or f"{part['state']}: {part['reason']}")


def _held() -> tuple[int, int]:
    """Resident KiB and living objects of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024, len(gc.get_objects())
