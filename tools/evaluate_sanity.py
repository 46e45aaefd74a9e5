"""How well tampering with a camera is noticed, and how often it is where there is none.

    python tools/evaluate_sanity.py --clips FOLDER [--sensitivity normal] [--json]

Each clip is played in a loop at two pictures a second. First it is left alone for a minute each in the
light it was taken in, in half of it, in more, and with half of it going off and on again: whatever is
noticed then is a false alarm. Then its view is tampered with in ten ways, each in a new life of 40
seconds, for 25 seconds; it must be noticed as what it is, and be over when the view is back. With
`--json` the last line is {"clips":...,"false_alarms":...,"sane_hours":...,"tamperings":...,"found":...,"
named":...,"delay_p95_s":..., "ms_per_look":...}.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeguard.types import Frame, Observation, Phase, PixelFormat
from edgeguard.vision.sanity import Sanity

FPS = 2.0
SANE_S, LEARN_S, TAMPERED_S, AFTER_S = 60, 40, 25, 15
Picture = NDArray[np.uint8]
Change = Callable[[Picture, int], Picture]
"""A BGR picture and its number since the change began."""


_NOISE = np.random.default_rng(5).normal(0, 2, (900, 800)).round().astype(np.int16)


def noisy(picture: NDArray[np.generic], number: int) -> Picture:
    """With a sensor's noise of two levels."""
    height, width = picture.shape[:2]
    y, x = number * 37 % 100, number * 61 % 100
    noise = _NOISE[y : y + height, x : x + width, None]
    return np.asarray(np.clip(picture.astype(np.int16) + noise, 0, 255), np.uint8)


def cloth(picture: Picture, number: int) -> Picture:
    height, width = picture.shape[:2]
    folds = np.random.default_rng(7).integers(60, 110, (9, 16, 3)).astype(np.uint8)
    return noisy(cv2.resize(folds, (width, height), interpolation=cv2.INTER_CUBIC), number)


def hand(picture: Picture, number: int) -> Picture:
    """Skin right before the lens, a bright rim at one side."""
    height, width = picture.shape[:2]
    shade = np.linspace(70, 150, width)[None, :, None] * np.array([0.6, 0.8, 1.0])
    return noisy(np.broadcast_to(shade, (height, width, 3)), number)


def blurred(share: float) -> Change:
    return lambda picture, n: noisy(cv2.GaussianBlur(picture, (0, 0), picture.shape[1] * share), n)


def warped(angle: float, scale: float, right: float, down: float) -> Change:
    def warp(picture: Picture, number: int) -> Picture:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, scale)
        matrix[:, 2] += (right * width, down * height)
        moved = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(moved, np.uint8)

    return warp


def frozen() -> Change:
    kept: list[Picture] = []

    def freeze(picture: Picture, number: int) -> Picture:
        if number == 0:
            kept[:] = [picture]
        return kept[0]

    return freeze


def grey(picture: Picture, number: int) -> Picture:
    luma = cv2.convertScaleAbs(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), alpha=0.9, beta=10)
    return np.asarray(cv2.merge([luma] * 3), np.uint8)


def gain(factor: float) -> Change:
    return lambda picture, number: noisy(picture * factor, number)


def flicker(picture: Picture, number: int) -> Picture:
    return noisy(picture * (0.5 if number // 30 % 2 else 1.0), number)


SANE: dict[str, Change] = {
    "as taken": noisy,
    "half the light": gain(0.5),
    "more light": gain(1.4),
    "light off and on": flicker,
}
TAMPERINGS: dict[str, tuple[str, Callable[[], Change]]] = {
    "cloth": ("covered", lambda: cloth),
    "hand": ("covered", lambda: hand),
    "black": ("too_dark", lambda: gain(0.0)),
    "dark": ("too_dark", lambda: gain(0.04)),
    "blur 1 %": ("defocused", lambda: blurred(0.01)),
    "blur 2 %": ("defocused", lambda: blurred(0.02)),
    "shift": ("moved", lambda: warped(0, 1, 0.2, 0.1)),
    "turn": ("moved", lambda: warped(15, 1.2, 0, 0)),
    "frozen": ("frozen", frozen),
    "grey": ("ir_flip", lambda: grey),
}


@dataclass(slots=True)
class Trial:
    """One camera's life, picture by picture."""

    sanity: Sanity
    name: str
    seen: list[Observation] = field(default_factory=list)
    took_s: list[float] = field(default_factory=list)
    number: int = 0

    def show(self, picture: Picture) -> None:
        frame = _frame(self.name, picture, self.number)
        self.number += 1
        begin = time.perf_counter()
        self.seen += self.sanity.update(frame)
        self.took_s.append(time.perf_counter() - begin)

    @property
    def now_s(self) -> float:
        return self.number / FPS


def _frame(name: str, picture: Picture, number: int) -> Frame:
    height, width = picture.shape[:2]
    planar = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
    luma, quarter = planar[:height], height * width // 4
    chroma = planar[height:].reshape(-1)
    u, v = (chroma[k * quarter : (k + 1) * quarter].reshape(height // 2, width // 2) for k in (0, 1))
    pts_ns = round(number / FPS * 1e9)
    return Frame(name, number, pts_ns, pts_ns, pts_ns, width, height, PixelFormat.I420, (luma, u, v))


def pictures(path: Path) -> list[Picture]:
    """Two a second, 480 pixels wide."""
    clip = cv2.VideoCapture(str(path))
    step = max(1, round(clip.get(cv2.CAP_PROP_FPS) / FPS))
    found: list[Picture] = []
    for number in itertools.count():
        if not clip.grab():
            break
        if number % step == 0:
            picture = clip.retrieve()[1]
            height = round(picture.shape[0] * 480 / picture.shape[1]) // 4 * 4
            found.append(
                np.asarray(cv2.resize(picture, (480, height), interpolation=cv2.INTER_AREA), np.uint8)
            )
    return found


def false_alarms(name: str, clip: list[Picture], sensitivity: str) -> tuple[list[str], Trial]:
    """What was noticed where nothing was; one camera lives through all lights."""
    trial, told = Trial(Sanity(name, sensitivity), name), []
    loop = itertools.cycle(clip)
    for light, change in SANE.items():
        before = len(trial.seen)
        for number in range(round(SANE_S * FPS)):
            trial.show(change(next(loop), number))
        begun = [one for one in trial.seen[before:] if one.phase is Phase.BEGAN]
        told += [f"{name}: {one.label} in {light}: {_why(one)}" for one in begun]
    return told, trial


def _why(one: Observation) -> str:
    return ", ".join(f"{measure.name} {measure.value}" for measure in one.measures)


@dataclass(frozen=True, slots=True)
class Outcome:
    clip: str
    tampering: str
    wanted: str
    noticed: tuple[str, ...]
    delay_s: float | None
    over: bool


def outcomes(name: str, clip: list[Picture], sensitivity: str) -> Iterator[Outcome]:
    for tampering, (wanted, make) in TAMPERINGS.items():
        trial, loop = Trial(Sanity(name, sensitivity), name), itertools.cycle(clip)
        for number in range(round(LEARN_S * FPS)):
            trial.show(noisy(next(loop), number))
        trial.seen.clear()
        change, begin_s = make(), trial.now_s
        for number in range(round(TAMPERED_S * FPS)):
            trial.show(
                change(
                    noisy(next(loop), number) if tampering in ("grey", "shift", "turn") else next(loop),
                    number,
                )
            )
        begun = [one for one in trial.seen if one.phase is Phase.BEGAN]
        for number in range(round(AFTER_S * FPS)):
            trial.show(noisy(next(loop), number))
        named = [one for one in begun if one.label == wanted]
        delay_s = named[0].pts_ns / 1e9 - begin_s if named else None
        ended = {one.label for one in trial.seen if one.phase is Phase.ENDED}
        labels = tuple(str(one.label) for one in begun)
        yield Outcome(name, tampering, wanted, labels, delay_s, set(labels) <= ended)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--clips", type=Path, required=True, help="folder with .mp4 files")
    parser.add_argument("--sensitivity", default="normal", choices=("low", "normal", "high"))
    parser.add_argument("--only", default="", help="clips whose name has this in it")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clips = {
        path.stem: pictures(path) for path in sorted(options.clips.glob("*.mp4")) if options.only in path.name
    }
    alarms: list[str] = []
    took_s: list[float] = []
    results: list[Outcome] = []
    for name, clip in clips.items():
        told, trial = false_alarms(name, clip, options.sensitivity)
        alarms += told
        took_s += trial.took_s
        results += outcomes(name, clip, options.sensitivity)
        _print_clip(name, told, [one for one in results if one.clip == name])
    _print_sum(clips, alarms, took_s, results, as_json=options.json)


def _print_clip(name: str, told: list[str], results: list[Outcome]) -> None:
    print(f"{name}: {len(told)} false alarms")
    for line in told:
        print(f"  false: {line}")
    for one in results:
        if one.delay_s is None or not one.over:
            print(f"  {one.tampering}: noticed {one.noticed or 'nothing'}{'' if one.over else ', not over'}")


def _print_sum(
    clips: dict[str, list[Picture]],
    alarms: list[str],
    took_s: list[float],
    results: list[Outcome],
    *,
    as_json: bool,
) -> None:
    print(f"\n{'tampering':<10} {'found':>7} {'named':>7} {'over':>6} {'delay s':>8}")
    for tampering in TAMPERINGS:
        mine = [one for one in results if one.tampering == tampering]
        found, named = sum(bool(one.noticed) for one in mine), [one.delay_s for one in mine if one.delay_s]
        delay = f"{np.median(named):8.1f}" if named else f"{'-':>8}"
        over = sum(one.over for one in mine)
        print(f"{tampering:<10} {found:>3}/{len(mine)} {len(named):>4}/{len(mine)} {over:>6} {delay}")
    delays = [one.delay_s for one in results if one.delay_s is not None]
    summary = {
        "clips": len(clips),
        "false_alarms": len(alarms),
        "sane_hours": round(len(clips) * len(SANE) * SANE_S / 3600, 2),
        "tamperings": len(results),
        "found": sum(bool(one.noticed) for one in results),
        "named": len(delays),
        "delay_p95_s": round(float(np.quantile(delays, 0.95)), 1) if delays else None,
        "ms_per_look": round(float(np.median(took_s)) * 1e3, 2),
    }
    print(json.dumps(summary) if as_json else summary)


if __name__ == "__main__":
    main()
