"""Tracks made by hand."""

from __future__ import annotations

import numpy as np

from edgeguard.types import Tracks

LABELS = ("person", "car")
WIDTH, HEIGHT = 1000, 1000
SIZE = np.array((WIDTH, HEIGHT, WIDTH, HEIGHT), np.float32)
Corners = tuple[float, float, float, float]


def tracks(
    t_s: float, *things: tuple[int, float, float], label: str = "person", height: float = 0.2
) -> Tracks:
    """Tracks (id, x, y) with their feet at relative (x, y) at `t_s` seconds."""
    shaped = [(key, (x - 0.04, y - height, x + 0.04, y)) for key, x, y in things]
    return boxed(t_s, *shaped, label=label)


def boxed(t_s: float, *things: tuple[int, Corners], label: str = "person") -> Tracks:
    """Tracks (id, relative left, top, right, bottom) at `t_s` seconds."""
    n = len(things)
    return Tracks(
        source="gate",
        sequence=round(t_s * 5),
        pts_ns=round(t_s * 1e9),
        utc_ns=round(t_s * 1e9) + 1_700_000_000_000_000_000,
        width=WIDTH,
        height=HEIGHT,
        xyxy=np.array([box for _, box in things], np.float32).reshape(n, 4) * SIZE,
        confidence=np.full(n, 0.8, np.float32),
        class_id=np.full(n, LABELS.index(label), np.int32),
        track_id=np.array([thing[0] for thing in things], np.int64),
        labels=LABELS,
    )
