"""CPU time of the way from cameras to observations, beside its parts alone and beside what others write.

    python tools/bench.py capture [--clip FILE] [--cameras 1 8] [--fps 5] [--seconds 8] [--rounds 2]

Programs take turns on the same clip, each in a process of its own with so many cameras: the daemon's stages
(capture, vision with letterbox, detector, tracker and three rules); decoding alone with the same decoder, and
inference alone on as many pictures, whose sum is the limit; the loop that a user would write
(`cv2.VideoCapture`, `grab`, resize, the same session); and one ffmpeg per camera that writes raw pictures
into a pipe, as Frigate does.

Figures are CPU-seconds per second of one camera's video with child processes, medians over the rounds,
without the time to start and to load; ratios are medians of each round's ratio. All run on one CPU, where no
program slows itself down by sharing a core between its own threads.

Ours leaves out of decoding the pictures that no other needs and nobody would look at, and so may take less
than the limit on a stream with B-frames, as the clip has; `ours_over_limit_no_b` is the same ratio on that
clip encoded without any, as most cameras send. `python_ms_per_frame` is the CPU time of our threads outside
of the calls that decode and infer, per picture that a camera sends, measured in a run of its own;
`python_parts_ms` says for what, each part without those within it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import _rivals
from _gate_clips import CACHE, Recipe
from _python_share import NOT_OURS, metered
from _stages import watch

MIRROR = Path(os.environ.get("EDGEGUARD_MIRROR", Path(__file__).resolve().parent.parent.parent / "shared"))
CLIP = MIRROR / "data/video/retail02_short_1080p_hevc.mp4"
WHOLE = [[0.02, 0.02], [0.98, 0.02], [0.98, 0.98], [0.02, 0.98]]
LINE = {"start": [0.5, 1.0], "end": [0.5, 0.0]}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clip", type=Path, default=CLIP, help="video file (%(default)s)")
    parser.add_argument("--cameras", type=int, nargs="+", default=[1, 8], help="how many (%(default)s)")
    parser.add_argument("--fps", type=float, default=5.0, help="pictures analysed a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of the clip (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2, help="rounds to take medians over (%(default)s)")
    parser.add_argument("--mirror", type=Path, default=MIRROR, help="where models are (%(default)s)")
    parser.add_argument("--without", choices=sorted(RIVALS), nargs="+", default=[], help="leave these out")
    parser.add_argument("--only", choices=sorted({*PROGRAMS, "python"}), help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> dict[str, object]:
    """Ratios and Python's share at the highest number of cameras, and the figures for each number."""
    if args.only:
        return _play(args)
    clip = cut(args.clip, args.seconds)
    rivals = [name for name in PROGRAMS if name not in args.without]
    counts = {count: _count(args, clip, count, rivals) for count in sorted(args.cameras)}
    most = max(counts)
    names = [name for name in counts[most] if name.startswith("ours_over")]
    no_b = _count(args, without_b(clip), most, ["ours", "decode", "inference"])
    return {
        **{name: counts[most][name] for name in names},
        "ours_over_limit_no_b": no_b["ours_over_limit"],
        "cameras": most,
        **_python(args, clip, most),
        "by_cameras": counts,
        "clip": args.clip.name,
        "analysed_fps": args.fps,
    }


def cut(clip: Path, seconds: float) -> Path:
    """The first `seconds` of a clip, not encoded again."""
    target = CACHE / f"{clip.stem}-{seconds:g}s.mkv"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        frames = round(seconds * _rivals.frame_rate(clip))
        line = (
            f"gst-launch-1.0 -q filesrc location={clip} ! parsebin ! identity eos-after={frames + 1} ! "
            f"matroskamux ! filesink location={unfinished}"
        )
        subprocess.run(line.split(), check=True, timeout=60)
        unfinished.rename(target)
    return target


def without_b(clip: Path) -> Path:
    """The same pictures, encoded so that each is predicted from the one before it."""
    target = clip.with_name(f"{clip.stem}-no-b.mkv")
    if not target.exists():
        unfinished = target.with_suffix(f".{os.getpid()}")
        recipe = Recipe("h265")
        line = (
            f"gst-launch-1.0 -q filesrc location={clip} ! decodebin ! videoconvert ! "
            f"{recipe.encoder(_rivals.frame_rate(clip))} ! h265parse ! matroskamux ! "
            f"filesink location={unfinished}"
        )
        subprocess.run(line.split(), check=True, timeout=120)
        unfinished.rename(target)
    return target


def _count(args: argparse.Namespace, clip: Path, cameras: int, programs: list[str]) -> dict[str, float]:
    rounds = [
        {name: _in_its_own_process(args, clip, cameras, name) for name in programs}
        for _ in range(args.rounds)
    ]
    video_s = _rivals.seconds_of(clip) * cameras
    costs = [{name: one["cpu_s"] / video_s for name, one in turn.items()} for turn in rounds]
    for cost in costs:
        if {"decode", "inference"} <= set(cost):
            cost["limit"] = cost["decode"] + cost["inference"]
    figures = {name: round(median(cost[name] for cost in costs), 4) for name in costs[0]}
    for name, ratio in (("limit", "limit"), ("plain_opencv", "plain"), ("rawpipe", "rawpipe")):
        if name in costs[0]:
            figures[f"ours_over_{ratio}"] = round(median(one["ours"] / one[name] for one in costs), 3)
    return figures


def _python(args: argparse.Namespace, clip: Path, cameras: int) -> dict[str, object]:
    """The least of the rounds: other programs on the machine only ever add."""
    frames = _rivals.seconds_of(clip) * _rivals.frame_rate(clip) * cameras
    rounds = [_in_its_own_process(args, clip, cameras, "python") for _ in range(args.rounds)]
    parts = min(rounds, key=lambda one: sum(one.values()))
    dearest = sorted(parts, key=lambda name: -parts[name])
    return {
        "python_ms_per_frame": round(1000 * sum(parts.values()) / frames, 3),
        "python_parts_ms": {name: round(1000 * parts[name] / frames, 3) for name in dearest},
    }


def _in_its_own_process(args: argparse.Namespace, clip: Path, cameras: int, name: str) -> dict[str, float]:
    command = [sys.executable, str(Path(__file__).with_name("bench.py")), "capture", "--json", "--only", name]
    options = [
        "--clip",
        str(clip),
        "--cameras",
        str(cameras),
        "--fps",
        str(args.fps),
        "--mirror",
        str(args.mirror),
    ]
    done = subprocess.run([*command, *options], stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise RuntimeError(f"{name} with {cameras} cameras failed; see above")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _play(args: argparse.Namespace) -> dict[str, object]:
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    (cameras,) = args.cameras
    if args.only == "ours":
        return ours(args.clip, cameras, args.fps, args.mirror)
    if args.only == "python":
        with metered() as meter:
            ours(args.clip, cameras, args.fps, args.mirror)
        return {name: used_ns / 1e9 for name, used_ns in meter.used_ns().items() if name not in NOT_OURS}
    _rivals.session(args.mirror)
    before = _cpu_s()
    count = RIVALS[args.only](args.clip, cameras, args.fps, args.mirror)
    return {"cpu_s": _cpu_s() - before, "pictures": count}


def _cpu_s() -> float:
    """Of this process and the children that it has waited for."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


def ours(clip: Path, cameras: int, fps: float, mirror: Path) -> dict[str, object]:
    """The daemon's own stages, each on its thread."""
    camera = {
        "url": clip.as_uri(),
        "pace": "fast",
        "analyse_fps": fps,
        "zones": {"all": {"polygon": WHOLE}},
        "lines": {"middle": LINE},
    }
    names = [f"c{number}" for number in range(cameras)]
    rules = [rule for name in names for rule in _rules(name)]
    watched = watch(dict.fromkeys(names, camera), rules, mirror)
    return {"cpu_s": watched.cpu_s, "pictures": sum(watched.pictures.values())}


def _rules(camera: str) -> list[dict[str, object]]:
    return [
        {"kind": "zone_entered", "name": f"{camera}-entered", "camera": camera, "zone": "all"},
        {"kind": "loitering", "name": f"{camera}-lingers", "camera": camera, "zone": "all", "dwell_s": 5.0},
        {"kind": "line_crossed", "name": f"{camera}-crossed", "camera": camera, "line": "middle"},
    ]


RIVALS: dict[str, Callable[[Path, int, float, Path], int]] = {
    "decode": _rivals.decode,
    "inference": _rivals.inference,
    "plain_opencv": _rivals.plain_opencv,
    "rawpipe": _rivals.rawpipe,
}
PROGRAMS = ("ours", *RIVALS)
