"""Whether pictures of a camera, or of a stream made here, come to the GPU without touching the host."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeguard.capture import GstFrameSource
from edgeguard.capture.tiers import Tiers
from edgeguard.clock import Clock
from edgeguard.cuda.ledger import Crossings
from edgeguard.errors import DependencyError, EndOfStreamError, SourceError
from edgeguard.gst import Pipeline, available
from edgeguard.runtime.doctor.finding import Finding, fault, fine
from edgeguard.types import Memory

_ENCODERS = ("x264enc", "openh264enc", "nvv4l2h264enc", "nvh264enc")
_POOL = 32
"""No decoder has more buffers; more registrations say that the cache does not hold."""
_SILENT_S = 15.0
_CROSSED = (
    "no decoder of this box leaves its pictures on the GPU, or one of the libraries around it is missing",
    "see the checks before this one; without a GPU that decodes, nothing: the CPU does it",
)


def frames(url: str, tiers: Tiers, clock: Clock, count: int) -> Finding:
    """Read `count` frames, giving each back at once."""
    source = GstFrameSource("doctor", url, clock, analyse_fps=60.0, realtime=False, tiers=tiers)
    memories: dict[Memory, int] = {}
    begun_ns = clock.monotonic_ns()
    try:
        source.open()
        _read(source, memories, count, clock)
    except (SourceError, DependencyError) as error:
        return unread(str(error))
    finally:
        source.close()
    took_s = (clock.monotonic_ns() - begun_ns) / 1e9
    return judged(memories, tiers, took_s)


def judged(memories: dict[Memory, int], tiers: Tiers, took_s: float) -> Finding:
    """What the ledger says of frames that lay in those memories."""
    crossed, total = tiers.ledger.read(), sum(memories.values())
    figures = {
        **crossed.as_measures(),
        "frames": total,
        "memory": {memory.value: number for memory, number in memories.items()},
        "decoder": None if tiers.tier is None else tiers.tier.value,
        "frames_per_s": round(total / max(took_s, 1e-9), 1),
    }
    problem = _problem(memories, tiers.reason, crossed)
    if problem is None:
        return fine("frames", f"{total} frames, and none touched the host", figures=figures)
    return fault("frames", problem, *_CROSSED, figures=figures)


def unread(problem: str) -> Finding:
    """No frames could be had at all."""
    return fault("frames", problem, "the stream cannot be made or read here", "name another camera's URL")


def _problem(memories: dict[Memory, int], reason: str | None, crossed: Crossings) -> str | None:
    on_host = memories.get(Memory.HOST, 0)
    if not memories:
        return "no frame came"
    if on_host:
        why = reason or "this box has no decoder whose pictures stay on the GPU"
        return f"{on_host} of {sum(memories.values())} frames came through the host: {why}"
    if not crossed.is_zero_copy:
        return "bytes of pictures crossed between host and GPU"
    if crossed.registrations > _POOL:
        return (
            f"{crossed.registrations} buffers were registered: the decoder's buffers are not recognised again"
        )
    return None


def _read(source: GstFrameSource, memories: dict[Memory, int], count: int, clock: Clock) -> None:
    last_ns = clock.monotonic_ns()
    while sum(memories.values()) < count:
        try:
            frame = source.read(1.0)
        except EndOfStreamError:
            return
        if frame is not None:
            last_ns = clock.monotonic_ns()
            memories[frame.memory] = memories.get(frame.memory, 0) + 1
            if frame.hold is not None:
                frame.hold.release()
        elif (clock.monotonic_ns() - last_ns) / 1e9 > _SILENT_S:
            raise SourceError(f"no frame for {_SILENT_S:.0f} s")


def make_stream(folder: Path, count: int, wait: Callable[[float], object]) -> str:
    """The URL of a clip of H.264 that is made here. DependencyError without an encoder."""
    encoder = next(iter(sorted(available(_ENCODERS), key=_ENCODERS.index)), None)
    if encoder is None:
        raise DependencyError(
            "GStreamer has no encoder of H.264 to make a test stream with: name a camera's URL"
        )
    path = folder / "stream.mkv"
    pipeline = Pipeline("doctor-stream")
    elements = [
        pipeline.add("videotestsrc", num_buffers=count, pattern="ball"),
        pipeline.add_caps("video/x-raw,format=I420,width=640,height=368,framerate=30/1"),
        pipeline.add(encoder),
        pipeline.add("h264parse"),
        pipeline.add("matroskamux"),
        pipeline.add("filesink", location=str(path)),
    ]
    pipeline.link(*elements)
    pipeline.play()
    try:
        while True:
            pipeline.check()
            wait(0.05)
    except EndOfStreamError:
        return path.as_uri()
    finally:
        pipeline.stop()
