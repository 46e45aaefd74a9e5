"""A guard that watches and hears the scenes notices what happens in them, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.models.onnx_cpu import OnnxSession
from edgeguard.rules import Crowd, LineCrossed, Loitering, Rule, ZoneEntered, ZoneLeft
from edgeguard.speech.sounds import SoundTagger
from edgeguard.synth import Scene
from edgeguard.synth.truth import CROWD_COUNT, LOITERING_S
from edgeguard.types import AudioChunk, Detections, Frame, Phase, PixelFormat
from edgeguard.vision.detector import Detector
from edgeguard.vision.motion import MotionDetector
from edgeguard.vision.tracker import Tracker
from edgeguard.vision.yolox import YoloxDetector

FPS = 5
LATE_S = 1.0
RATE_HZ = 16_000


def frame(scene: Scene, tick: int) -> Frame:
    picture = scene.picture(tick / FPS)
    height, width = picture.shape[:2]
    pts_ns = tick * 1_000_000_000 // FPS
    return Frame(
        "camera", tick, pts_ns, pts_ns, pts_ns, width, height, PixelFormat.BGR, (picture,), media_ns=pts_ns
    )


def rules(scene: Scene) -> list[Rule]:
    made: list[Rule] = []
    for name, polygon in scene.zones.items():
        made += [ZoneEntered(name, name, polygon), ZoneLeft(name, name, polygon)]
        made += [Loitering(name, name, polygon, LOITERING_S), Crowd(name, name, polygon, CROWD_COUNT, 0.1)]
    return made + [LineCrossed(name, name, line) for name, line in scene.lines.items()]


def noticed(scene: Scene, detector: Detector) -> list[tuple[str, float]]:
    """Kind and time of everything that the rules notice in one round."""
    tracker, watching, told = Tracker("camera", detector.labels), rules(scene), []
    for tick in range(48 * FPS):
        picture = frame(scene, tick)
        tracks = tracker.update(detector.detect([picture])[0], picture)
        seen = [observation for rule in watching for observation in rule.update(tracks)]
        told += [(o.kind, tick / FPS) for o in seen if o.phase in (Phase.INSTANT, Phase.BEGAN)]
    return told


@pytest.mark.parametrize("name", ["yard", "dock"])
def test_rules_notice_what_happens(name: str) -> None:
    scene = Scene.open(f"scene://{name}")
    told = sorted(noticed(scene, MotionDetector()))
    truth = sorted((event.kind, event.t_s) for event in scene.events if event.kind not in ("sound", "speech"))
    assert [kind for kind, _ in told] == [kind for kind, _ in truth]
    delays_s = [late - happened for (_, late), (_, happened) in zip(told, truth, strict=True)]
    assert all(-LATE_S < delay_s < LATE_S for delay_s in delays_s), list(zip(told, delays_s, strict=True))


@pytest.fixture(scope="module")
def yolox(mirror: Path) -> YoloxDetector:
    labels = tuple((mirror / "models/detect/coco80.names").read_text().splitlines())
    return YoloxDetector(OnnxSession(mirror / "models/detect/yolox_nano_416.onnx", "yolox"), labels, 0.4)


@pytest.mark.parametrize("name", ["yard", "dock", "hall"])
def test_a_network_takes_the_drawn_for_real(yolox: YoloxDetector, name: str) -> None:
    scene = Scene.open(f"scene://{name}")
    seen, found = 0, 0
    for tick in range(0, 48 * FPS, 4):
        detections = yolox.detect([frame(scene, tick)])[0]
        for box in scene.truth(tick / FPS):
            if box.visible > 0.9:
                seen += 1
                found += box.label in labels_near(yolox, detections, box.xyxy)
    assert found > 0.9 * seen > 0


def labels_near(detector: Detector, detections: Detections, box: tuple[float, ...]) -> set[str]:
    """Classes of the detections whose middle lies in the box and whose height is like the box's."""
    middle = (detections.xyxy[:, :2] + detections.xyxy[:, 2:]) / 2
    height = (detections.xyxy[:, 3] - detections.xyxy[:, 1]) / (box[3] - box[1])
    inside = (middle > box[:2]).all(axis=1) & (middle < box[2:]).all(axis=1)
    return {detector.labels[n] for n in detections.class_id[inside & (np.abs(height - 1) < 0.4)]}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_network_takes_the_sounds_for_real(mirror: Path, seed: int) -> None:
    names = (mirror / "models/audio/yamnet_label_list.txt").read_text().splitlines()
    tagger = SoundTagger(OnnxSession(mirror / "models/audio/yamnet.onnx", "yamnet"), names)
    samples = Scene.open(f"scene://hall?seed={seed}").sound(0, 48 * RATE_HZ)
    tags = tagger.accept(AudioChunk("hall", 0, 0, 0, 0, samples, RATE_HZ)) + tagger.finish()
    begun = {tag.tag: tag.start_pts_ns / 1e9 for tag in tags if tag.phase is Phase.BEGAN}
    assert begun == {"glass": pytest.approx(21, abs=1.1), "smoke_alarm": pytest.approx(30, abs=1.1)}
