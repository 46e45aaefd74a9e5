"""Somebody lies and "help" is called: real pictures, a real voice model, the daemon and a broker."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.alerts.strict import assert_valid
from tests.conftest import REPOSITORY
from tests.support.broker import Broker
from tests.support.clips import encode
from tests.support.daemon import Box, Listener, settings
from tests.support.falls import higher, still
from tests.support.sound import RATE_HZ, join, read_wav, silence

pytestmark = pytest.mark.e2e
FPS = 5
STANDING_S, LYING_S = 2, 12
HELP = REPOSITORY / "edgeguard" / "synth" / "spoken" / "help_me.wav"
EVERYWHERE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
PLACES = ("hall", "ward", "office")
"""Somebody falls and calls; somebody falls in silence; somebody stands and calls."""


def film(path: Path, *scenes: tuple[NDArray[np.uint8], int]) -> Path:
    """Each picture for so many seconds, with a sensor's noise."""
    rng = np.random.default_rng(5)
    pictures = [
        np.clip(picture + rng.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        for picture, seconds in scenes
        for _ in range(seconds * FPS)
    ]
    return encode(path, pictures, FPS)


def recording(path: Path, called: bool) -> Path:
    voice = read_wav(HELP) if called else silence(1)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        sound = join(silence(STANDING_S + 5), voice, silence(5))
        file.writeframes((sound * 32767).astype(np.int16).tobytes())
    return path


def pattern(place: str) -> dict[str, Any]:
    return {
        "kind": "together",
        "name": f"{place}-help",
        "of": [
            {"kind": "keyword", "labels": ["help_me"], "sources": [f"{place}-mic"]},
            {"kind": "person_down", "sources": [place], "zone": "floor"},
        ],
        "within_s": 10,
        "severity": "critical",
    }


def test_help_near_a_person_who_is_down_is_one_critical_alert(
    tmp_path: Path, mirror: Path, broker: Broker, listener: Listener
) -> None:
    standing, lying = (higher(still(mirror, number)) for number in ("11", "12"))
    falls = film(tmp_path / "falls.mp4", (standing, STANDING_S), (lying, LYING_S))
    stands = film(tmp_path / "stands.mp4", (standing, STANDING_S + LYING_S))
    calls, silent = recording(tmp_path / "calls.wav", True), recording(tmp_path / "silent.wav", False)
    seen = dict(zip(PLACES, (falls, falls, stands), strict=True))
    heard = dict(zip(PLACES, (calls, silent, calls), strict=True))
    config = settings(
        broker.port,
        {
            place: {"url": clip.as_uri(), "analyse_fps": FPS, "zones": {"floor": {"polygon": EVERYWHERE}}}
            for place, clip in seen.items()
        },
        [
            {"kind": "person_down", "name": f"{place}-down", "camera": place, "zone": "floor", "for_s": 2}
            for place in PLACES
        ]
        + [{"kind": "keyword", "name": "calls"}],
        microphones={
            f"{place}-mic": {"url": sound.as_uri(), "camera": place, "sounds": False}
            for place, sound in heard.items()
        },
        speech={"model": "phrases-en", "keywords": [{"phrase": "help me"}]},
        models={"mirrors": [str(mirror)]},
        detector={"model": "yolox-nano-640", "fallback": "none", "threads": 2},
        patterns=[pattern(place) for place in PLACES],
    )
    with Box(tmp_path, config) as box:
        assert box.start("--until-done").wait(120) == 0
    opened = [alert for alert in listener.alerts if alert["state"] == "opened"]
    assert sorted((alert["rule"], alert["source"]) for alert in opened) == [
        ("calls", "hall-mic"),
        ("calls", "office-mic"),
        ("hall-down", "hall"),
        ("hall-help", "hall"),
        ("ward-down", "ward"),
    ]
    (alarm,) = [alert for alert in opened if alert["severity"] == "critical"]
    assert_valid("alert", alarm)
    assert (alarm["kind"], alarm["source"], alarm["zone"]) == ("pattern", "hall", "floor")
    assert {(one["kind"], one["source"]) for one in alarm["joined"]} == {
        ("keyword", "hall-mic"),
        ("person_down", "hall"),
    }
