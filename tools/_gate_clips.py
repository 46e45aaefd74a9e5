"""Clips as a quiet camera gives them: a still scene with a sensor's noise, and then what a real clip shows.

Made once per recipe in a cache outside of the repository, from any clip that OpenCV reads.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

CACHE = Path(os.environ.get("EDGEGUARD_BENCH_CACHE", Path(tempfile.gettempdir()) / "edgeguard-bench"))
_FIELD = 256
"""How much larger than a picture the field of noise is from which each picture takes a random part."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a camera encodes."""

    codec: str = "h264"
    gop_s: float = 2.0
    kbps: int | None = None
    """Constant bit rate; None: constant quality, so that the rate follows what moves."""

    def encoder(self, fps: float) -> str:
        gop = max(1, round(self.gop_s * fps))
        if self.codec == "h264":
            rate = (
                "pass=qual quantizer=26"
                if self.kbps is None
                else f"bitrate={self.kbps} vbv-buf-capacity=1000"
            )
            return (
                f"x264enc speed-preset=veryfast bframes=0 key-int-max={gop} option-string=scenecut=0 {rate}"
            )
        rate = ":crf=28" if self.kbps is None else f":vbv-maxrate={self.kbps}:vbv-bufsize={self.kbps}"
        bitrate = "" if self.kbps is None else f"bitrate={self.kbps} "
        options = f"bframes=0:keyint={gop}:min-keyint={gop}:scenecut=0:pools=2{rate}"
        return f"x265enc speed-preset=ultrafast {bitrate}option-string={options}"

    def __str__(self) -> str:
        return f"{self.codec}-gop{self.gop_s:g}-{'vbr' if self.kbps is None else f'{self.kbps}k'}"


@dataclass(frozen=True, slots=True)
class Script:
    """What the clip shows: the first picture of the action, still, and then the action."""

    quiet_s: float
    action_s: float = 0.0
    start_s: float = 0.0
    """Where in the source the action begins."""
    height: int | None = None
    """Scaled to so many rows; None: as the source is."""
    noise: float = 2.5
    """Standard deviation of the sensor's noise in luma."""
    seed: int = 1


def quiet_clip(source: Path, script: Script, recipe: Recipe) -> Path:
    """The made clip. Raises ValueError if `source` is no clip, RuntimeError if it cannot be encoded."""
    said = repr((source.name, source.stat().st_size, astuple(script), astuple(recipe)))
    path = CACHE / f"{source.stem}-{recipe}-{hashlib.sha256(said.encode()).hexdigest()[:12]}.mp4"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        try:
            _encode(source, script, recipe, unfinished)
            unfinished.rename(path)
        finally:
            unfinished.unlink(missing_ok=True)
    return path


def _encode(source: Path, script: Script, recipe: Recipe, path: Path) -> None:
    pictures = _pictures(source, script)
    fps, width, height = next(pictures)
    exact = f"{round(fps * 1000)}/1000"
    line = (
        f"gst-launch-1.0 -q fdsrc blocksize={width * height * 3 // 2} ! rawvideoparse format=i420 "
        f"width={width} height={height} framerate={exact} ! {recipe.encoder(fps)} ! {recipe.codec}parse ! "
        f"mp4mux ! filesink location={path}"
    )
    encoder = subprocess.Popen(line.split(), stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert encoder.stdin is not None
    assert encoder.stderr is not None
    try:
        for picture in pictures:
            encoder.stdin.write(picture.tobytes())
        encoder.stdin.close()
    except BrokenPipeError:
        pass
    if encoder.wait(60) or not path.exists():
        raise RuntimeError(f"GStreamer did not encode {path.name}: {encoder.stderr.read().decode()[-500:]}")


def _pictures(source: Path, script: Script) -> Iterator:  # type: ignore[type-arg]
    """First (frames per second, width, height), then each picture as I420."""
    clip = cv2.VideoCapture(str(source))
    fps = float(clip.get(cv2.CAP_PROP_FPS))
    clip.set(cv2.CAP_PROP_POS_FRAMES, round(script.start_s * fps))
    good, first = clip.read()
    if not good or fps <= 0:
        raise ValueError(f"{source} has no picture at {script.start_s:g} s")
    size = _size(np.asarray(first, np.uint8), script.height)
    yield fps, *size
    noise = _Noise(size, script.noise, script.seed)
    still = _i420(np.asarray(first, np.uint8), size)
    for _ in range(round(script.quiet_s * fps)):
        yield noise.on(still)
    for _ in range(round(script.action_s * fps)):
        yield noise.on(_i420(np.asarray(first, np.uint8), size))
        good, first = clip.read()
        if not good:
            return


def _size(picture: NDArray[np.uint8], height: int | None) -> tuple[int, int]:
    rows, columns = picture.shape[:2]
    wanted = height or rows
    return round(columns * wanted / rows / 8) * 8, wanted // 2 * 2  # GStreamer pads other rows


def _i420(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(height * 3 / 2, width), planes below one another."""
    scaled = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_BGR2YUV_I420), np.uint8)


class _Noise:
    """A sensor's noise, another on every picture."""

    def __init__(self, size: tuple[int, int], sigma: float, seed: int) -> None:
        self._dice = np.random.default_rng(seed)
        self._width, self._height = size
        shape = self._height + _FIELD, self._width + _FIELD
        self._fields = [np.round(self._dice.normal(0, sigma, shape)).astype(np.int16) for _ in range(2)]

    def on(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy with noise on its luma."""
        y, x = self._dice.integers(0, _FIELD, 2)
        field = self._fields[self._dice.integers(2)][y : y + self._height, x : x + self._width]
        noisy: NDArray[np.uint8] = picture.copy()
        cv2.add(picture[: self._height], field, noisy[: self._height], dtype=cv2.CV_8U)
        return noisy
