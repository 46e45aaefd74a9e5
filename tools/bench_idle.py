"""What the daemon costs while nothing happens: four quiet cameras and a microphone.

    python tools/bench.py idle [--seconds 60] [--cameras 4] [--only rtsp rtsp-gate scene]

`edgeguard run` as a process of its own, with a mosquitto, a rule on people for each camera and one on sounds.
`rtsp` are network cameras that show an empty room at 1080 rows with a sensor's noise (H.264, 2 s between
keyframes), each served by GStreamer's RTSP server in a process that is not counted; `rtsp-gate` are the same
with `gate: auto`; `scene` are drawn halls of 640 x 360, in which people walk, and drawing is counted. The
microphone is a recording of a quiet yard.

The CPU time is that of the daemon's process over `--seconds`, after all parts are well and `WARM_S` more, in
percent of one core; memory is taken at the end: RSS, and PSS, which counts what is shared by its share.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import tempfile
import time
import wave
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from _cases import load_cases
from _chaos_watch import HealthWatch, Sample
from _gate_clips import Recipe, Script, quiet_clip
from _programs import EDGEGUARD, Mosquitto, Program, free_port, wait_for, write_yaml
from _soak_reconnect import Camera
from _soak_site import RATE_HZ

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
WARM_S = 20.0
"""A gate has learnt by then what is usual, and models have run."""
VARIANTS = ("rtsp", "rtsp-gate", "scene")
_WHOLE = [[0.01, 0.01], [0.99, 0.01], [0.99, 0.99], [0.01, 0.99]]
_TICKS_S = os.sysconf("SC_CLK_TCK")
Json = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=60.0, help="over which is measured (%(default)s)")
    parser.add_argument("--cameras", type=int, default=4, help="how many (%(default)s)")
    parser.add_argument("--only", choices=VARIANTS, nargs="+", default=list(VARIANTS), help="these alone")
    parser.add_argument("--mirror", type=Path, default=MIRROR, help="clips and models (%(default)s)")


def run(args: argparse.Namespace) -> dict[str, object]:
    """Each variant's figures, and the machine on which they hold."""
    figures = {name: _measure(name, args) for name in args.only}
    return {
        "seconds": args.seconds,
        "cameras": args.cameras,
        "microphones": 1,
        "variants": figures,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {_processor()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def _measure(variant: str, args: argparse.Namespace) -> Json:
    with tempfile.TemporaryDirectory(prefix="edgeguard-idle-") as folder, ExitStack() as stack:
        home = Path(folder)
        broker = stack.enter_context(Mosquitto(home))
        broker.start()
        urls = _urls(variant, args, home, stack)
        health_port = free_port()
        config = _config(urls, variant, args.mirror, broker.port, health_port, _recording(home / "yard.wav"))
        path = write_yaml(home / "edgeguard.yaml", config)
        daemon = stack.enter_context(Program("edgeguard", [*EDGEGUARD, "run", str(path)], home))
        daemon.start()
        pid = daemon.process.pid
        watch = stack.enter_context(HealthWatch(health_port, lambda: pid))
        _await_wellness(watch)
        time.sleep(WARM_S)
        return {**_figures(pid, args.seconds), **_what_ran(watch.now)}


def _urls(variant: str, args: argparse.Namespace, home: Path, stack: ExitStack) -> list[str]:
    if variant == "scene":
        return [f"scene://hall?width=640&height=360&seed={seed}" for seed in range(args.cameras)]
    (case,) = load_cases(["hall"])
    clip = quiet_clip(case.find(args.mirror), Script(24.0, height=1080), Recipe("h264", 2.0))
    cameras = [Camera(f"camera-{number}", clip, home) for number in range(args.cameras)]
    for camera in cameras:
        stack.enter_context(camera).serve()
    return [f"rtsp://127.0.0.1:{camera.port}/clip" for camera in cameras]


def _config(
    urls: list[str], variant: str, mirror: Path, broker_port: int, health_port: int, recording: Path
) -> Json:
    names = [f"camera-{number}" for number in range(len(urls))]
    gate = {"gate": "auto"} if variant == "rtsp-gate" else {}
    return {
        "site": "idle",
        "device": "guard-1",
        "state_dir": "state",
        "models": {"dir": "models", "mirrors": [str(mirror)]},
        "cameras": {
            name: {"url": url, "zones": {"all": {"polygon": _WHOLE}}, **gate}
            for name, url in zip(names, urls, strict=True)
        },
        "microphones": {"yard": {"url": recording.as_uri(), "loop": True, "speech": False}},
        "rules": [
            *(
                {"kind": "zone_entered", "name": f"{name}-in", "camera": name, "zone": "all"}
                | {"classes": ["person"]}
                for name in names
            ),
            {"kind": "sound", "name": "alarm", "tags": ["smoke_alarm", "glass"]},
        ],
        "mqtt": {"host": "127.0.0.1", "port": broker_port},
        "health": {"http_port": health_port},
    }


def _recording(path: Path) -> Path:
    """A minute of a quiet yard in which nobody speaks."""
    samples = np.random.default_rng(1).normal(0, 0.001, 60 * RATE_HZ)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((samples * 32_767).astype("<i2").tobytes())
    return path


def _await_wellness(watch: HealthWatch) -> None:
    try:
        wait_for(lambda: watch.now.is_well, "every part is well", 90)
    except RuntimeError as error:
        unwell = {name: part for name, part in (watch.now.parts or {}).items() if part["state"] != "ok"}
        raise RuntimeError(f"{error}: {unwell}") from None


def _figures(pid: int, seconds: float) -> Json:
    began_s, used_s = time.monotonic(), _cpu_s(pid)
    time.sleep(seconds)
    share = (_cpu_s(pid) - used_s) / (time.monotonic() - began_s)
    memory = _memory_kib(pid)
    return {
        "cpu_percent_of_a_core": round(100 * share, 1),
        "rss_mib": round(memory["Rss"] / 1024),
        "pss_mib": round(memory["Pss"] / 1024),
        "threads": len([*Path(f"/proc/{pid}/task").iterdir()]),
    }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def _memory_kib(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {name: int(value.split()[0]) for name, value in (line.split(":") for line in lines)}


def _what_ran(sample: Sample) -> Json:
    """Whose work is in the figures."""
    parts = sample.parts or {}
    cameras = [part for name, part in parts.items() if name.startswith("camera/")]
    return {
        "detector": parts.get("detector", {}).get("model"),
        "analysed_per_s": round(sum(part.get("rate_per_s", 0) for part in cameras), 1),
        "sounds": parts.get("sounds", {}).get("model") or parts.get("sounds", {}).get("state"),
        "alerts": parts.get("outbox", {}).get("committed"),
        "is_well": sample.is_well,
    }


def _processor() -> str:
    found = subprocess.run(["lscpu"], capture_output=True, text=True, check=False).stdout
    return next(
        (line.split(":")[1].strip() for line in found.splitlines() if line.startswith("Model name")),
        "unknown",
    )
