"""Accuracy and speed of the tracker on a sequence in MOT Challenge form, and of its peers beside it.

    python tools/bench.py tracker --data DIR     # DIR/gt/gt.txt, DIR/det/det.txt, perhaps DIR/seqinfo.ini

MOTA (CLEAR), IDF1 and HOTA by TrackEval, over the frames that have truth, all boxes being of one class.
Peers are the trackers of the library `trackers`, with its default settings, where it is installed.

The scores of public detections begin where their detector cut them off, and end where it pleases; so they
are stretched to what the tracker expects, 0..1: the lowest becomes 0, the 95th percentile 1, for all
trackers alike. `--scores raw` leaves them as they are.
"""

from __future__ import annotations

import argparse
import configparser
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Detections, Frame, PixelFormat
from edgeguard.vision.tracker import Tracker

Boxes = tuple[NDArray[Any], NDArray[Any]]
"""Of one frame: ids (n,), xyxy (n, 4)."""


@dataclass(frozen=True)
class Sequence:
    """What was there and what a detector saw, frame by frame."""

    truth: list[Boxes]
    detections: list[Detections]
    frames: list[Frame]
    """Without pictures."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder of the sequence")
    parser.add_argument("--fps", type=float, help="frame rate (from seqinfo.ini, else 25)")
    parser.add_argument(
        "--scores", choices=("stretched", "raw"), default="stretched", help="to 0..1, or not (%(default)s)"
    )
    parser.add_argument("--passes", type=int, default=9, help="for the time per frame (%(default)s)")


def run(args: argparse.Namespace) -> dict[str, object]:
    return main(args.data, args.fps, args.scores == "raw", args.passes)


def main(
    data: Path, fps: float | None = None, raw_scores: bool = False, passes: int = 9
) -> dict[str, object]:
    """Figures of the tracker, and of each peer under `peers`."""
    sequence = read(data, fps, raw_scores)
    figures: dict[str, object] = {**measure(Own, sequence, passes)}
    peers = {name: measure(maker, sequence, passes) for name, maker in peer_makers().items()}
    return {**figures, "peers": peers} if peers else figures


class Contender(Protocol):
    """A tracker with its own types; only `update` is timed."""

    def prepare(self, detections: Detections, frame: Frame) -> Any: ...

    def update(self, prepared: Any) -> Any: ...

    def boxes(self, tracked: Any) -> Boxes: ...


class Own:
    def __init__(self) -> None:
        self._tracker = Tracker("bench", ("thing",))

    def prepare(self, detections: Detections, frame: Frame) -> Any:
        return detections, frame

    def update(self, prepared: Any) -> Any:
        return self._tracker.update(*prepared)

    def boxes(self, tracked: Any) -> Boxes:
        return tracked.track_id, tracked.xyxy


class Peer:
    """A tracker of the library `trackers`, and the class of the detections that it takes."""

    def __init__(self, tracker: Any, detections_class: Any) -> None:
        self._tracker, self._detections_class = tracker, detections_class

    def prepare(self, detections: Detections, _frame: Frame) -> Any:
        return self._detections_class(
            detections.xyxy, confidence=detections.confidence, class_id=detections.class_id
        )

    def update(self, prepared: Any) -> Any:
        return self._tracker.update(prepared)

    def boxes(self, tracked: Any) -> Boxes:
        shown = tracked.tracker_id >= 0
        return tracked.tracker_id[shown], tracked.xyxy[shown]


def peer_makers() -> dict[str, Callable[[], Contender]]:
    """Empty where the library is not installed."""
    try:
        import supervision
        import trackers
    except ImportError:
        return {}
    theirs = supervision.Detections
    return {
        "ByteTrack": lambda: Peer(trackers.ByteTrackTracker(), theirs),
        "SORT": lambda: Peer(trackers.SORTTracker(), theirs),
        # Compensating the motion of the camera would need the pictures.
        "BoT-SORT": lambda: Peer(trackers.BoTSORTTracker(enable_cmc=False), theirs),
    }


def measure(maker: Callable[[], Contender], sequence: Sequence, passes: int) -> dict[str, float]:
    """Accuracy, and the median over the passes of the mean time per frame."""
    times_us = []
    for _ in range(passes):
        contender = maker()
        prepared = list(map(contender.prepare, sequence.detections, sequence.frames))
        began = time.perf_counter()
        tracked = [contender.update(item) for item in prepared]
        times_us.append((time.perf_counter() - began) * 1e6 / len(prepared))
    figures = accuracy(sequence.truth, [contender.boxes(item) for item in tracked])
    return {**figures, "us_per_frame": round(median(times_us), 1)}


def accuracy(truth: list[Boxes], tracked: list[Boxes]) -> dict[str, float]:
    from trackeval.metrics import CLEAR, HOTA, Identity

    quiet = {"PRINT_CONFIG": False}
    data = comparison(truth, tracked)
    return {
        "mota": round(float(CLEAR(quiet).eval_sequence(data)["MOTA"]), 4),
        "idf1": round(float(Identity(quiet).eval_sequence(data)["IDF1"]), 4),
        "hota": round(float(np.mean(HOTA().eval_sequence(data)["HOTA"])), 4),
    }


def comparison(truth: list[Boxes], tracked: list[Boxes]) -> Mapping[str, Any]:
    """TrackEval's form: ids counted from 0, and the IoU of everything with everything, frame by frame."""
    gt_ids, gt_count = renumbered([ids for ids, _ in truth])
    tracker_ids, tracker_count = renumbered([ids for ids, _ in tracked])
    return {
        "num_timesteps": len(truth),
        "gt_ids": gt_ids,
        "num_gt_ids": gt_count,
        "num_gt_dets": sum(map(len, gt_ids)),
        "tracker_ids": tracker_ids,
        "num_tracker_ids": tracker_count,
        "num_tracker_dets": sum(map(len, tracker_ids)),
        "similarity_scores": [iou(a, b) for (_, a), (_, b) in zip(truth, tracked, strict=True)],
    }


def renumbered(ids: list[NDArray[Any]]) -> tuple[list[NDArray[np.intp]], int]:
    known = np.unique(np.concatenate(ids)) if ids else np.zeros(0)
    return [np.searchsorted(known, frame_ids) for frame_ids in ids], len(known)


def iou(a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.float64]:
    """(n, m) of boxes (n, 4) and (m, 4)."""
    a, b = a[:, None].astype(np.float64), b[None].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    common = np.maximum(sides, 0).prod(axis=-1)
    areas = (a[..., 2:] - a[..., :2]).prod(axis=-1) + (b[..., 2:] - b[..., :2]).prod(axis=-1)
    overlap: NDArray[np.float64] = common / np.maximum(areas - common, 1e-9)
    return overlap


def read(data: Path, fps: float | None, raw_scores: bool) -> Sequence:
    """The frames up to the last one with truth."""
    truth = rows(truth_file(data))
    truth = truth[truth[:, 6] != 0]  # 0: not to be counted
    detected = rows(data / "det" / "det.txt")
    if not raw_scores:
        detected[:, 6] = stretched(detected[:, 6])
    info = sequence_info(data)
    width = int(info.get("imWidth", np.ceil(detected[:, 4].max())))
    height = int(info.get("imHeight", np.ceil(detected[:, 5].max())))
    numbers = range(1, int(truth[:, 0].max()) + 1)
    interval_ns = 1e9 / (fps or float(info.get("frameRate", 25)))
    return Sequence(
        truth=[(found[:, 1].astype(np.int64), found[:, 2:6]) for found in by_frame(truth, numbers)],
        detections=[as_detections(found) for found in by_frame(detected, numbers)],
        frames=[blank_frame(number, round(number * interval_ns), width, height) for number in numbers],
    )


def truth_file(data: Path) -> Path:
    """`gt/gt.txt`, or the only text file there."""
    files = sorted((data / "gt").glob("*.txt"))
    named = data / "gt" / "gt.txt"
    if named not in files and len(files) != 1:
        raise SystemExit(f"{data} holds no gt/gt.txt: --data must be the folder of one MOT sequence")
    return named if named in files else files[0]


def rows(file: Path) -> NDArray[np.float64]:
    """Frame, id, x1, y1, x2, y2, score, ... of every line."""
    table = np.loadtxt(file, delimiter=",", ndmin=2)
    table[:, 4:6] += table[:, 2:4]
    return table


def stretched(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = scores.min(), np.percentile(scores, 95)
    return np.clip((scores - low) / (high - low), 0, 1) if high > low else np.ones_like(scores)


def sequence_info(data: Path) -> Mapping[str, str]:
    info = configparser.ConfigParser()
    info.read(data / "seqinfo.ini")
    return info["Sequence"] if info.has_section("Sequence") else {}


def by_frame(table: NDArray[np.float64], numbers: range) -> list[NDArray[np.float64]]:
    return [table[table[:, 0] == number] for number in numbers]


def as_detections(found: NDArray[np.float64]) -> Detections:
    return Detections(
        found[:, 2:6].astype(np.float32), found[:, 6].astype(np.float32), np.zeros(len(found), np.int32)
    )


def blank_frame(number: int, pts_ns: int, width: int, height: int) -> Frame:
    return Frame("bench", number - 1, pts_ns, pts_ns, pts_ns, width, height, PixelFormat.BGR, planes=())
