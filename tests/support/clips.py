"""Small clips made on the spot by GStreamer's test sources."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_ENCODERS = {
    "h264": "x264enc speed-preset=ultrafast key-int-max=10 ! h264parse ! mp4mux name=mux",
    "mjpeg": "jpegenc ! avimux name=mux",
}


def make_clip(
    path: Path,
    *,
    seconds: float = 4,
    fps: int = 10,
    size: tuple[int, int] = (322, 242),
    codec: str = "h264",
    tone_hz: int | None = None,
) -> Path:
    """A moving test picture, with a tone if asked for."""
    width, height = size
    picture = f"video/x-raw,format=I420,width={width},height={height},framerate={fps}/1"
    sound = ""
    if tone_hz:
        buffers = round(seconds * 44_100 / 1024)
        sound = (
            f"audiotestsrc num-buffers={buffers} freq={tone_hz} volume=0.5 ! "
            "audio/x-raw,rate=44100,channels=2 ! queue ! avenc_aac ! aacparse ! mux. "
        )
    line = (
        f"gst-launch-1.0 -q videotestsrc pattern=ball num-buffers={round(seconds * fps)} ! {picture} ! "
        f"queue ! {_ENCODERS[codec]} ! filesink location={path} {sound}"
    )
    subprocess.run(line.split(), check=True, timeout=60)
    return path


def encode(path: Path, pictures: list[NDArray[np.uint8]], fps: int, sound: Path | None = None) -> Path:
    """Pictures (h, w, 3) BGR as mp4 (H.264, and AAC of the WAV file `sound`)."""
    height, width = pictures[0].shape[:2]
    audio = (
        f"filesrc location={sound} ! wavparse ! audioconvert ! audioresample ! avenc_aac ! aacparse ! mux."
    )
    line = (
        f"gst-launch-1.0 -q fdsrc fd=0 ! rawvideoparse format=bgr width={width} height={height} "
        f"framerate={fps}/1 ! videoconvert ! video/x-raw,format=I420 ! queue ! "
        f"x264enc speed-preset=ultrafast tune=zerolatency key-int-max=10 ! h264parse ! "
        f"mp4mux name=mux ! filesink location={path} {audio if sound else ''}"
    )
    data = b"".join(picture.tobytes() for picture in pictures)
    subprocess.run(line.split(), input=data, check=True, timeout=60)
    return path


def make_tone(path: Path, *, seconds: float = 2, tone_hz: int = 440, rate_hz: int = 44_100) -> Path:
    """A stereo WAV file with one tone."""
    line = (
        f"gst-launch-1.0 -q audiotestsrc num-buffers={round(seconds * rate_hz / 1024)} freq={tone_hz} "
        f"volume=0.5 ! audio/x-raw,rate={rate_hz},channels=2 ! wavenc ! filesink location={path}"
    )
    subprocess.run(line.split(), check=True, timeout=60)
    return path
