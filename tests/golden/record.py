"""Writes `observations.jsonl` anew: `python -m tests.golden.record`.

What the rules notice in one round of the drawn yard and dock, found by motion, and the breaking glass when it
breaks. It is the input of the golden replay: write it anew only where the replay must see something new.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeguard.capture import SceneFrameSource
from edgeguard.clock import ManualClock
from edgeguard.rules import Crowd, LineCrossed, Loitering, Presence, Rule, ZoneEntered, ZoneLeft
from edgeguard.runtime.journal import to_line
from edgeguard.synth import Scene
from edgeguard.types import Observation, Phase
from edgeguard.vision.motion import MotionDetector
from edgeguard.vision.tracker import Tracker

OBSERVATIONS = Path(__file__).with_name("observations.jsonl")
START_NS = 1_000_000_000_000
FPS = 5


def main() -> None:
    yard, dock = (Scene.open(f"scene://{name}?width=320&height=180") for name in ("yard", "dock"))
    noticed = [*_see(yard, "yard", _yard_rules(yard)), *_see(dock, "dock", _dock_rules(dock)), *_hear(yard)]
    noticed.sort(key=lambda observation: observation.pts_ns)
    OBSERVATIONS.write_text("".join(f"{to_line(observation)}\n" for observation in noticed))


def _yard_rules(scene: Scene) -> list[Rule]:
    zone = scene.zones["restricted"]
    return [
        ZoneEntered("restricted-entered", "restricted", zone),
        ZoneLeft("restricted-left", "restricted", zone),
        Loitering("restricted-loitering", "restricted", zone, 8.0),
        LineCrossed("gate-passed", "gate", scene.lines["gate"]),
        Presence("restricted", zone),
    ]


def _dock_rules(scene: Scene) -> list[Rule]:
    return [
        Crowd("bay-crowd", "bay", scene.zones["bay"], 3, 1.0),
        LineCrossed("lane-used", "lane", scene.lines["lane"]),
    ]


def _see(scene: Scene, camera: str, rules: Sequence[Rule]) -> Iterator[Observation]:
    source = SceneFrameSource(camera, scene, ManualClock(START_NS), FPS, lambda _: None, realtime=False)
    detector, tracker = MotionDetector(), Tracker(camera, MotionDetector.labels)
    source.open()
    for _ in range(round(scene.duration_s * FPS)):
        frame = source.read(1.0)
        assert frame is not None
        (detections,) = detector.detect([frame])
        tracks = tracker.update(detections, frame)
        for rule in rules:
            yield from rule.update(tracks)


def _hear(scene: Scene) -> Iterator[Observation]:
    """The glass, as a tagger would tell it."""
    clock = ManualClock(START_NS)
    for event in scene.events:
        if event.kind == "sound":
            for phase, after_s in ((Phase.BEGAN, 0.5), (Phase.ENDED, 2.0)):
                pts_ns = START_NS + round((event.t_s + after_s) * 1e9)
                yield Observation(
                    "sound",
                    "yard-mic",
                    pts_ns,
                    pts_ns + clock.utc_offset_ns,
                    0.8,
                    phase,
                    "glass-heard",
                    event.name,
                    label=event.name,
                )


if __name__ == "__main__":
    main()
