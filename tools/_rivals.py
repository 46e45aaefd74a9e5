"""What cameras cost without us: the parts alone, and what others write."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import EndOfStreamError
from edgeguard.gst import Pipeline
from edgeguard.media import MediaOptions, connect
from edgeguard.models import ModelStore, OnnxSession, default_root, load_catalog

MODEL = "yolox-nano-416"
SIDE = 416


@cache
def session(mirror: Path) -> OnnxSession:
    store = ModelStore(default_root(), [mirror])
    return OnnxSession(store.path(load_catalog().card(MODEL)), MODEL)


def seconds_of(clip: Path) -> float:
    capture = cv2.VideoCapture(str(clip))
    return float(capture.get(cv2.CAP_PROP_FRAME_COUNT) / capture.get(cv2.CAP_PROP_FPS))


def frame_rate(clip: Path) -> float:
    return float(cv2.VideoCapture(str(clip)).get(cv2.CAP_PROP_FPS))


def decode(clip: Path, cameras: int, _fps: float, _mirror: Path) -> int:
    """Every picture of every camera decoded by the same decoder and thrown away, without a word of Python.

    The sink takes pictures where the decoder left them, as ours does; one that does not costs a copy each.
    """
    pipelines = []
    for number in range(cameras):
        pipeline = Pipeline(f"decode-{number}")
        sink = pipeline.add_appsink(sync=False, lossless=False)
        connect(pipeline, clip.as_uri(), "video", sink.element, MediaOptions())
        pipelines.append(pipeline)
    for pipeline in pipelines:
        pipeline.play()
    while pipelines:
        time.sleep(0.02)
        pipelines = [pipeline for pipeline in pipelines if not _has_ended(pipeline)]
    return 0


def inference(clip: Path, cameras: int, fps: float, mirror: Path) -> int:
    """The session alone, as often as there are pictures to analyse."""
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, SIDE, SIDE)).astype(np.float32)
    count = round(seconds_of(clip) * fps) * cameras
    for _ in range(count):
        session(mirror).infer({"images": picture})
    return count


def plain_opencv(clip: Path, cameras: int, fps: float, mirror: Path) -> int:
    """What a user would write; it decodes every picture but converts only those that it looks at."""
    captures = [cv2.VideoCapture(str(clip)) for _ in range(cameras)]
    every = captures[0].get(cv2.CAP_PROP_FPS) / fps
    count = number = 0
    while all([capture.grab() for capture in captures]):  # noqa: C419 - each must step
        if number >= count / cameras * every:
            for capture in captures:
                _look(np.asarray(capture.retrieve()[1], np.uint8), mirror)
                count += 1
        number += 1
    return count


def rawpipe(clip: Path, cameras: int, fps: float, mirror: Path) -> int:
    """One ffmpeg per camera that writes raw I420 at the analysed rate into a pipe, and a copy per picture, as
    Frigate does it. Raises RuntimeError without ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise RuntimeError("ffmpeg is not installed: `apt-get install ffmpeg`, or `--without rawpipe`")
    capture = cv2.VideoCapture(str(clip))
    width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    command = [program, "-v", "error", "-threads", "1", "-i", str(clip), "-r", str(fps), "-f", "rawvideo"]
    count = 0
    with ExitStack() as stack:
        pipes = [
            stack.enter_context(
                subprocess.Popen([*command, "-pix_fmt", "yuv420p", "pipe:"], stdout=subprocess.PIPE)
            )
            for _ in range(cameras)
        ]
        while pipes:
            for pipe in list(pipes):
                assert pipe.stdout is not None
                raw = pipe.stdout.read(width * height * 3 // 2)
                if len(raw) < width * height * 3 // 2:
                    pipes.remove(pipe)
                    continue
                planes = np.frombuffer(raw, np.uint8).reshape(height * 3 // 2, width).copy()
                _look(np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2BGR_I420), np.uint8), mirror)
                count += 1
    return count


def _has_ended(pipeline: Pipeline) -> bool:
    try:
        pipeline.check()
    except EndOfStreamError:
        pipeline.stop()
        return True
    return False


def _look(picture: NDArray[np.uint8], mirror: Path) -> None:
    """Resize, infer, threshold and NMS."""
    height, width = picture.shape[:2]
    ratio = min(SIDE / height, SIDE / width)
    small = cv2.resize(picture, (round(width * ratio), round(height * ratio)))
    padded = np.full((SIDE, SIDE, 3), 114, np.uint8)
    padded[: small.shape[0], : small.shape[1]] = small
    tensor = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
    _boxes(session(mirror).infer({"images": tensor})["output"][0])


def _boxes(output: NDArray[np.float32]) -> list[int]:
    """The rows that are left after thresholds and NMS, as most examples do it."""
    scores = output[:, 4:5] * output[:, 5:]
    sure = scores.max(1) > 0.1
    rows, best = output[sure], scores[sure].max(1)
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, 2:4]], 1)
    return list(cv2.dnn.NMSBoxes(corners.tolist(), best.tolist(), 0.1, 0.45))
