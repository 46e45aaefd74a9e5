"""What the demo guards: real clips where there are some, else drawn scenes."""

from __future__ import annotations

import wave
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from edgeguard.config.environment import models_folder
from edgeguard.errors import EdgeGuardError
from edgeguard.models import ModelStore, default_root, load_catalog
from edgeguard.models.download import Progress
from edgeguard.synth.sound import FIRE, HELP_ME

_CLIPS = "data/video"
_RATE_HZ = 16_000
_BACKGROUND = "data/audio/noise/office_ambience.wav"
_SOUNDS = ((10.0, "data/audio/events/glass_break_2.wav"), (30.0, "data/audio/events/dog.wav"))
"""When something is heard in the hall: glass while somebody is at the table, later a dog."""
_SAID = ((38.0, HELP_ME), (42.0, FIRE))


@dataclass(frozen=True, slots=True)
class DemoSite:
    """A configuration without its broker and folders."""

    title: str
    config: dict[str, Any]


def choose_site(
    mirror: Path | None,
    folder: Path,
    say: Callable[[str], object],
    progress: Progress,
    *,
    drawn: bool = False,
) -> DemoSite:
    """The site to show: real clips of the mirror, unless there are none or it shall be `drawn`.

    `folder` takes the sound that is put together for it.
    """
    real = mirror is not None and (mirror / _CLIPS).is_dir() and not drawn
    site = _clips(mirror, folder) if mirror and real else _scenes()
    site.config["models"] = {"mirrors": [str(mirror)] if mirror else []}
    model = site.config.setdefault("detector", {}).setdefault("model", "yolox-nano-416")
    if model != "motion" and not _has(model, mirror, say, progress):
        say(f"{model} is not here, so whatever moves counts: the model-free `motion` detector")
        site.config["detector"] = {"model": "motion"}
        for rule in site.config["rules"]:
            rule.pop("classes", None)
    return site


def _clips(mirror: Path, folder: Path) -> DemoSite:
    sound = folder.absolute() / "hall.wav"
    _compose(mirror, sound)
    text = _text("demo_clips.yaml").replace("{clips}", str(mirror / _CLIPS)).replace("{sound}", str(sound))
    return DemoSite("real clips", yaml.safe_load(text))


def _scenes() -> DemoSite:
    return DemoSite("drawn scenes", yaml.safe_load(_text("demo_scenes.yaml")))


def _text(name: str) -> str:
    return (files("edgeguard.cli") / name).read_text(encoding="utf-8")


def _has(model: str, mirror: Path | None, say: Callable[[str], object], progress: Progress) -> bool:
    """Whether the model is installed, after an attempt to install it if need be."""
    card = load_catalog().card(model)
    try:
        store = ModelStore(models_folder() or default_root(), [mirror] if mirror else [])
        if store.installed(card):
            return True
        say(f"Fetching {card.title}. It comes under {card.licence}: {card.licence_url}")
        say(f"By running the demo you accept this licence; {store.root} keeps a note of it.")
        store.accept(card)
        store.pull(card, progress=progress)
    except EdgeGuardError as error:
        say(str(error))
        return False
    return True


def _compose(mirror: Path, target: Path) -> None:
    """A minute in the hall: quiet office sound, in which something happens twice, and somebody calls."""
    track = np.float32(0.5) * _read(mirror / _BACKGROUND)
    for at_s, name in _SOUNDS:
        _lay(track, at_s, _read(mirror / name))
    for at_s, voice in _SAID:
        spoken = voice.make(np.random.default_rng(), voice.duration_s, _RATE_HZ)
        _lay(track, at_s, np.asarray(0.4 * spoken, np.float32))
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(_RATE_HZ)
        out.writeframes((np.clip(track, -1, 1) * 32_767).astype("<i2").tobytes())


def _lay(track: NDArray[np.float32], at_s: float, sound: NDArray[np.float32]) -> None:
    start = round(at_s * _RATE_HZ)
    end = min(start + len(sound), len(track))
    track[start:end] += sound[: end - start]


def _read(path: Path) -> NDArray[np.float32]:
    with wave.open(str(path), "rb") as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return np.asarray(samples / 32_768, np.float32)
