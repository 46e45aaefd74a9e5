"""CPU time of the way from a camera to observations, beside its parts alone and beside a plain loop.

    python tools/bench.py pipeline [--clip FILE] [--fps 5] [--rounds 5]

Four programs take turns on the same clip, each in a process of its own: the daemon's stages (capture, vision
with letterbox, detector, tracker and rules); decoding alone with the same decoder; inference alone on as many
pictures; and the loop that a user would write (`cv2.VideoCapture`, resize, the same session and decoding of
its output). Figures are CPU-seconds per second of video, medians over the rounds, without the time to start
and to load; ratios are medians of each round's ratio. All run on one CPU, where no program slows itself down
by sharing a core between its own threads.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.capture import GstFrameSource
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError
from edgeguard.gst import Pipeline
from edgeguard.media import MediaOptions, connect
from edgeguard.models import ModelStore, OnnxSession, default_root, load_catalog
from edgeguard.rules import LineCrossed, Loitering, Rule, ZoneEntered
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.health import HealthBoard, State
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.sight import Eye, Watch
from edgeguard.runtime.sources import SourceStage
from edgeguard.runtime.stage import StageThread
from edgeguard.runtime.vision import VisionStage
from edgeguard.types import Frame, Line, Observation
from edgeguard.vision.tracker import Tracker
from edgeguard.vision.yolox import YoloxDetector

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
CLIP = MIRROR / "data/video/retail02_short_1080p_hevc.mp4"
MODEL = "yolox-nano-416"
WHOLE = ((0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clip", type=Path, default=CLIP, help="video file (%(default)s)")
    parser.add_argument("--fps", type=float, default=5.0, help="pictures analysed a second (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take medians over (%(default)s)")
    parser.add_argument("--only", choices=sorted(PROGRAMS), help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> dict[str, object]:
    """CPU-seconds per video-second: ours, decode, inference, their sum `limit`, plain_opencv, ratios."""
    if args.only:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        return dict(PROGRAMS[args.only](args.clip, args.fps))
    rounds = [
        {name: _in_its_own_process(name, args.clip, args.fps) for name in PROGRAMS}
        for _ in range(args.rounds)
    ]
    costs = [{name: one["cpu_s"] / one["video_s"] for name, one in turn.items()} for turn in rounds]
    for cost in costs:
        cost["limit"] = cost["decode"] + cost["inference"]
    cpu = {name: round(median(cost[name] for cost in costs), 4) for name in costs[0]}
    return {
        "clip": args.clip.name,
        "frames": round(rounds[0]["ours"]["frames"]),
        "frames_per_cpu_s": round(args.fps / cpu["ours"], 2),
        **cpu,
        "ours_over_limit": round(median(cost["ours"] / cost["limit"] for cost in costs), 3),
        "ours_over_plain": round(median(cost["ours"] / cost["plain_opencv"] for cost in costs), 3),
    }


def _in_its_own_process(name: str, clip: Path, fps: float) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).with_name("bench.py")), "pipeline", "--json"]
    options = ["--clip", str(clip), "--fps", str(fps), "--only", name]
    done = subprocess.run([*command, *options], check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _session() -> OnnxSession:
    store = ModelStore(default_root(), [MIRROR])
    return OnnxSession(store.path(load_catalog().card(MODEL)), MODEL)


def _labels() -> tuple[str, ...]:
    return load_catalog().card(MODEL).labels


def ours(clip: Path, fps: float) -> dict[str, float]:
    """The daemon's own stages, each on its thread."""
    clock = SystemClock()
    board = HealthBoard(clock)
    frames: Channel[Frame] = Channel(3, WhenFull.WAIT)
    observations: Channel[Observation] = Channel(1000)
    detector = YoloxDetector(_session(), _labels(), 0.1)
    analysed: list[int] = []

    def watch(camera: str, labels: tuple[str, ...]) -> Watch:
        rules: list[Rule] = [
            ZoneEntered("entered", "all", WHOLE),
            Loitering("lingers", "all", WHOLE, 5.0),
            LineCrossed("crossed", "middle", Line((0.5, 1.0), (0.5, 0.0))),
        ]
        return Watch(Tracker(camera, labels), rules)

    class Counting(Shelf):
        def put(self, view: object, keep: bool) -> None:
            analysed.append(view.frame.media_ns)  # type: ignore[attr-defined]
            super().put(view, keep)  # type: ignore[arg-type]

    eye = Eye(frozenset({"clip"}), lambda: detector, None, board.part("detector"))
    vision = VisionStage(frames, observations, [eye], watch, Counting(), board.part("vision"), clock)
    source = GstFrameSource("clip", clip.as_uri(), clock, fps, realtime=False)
    camera = SourceStage("capture-clip", source, frames, board.part("camera"))
    threads = [
        StageThread(vision, board.part("vision"), clock),
        StageThread(camera, board.part("camera"), clock),
    ]
    started = time.process_time()
    for thread in threads:
        thread.start()
    while board.part("camera").state is not State.ENDED or len(frames):
        time.sleep(0.02)
    for thread in threads:
        thread.ask_to_stop()
    for thread in threads:
        thread.join(5)
    return _figures(started, len(analysed), analysed[-1] / 1e9 + 1 / fps)


def decode(clip: Path, fps: float) -> dict[str, float]:
    """Every picture decoded by the same decoder and thrown away, without a word of Python."""
    pipeline = Pipeline("decode")
    sink = pipeline.add("fakesink", sync=False)
    started = time.process_time()
    connect(pipeline, clip.as_uri(), "video", sink, MediaOptions())
    pipeline.play()
    while True:
        try:
            pipeline.check()
        except EndOfStreamError:
            break
        time.sleep(0.05)
    pipeline.stop()
    return _figures(started, 0, _seconds(clip))


def inference(clip: Path, fps: float) -> dict[str, float]:
    """The session alone, as often as there are pictures to analyse."""
    session = _session()
    seconds = _seconds(clip)
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 416, 416)).astype(np.float32)
    count = round(seconds * fps)
    started = time.process_time()
    for _ in range(count):
        session.infer({"images": picture})
    return _figures(started, count, seconds)


def plain_opencv(clip: Path, fps: float) -> dict[str, float]:
    """What a user would write; it decodes every picture but converts only those that it looks at."""
    session = _session()
    capture = cv2.VideoCapture(str(clip))
    every = capture.get(cv2.CAP_PROP_FPS) / fps
    started = time.process_time()
    number = count = 0
    while capture.grab():
        if number >= count * every:
            count += 1
            _, picture = capture.retrieve()
            height, width = picture.shape[:2]
            ratio = min(416 / height, 416 / width)
            small = cv2.resize(picture, (round(width * ratio), round(height * ratio)))
            padded = np.full((416, 416, 3), 114, np.uint8)
            padded[: small.shape[0], : small.shape[1]] = small
            tensor = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
            _boxes(session.infer({"images": tensor})["output"][0])
        number += 1
    return _figures(started, count, _seconds(clip))


def _boxes(output: NDArray[np.float32]) -> list[int]:
    """The rows that are left after thresholds and NMS, as most examples do it."""
    scores = output[:, 4:5] * output[:, 5:]
    sure = scores.max(1) > 0.1
    rows, best = output[sure], scores[sure].max(1)
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], 1)
    return list(cv2.dnn.NMSBoxes(corners.tolist(), best.tolist(), 0.1, 0.45))


def _figures(started: float, frames: int, video_s: float) -> dict[str, float]:
    return {"cpu_s": time.process_time() - started, "frames": frames, "video_s": video_s}


def _seconds(clip: Path) -> float:
    capture = cv2.VideoCapture(str(clip))
    return float(capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS))


PROGRAMS: dict[str, Callable[[Path, float], dict[str, float]]] = {
    "ours": ours,
    "decode": decode,
    "inference": inference,
    "plain_opencv": plain_opencv,
}
