"""A camera that is killed, frozen, corrupted, cut off, refused and changed, and must come back each time.

The camera is GStreamer's RTSP server in a process of its own; between it and the daemon's own source stage
(its thread, its retries, its watchdogs) stands a proxy. Each cycle does one fault of the rotation to a camera
that gives pictures, mends it, and takes the time until the third picture that comes then. Memory and file
descriptors are those of this process, which holds the stage, compared after the warm-up and at the end.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from _programs import Program, answers, end_on_sigterm, free_port, wait_for
from _proxy import Proxy

from edgeguard.capture import GstFrameSource, Patience
from edgeguard.clock import SystemClock
from edgeguard.errors import SourceError
from edgeguard.media import MediaOptions
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.health import HealthBoard, Part
from edgeguard.runtime.sources import SourceStage
from edgeguard.runtime.stage import StageThread
from edgeguard.types import Frame

ROOT = Path(__file__).parents[1]
_LADDER_S = (0.05, 0.1, 0.2, 0.4)
_PATIENCE = Patience(connect_s=1.5, stall_s=0.5, preroll_s=2.0)
_RECOVERY_S = 30.0
_WINDOW = 20
"""Readings of memory whose median counts, at either end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--cycles", type=int, default=30, help="disconnects and reconnects")
    parser.add_argument("--seed", type=int, default=1, help="of what is corrupted")


def run(args: argparse.Namespace) -> dict[str, object]:
    """The figures of one run."""
    end_on_sigterm()
    with tempfile.TemporaryDirectory(prefix="edgeguard-soak-") as folder, ExitStack() as stack:
        site = stack.enter_context(Site(Path(folder), args.seed))
        return Soak(site).run(args.cycles)


class Camera(Program):
    """An RTSP server that shows one clip for ever."""

    def __init__(self, name: str, clip: Path, folder: Path) -> None:
        self.port = free_port()
        command = [
            sys.executable,
            "-m",
            "tests.support.rtsp_server",
            str(clip),
            "--loop",
            "--port",
            str(self.port),
        ]
        super().__init__(name, command, folder, {"PYTHONPATH": str(ROOT)})

    def serve(self) -> None:
        """Returns once it takes connections."""
        self.start()
        wait_for(lambda: answers(self.port), f"{self.name} answers", 20.0, 0.01)


class Site:
    """Two cameras of different size and codec, the proxy before them, and the stage that watches."""

    def __init__(self, folder: Path, seed: int) -> None:
        clips = [_clip(folder, "small", 320, 240, "h264"), _clip(folder, "large", 480, 352, "h265")]
        self.cameras = [Camera(f"camera-{number}", clip, folder) for number, clip in enumerate(clips)]
        self.proxy = Proxy(self.cameras[0].port, seed)
        self.frames: Channel[Frame] = Channel(1)
        clock = SystemClock()
        self.part: Part = HealthBoard(clock).part("camera/soak")
        self._clock = clock

    @property
    def camera(self) -> Camera:
        """The one that the proxy leads to."""
        return next(camera for camera in self.cameras if camera.port == self.proxy.target)

    def __enter__(self) -> Site:
        for camera in self.cameras:
            camera.serve()
        self.proxy.__enter__()
        url = f"rtsp://127.0.0.1:{self.proxy.port}/clip"
        options = MediaOptions(latency_ms=20)
        source = GstFrameSource("soak", url, self._clock, 60, patience=_PATIENCE, options=options)
        self.stage = SourceStage("camera-soak", source, self.frames, self.part, silent_s=0.5)
        self.thread = StageThread(self.stage, self.part, self._clock, _LADDER_S)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.ask_to_stop()
        self.thread.join(10)
        self.proxy.__exit__(None, None, None)
        for camera in self.cameras:
            camera.kill9()


class Soak:
    """One cycle after the other."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._rotation = [self._kill, self._freeze, self._corrupt, self._change, self._teardown, self._refuse]

    def run(self, cycles: int) -> dict[str, object]:
        begin_s = time.monotonic()
        recovered: list[float] = []
        held: list[tuple[int, int]] = []
        unrecovered: Counter[str] = Counter()
        self._await_frames(5)
        for number in range(cycles):
            fault = self._rotation[number % len(self._rotation)]
            took_s = self._cycle(fault)
            if took_s is None:
                unrecovered[fault.__name__.strip("_")] += 1
            else:
                recovered.append(took_s)
            held.append(_held())
        first = held[len(held) // 5 :][:_WINDOW]
        rss_kib, files = (
            round(median(one[n] for one in held[-_WINDOW:]) - median(one[n] for one in first)) for n in (0, 1)
        )
        return {
            "cycles": cycles,
            "recovered": len(recovered),
            "rss_growth_kib": rss_kib,
            "fd_growth": files,
            "recovery_p99_s": round(_percentile(recovered, 0.99), 2),
            "recovery_p50_s": round(_percentile(recovered, 0.5), 2),
            "unrecovered": dict(unrecovered),
            "took_s": round(time.monotonic() - begin_s),
            "failed": len(recovered) < cycles,
        }

    def _cycle(self, fault: Callable[[], None]) -> float | None:
        """Seconds from mended to seen; None if nothing was seen any more."""
        fault()
        mended_s = time.monotonic()
        return None if not self._await_frames(3) else time.monotonic() - mended_s

    def _await_frames(self, count: int) -> bool:
        self._site.frames.get_all(0)
        deadline_s = time.monotonic() + _RECOVERY_S
        while count and time.monotonic() < deadline_s:
            count -= self._site.frames.get(0.1) is not None
        return count == 0

    def _await_silence(self) -> None:
        """Nothing comes any more, or the stage has given the connection up."""
        failures = self._failures()
        deadline_s = time.monotonic() + _RECOVERY_S
        while self._failures() == failures and time.monotonic() < deadline_s:
            time.sleep(0.02)

    def _failures(self) -> int:
        return int(self._site.part.report().get("failures", 0))

    def _kill(self) -> None:
        camera = self._site.camera
        camera.kill9()
        camera.serve()

    def _freeze(self) -> None:
        camera = self._site.camera
        camera.freeze()
        self._await_silence()
        camera.thaw()

    def _corrupt(self) -> None:
        self._site.proxy.corruption = 0.5
        time.sleep(0.5)
        self._site.proxy.corruption = 0.0
        self._site.proxy.reset()

    def _change(self) -> None:
        """The same address shows another size and codec."""
        proxy, cameras = self._site.proxy, self._site.cameras
        proxy.target = cameras[1].port if proxy.target == cameras[0].port else cameras[0].port
        proxy.reset()

    def _teardown(self) -> None:
        self._site.proxy.end()

    def _refuse(self) -> None:
        proxy = self._site.proxy
        proxy.refuse = True
        proxy.reset()
        self._await_silence()
        proxy.refuse = False


def _held() -> tuple[int, int]:
    """Resident KiB and open file descriptors of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024, len([*Path("/proc/self/fd").iterdir()])


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(int(share * len(values)), len(values) - 1)] if values else float("nan")


def _clip(folder: Path, name: str, width: int, height: int, codec: str) -> Path:
    """Four seconds of a moving picture."""
    encoder = {"h264": "x264enc speed-preset=ultrafast key-int-max=25 bframes=0 ! h264parse"}.get(
        codec, "x265enc speed-preset=ultrafast key-int-max=25 ! h265parse"
    )
    path = folder / f"{name}.mp4"
    line = (
        "gst-launch-1.0 -q videotestsrc pattern=ball num-buffers=100 ! "
        f"video/x-raw,format=I420,width={width},height={height},framerate=25/1 ! "
        f"{encoder} ! mp4mux ! filesink location={path}"
    )
    done = subprocess.run(line.split(), capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SourceError(f"GStreamer cannot make a clip in {codec}: {done.stderr.strip()}")
    return path
