"""Which real people the detectors find at all, standing and lying, and how wide their boxes are.

The figures are those of docs/accuracy.md, "A person who is down".
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeguard.config.rules import PersonDown
from edgeguard.types import Frame, PixelFormat
from tests.support.falls import POSTURES, still
from tools.bench_detector import load_detector

CONFIDENCE = 0.5
"""From which a detection begins a track unless told otherwise."""
UPRIGHT = {"standing": 10, "walking": 2, "bending": 2, "falling": 2}


@pytest.mark.parametrize(
    ("model", "low"),
    [
        ("yolox-nano-416", {"crouched": 0, "on the floor, curled up": 0, "on the floor, stretched out": 0}),
        (
            "yolox-nano-384x640",
            {"crouched": 1, "on the floor, curled up": 0, "on the floor, stretched out": 2},
        ),
        ("yolox-nano-640", {"crouched": 1, "on the floor, curled up": 0, "on the floor, stretched out": 2}),
    ],
)
def test_who_is_found_and_how_wide(mirror: Path, model: str, low: dict[str, int]) -> None:
    """Each still and its mirror image; the surest person of each."""
    found = ratios(mirror, model)
    assert {posture: len(found[posture]) for posture in POSTURES} == {**UPRIGHT, **low}
    limit = PersonDown.model_fields["ratio"].default
    on_the_floor = [ratio for posture in found if "floor" in posture for ratio in found[posture]]
    others = [ratio for posture in found if "floor" not in posture for ratio in found[posture]]
    assert max(others) < 0.7 * limit
    assert min(on_the_floor, default=limit * 2) > 2 * limit - 1e-9


def ratios(mirror: Path, model: str) -> dict[str, list[float]]:
    detector = load_detector(model, mirror, CONFIDENCE, 0.45)
    person, found = detector.labels.index("person"), defaultdict(list)
    for posture, numbers in POSTURES.items():
        for picture in (still(mirror, number) for number in numbers):
            for pixels in (picture, np.ascontiguousarray(cv2.flip(picture, 1), np.uint8)):
                frame = Frame("still", 0, 0, 0, 0, 640, 480, PixelFormat.BGR, (pixels,))
                (seen,) = detector.detect([frame])
                people = seen[seen.class_id == person]
                if len(people):
                    left, top, right, bottom = people.xyxy[int(np.argmax(people.confidence))].tolist()
                    found[posture].append((right - left) / (bottom - top))
    return found
