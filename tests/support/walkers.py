"""A drawn clip in which dark figures walk through a picture, and a configuration that notices them.

Made by the test itself, so that what ought to happen is known: each walker passes two lines and one zone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.clips import encode

WIDTH, HEIGHT, FPS = 320, 180, 10
WALKERS = ((0.6, 110, 5.0), (3.0, 90, 6.5), (5.4, 120, 5.5))
"""When each sets out (s), on which row its head is (px), and its pace (px per frame)."""
SECONDS = 13.0
BODY = (16, 44)
"""Width and height, px."""
ZONE = [[0.38, 0.3], [0.62, 0.3], [0.62, 1.0], [0.38, 1.0]]
LINES = {"west": 0.22, "east": 0.78}
"""Where each stands, as a share of the width."""
MASK = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.2], [0.0, 0.2]]
"""The upper fifth, in which nobody walks and nothing is drawn."""
PASSED = ("zone_entered", "zone_left", "line_crossed", "line_crossed")
"""The alerts of each walker, in any order."""


def pictures(seconds: float = SECONDS) -> list[NDArray[np.uint8]]:
    """(h, w, 3) BGR at `FPS`."""
    rng = np.random.default_rng(7)
    ground = cv2.GaussianBlur(rng.integers(110, 190, (HEIGHT, WIDTH, 3), np.uint8), (9, 9), 0)
    return [_picture(ground, n) for n in range(round(seconds * FPS))]


def make_walk(path: Path, *, seconds: float = SECONDS, sound: Path | None = None) -> Path:
    """The clip as mp4 (H.264, and AAC of the WAV file `sound`)."""
    return encode(path, pictures(seconds), FPS, sound)


def camera(url: str, **other: Any) -> dict[str, Any]:
    """The configuration of a camera that looks at the walk."""
    return {
        "url": url,
        "analyse_fps": FPS,
        "zones": {"pen": {"polygon": ZONE}},
        "lines": {name: {"start": [x, 1.0], "end": [x, 0.35]} for name, x in LINES.items()},
        **other,
    }


def rules(camera_name: str, copies: int = 1) -> list[dict[str, Any]]:
    """Rules by which every walker raises the alerts of `PASSED`, as often as there are `copies`."""
    return [rule for copy in range(copies) for rule in _rules(camera_name, f"{camera_name}{copy or ''}")]


def _rules(camera_name: str, name: str) -> list[dict[str, Any]]:
    common = {"camera": camera_name, "cooldown_s": 0}
    return [
        {"kind": "zone_entered", "name": f"{name}-in", "zone": "pen", "severity": "alarm", **common},
        {"kind": "zone_left", "name": f"{name}-out", "zone": "pen", "severity": "info", **common},
        *({"kind": "line_crossed", "name": f"{name}-{line}", "line": line, **common} for line in LINES),
    ]


def _picture(ground: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    picture = ground.copy()
    for start_s, top, pace in WALKERS:
        left = round((number - start_s * FPS) * pace) - BODY[0]
        if number >= start_s * FPS and left < WIDTH:
            cv2.rectangle(picture, (left, top), (left + BODY[0], top + BODY[1]), (30, 25, 20), -1)
    return picture
