"""Cameras, microphones, decoders and models, as the doctor meets them."""

from __future__ import annotations

import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edgeguard.audio import GstAudioSource, SceneAudioSource
from edgeguard.capture import FrameSource, GstFrameSource, SceneFrameSource
from edgeguard.clock import SystemClock
from edgeguard.errors import DependencyError, SourceError
from edgeguard.models import ModelStore, load_catalog
from edgeguard.models.engines.fleet import Fleet
from edgeguard.models.engines.workshop import Machine
from edgeguard.runtime.assembly.sources import pause
from edgeguard.runtime.doctor import Finding, Verdict
from edgeguard.runtime.doctor import elements as elements_module
from edgeguard.runtime.doctor.camera import camera
from edgeguard.runtime.doctor.elements import decoders
from edgeguard.runtime.doctor.microphone import microphone
from edgeguard.runtime.doctor.models import Wanted, engines, models
from edgeguard.runtime.doctor.sources import Place
from edgeguard.synth import Scene
from edgeguard.types import Frame

CLOCK = SystemClock()
RATE_HZ = 16_000
UPPER_HALF = [[(0.0, 0.0), (1.0, 0.0), (1.0, 0.5), (0.0, 0.5)]]
WELL: Mapping[str, Any] = {"state": "ok", "rate_per_s": 5.0, "reason": None}
ILL: Mapping[str, Any] = {"state": "degraded", "reason": "no picture for 10 s"}


def scene() -> FrameSource:
    return SceneFrameSource("yard", Scene.open("scene://yard?width=320&height=180"), CLOCK, 10, pause)


def look(
    source: FrameSource,
    scheme: str = "rtsp",
    part: Mapping[str, Any] | None = None,
    picture: Path | None = None,
    patience_s: float = 30.0,
    fps: float = 1.0,
) -> Finding:
    place = Place("camera", "yard", scheme, part)
    return camera(place, source, CLOCK, fps, patience_s, UPPER_HALF, picture)


class Broken:
    """A camera that does not open."""

    name = "yard"

    def __init__(self, cause: str = "unreachable") -> None:
        self.error: Exception = SourceError("no way to it", cause)
        self.opened = 0

    def open(self) -> None:
        self.opened += 1
        raise self.error

    def read(self, timeout_s: float) -> Frame | None:
        raise AssertionError("it is not open")

    def close(self) -> None:
        """Nothing to close."""

    def counters(self) -> dict[str, int | float | str]:
        return {}


class Mute(Broken):
    """One that opens and gives nothing."""

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> Frame | None:
        pause(0.05)
        return None


def test_a_camera_is_seen_and_its_picture_is_masked_and_private(tmp_path: Path) -> None:
    path = tmp_path / "pictures" / "yard.jpg"
    found = look(scene(), picture=path)
    assert found.verdict is Verdict.OK
    assert found.figures["width"] == 320
    assert found.figures["snapshot"] == str(path)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert picture.shape[:2] == (180 + 26, 320)
    assert picture[:85].max() < 12
    assert picture[95:180].max() > 60
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("refused_login", "password_file"),
        ("no_stream", "path"),
        ("unreachable", "power"),
        ("undecodable", "H.264"),
        ("broken", "url"),
    ],
)
def test_what_keeps_a_camera_from_us_is_told_apart(cause: str, told: str) -> None:
    found = look(Broken(cause))
    assert found.verdict is Verdict.FAULT
    assert told in f"{found.cause} {found.fix}"


class HangsAtTheEnd(Broken):
    """One that cannot be closed, as a connection that hangs in GStreamer."""

    def close(self) -> None:
        raise SourceError("hangs in GStreamer and is left behind")


def test_a_camera_that_hangs_when_it_is_closed_is_told_as_what_kept_it_from_us() -> None:
    found = look(HangsAtTheEnd())
    assert (found.said, found.verdict) == ("no way to it", Verdict.FAULT)
    assert "power" in (found.cause or "")


@pytest.mark.parametrize("scheme", ["v4l2", "alsa", "csi"])
def test_of_a_device_of_this_box_no_network_is_blamed(scheme: str) -> None:
    found = look(Broken("unreachable"), scheme)
    assert "firewall" not in (found.cause or "")
    assert "ping" not in (found.fix or "")


def test_a_picture_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = look(scene(), picture=tmp_path / "file" / "yard.jpg")
    assert found.verdict is Verdict.WARNING
    assert "--snapshots" in (found.fix or "")


def test_a_camera_that_gives_too_few_is_told() -> None:
    found = look(scene(), fps=1000)
    assert (found.verdict, "1000 are to be analysed" in found.said) == (Verdict.WARNING, True)


def test_a_camera_that_gives_nothing_is_told() -> None:
    assert "no picture within 0.2 s" in look(Mute(), patience_s=0.2).said


def test_a_device_that_the_guard_holds_is_not_opened() -> None:
    device = Broken()
    assert look(device, "v4l2", WELL).verdict is Verdict.OK
    found = look(device, "csi", ILL)
    assert (found.verdict, "no picture for 10 s" in found.said) == (Verdict.FAULT, True)
    assert device.opened == 0


def test_a_camera_that_allows_no_second_viewer_is_no_fault() -> None:
    assert look(Broken(), "rtsp", WELL).verdict is Verdict.WARNING
    assert look(Broken(), "rtsp", ILL).verdict is Verdict.FAULT


def test_a_camera_without_gstreamer_is_told() -> None:
    broken = Broken()
    broken.error = DependencyError("GStreamer's Python bindings are missing")
    assert look(broken).fix == "deploy/install.sh installs it"


def write(path: Path, samples: NDArray[np.float64]) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((np.clip(samples, -1, 1) * 32_767).astype("<i2").tobytes())
    return path.as_uri()


TONE = np.sin(np.arange(3 * RATE_HZ) / RATE_HZ * 2 * np.pi * 440)


@pytest.mark.parametrize(
    ("gain", "offset", "verdict", "said"),
    [
        (0.1, 0.0, Verdict.OK, "-23 dBFS in 2.0 s"),
        (0.1, 0.2, Verdict.OK, "-23 dBFS in 2.0 s"),
        (0.0, 0.0, Verdict.FAULT, "digital silence"),
        (0.0, 0.2, Verdict.FAULT, "digital silence"),
        (0.0001, 0.0, Verdict.WARNING, "next to nothing"),
        (0.0001, 0.2, Verdict.WARNING, "next to nothing"),
        (30.0, 0.0, Verdict.WARNING, "full scale"),
    ],
)
def test_the_level_of_a_microphone_is_judged_as_the_guard_does(
    tmp_path: Path, gain: float, offset: float, verdict: Verdict, said: str
) -> None:
    source = GstAudioSource("hall", write(tmp_path / "a.wav", TONE * gain + offset), CLOCK, realtime=False)
    found = microphone(Place("microphone", "hall", "file"), source, CLOCK, 5, -70, 0.01)
    assert found.verdict is verdict, found.said
    assert said in found.said


def test_a_drawn_microphone_and_one_that_is_not_there() -> None:
    drawn = SceneAudioSource("hall", Scene.open("scene://hall"), CLOCK, pause, realtime=False)
    assert microphone(Place("microphone", "hall", "scene"), drawn, CLOCK, 5, -80, 0.01).ok
    gone = GstAudioSource("hall", "file:///nowhere.wav", CLOCK)
    found = microphone(Place("microphone", "hall", "file"), gone, CLOCK, 5, -80, 0.01)
    assert (found.verdict, found.fix) == (Verdict.FAULT, "correct its `url`")


def test_a_microphone_that_the_guard_holds_is_not_opened() -> None:
    gone = GstAudioSource("hall", "alsa://nobody", CLOCK)
    found = microphone(Place("microphone", "hall", "alsa", WELL), gone, CLOCK, 5, -80, 0.01)
    assert found.ok
    assert "5.0 a second" in found.said


def test_what_gstreamer_lacks_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [one.verdict for one in decoders({"file", "rtsp"}, pictures=True)] == [Verdict.OK]
    monkeypatch.setattr(elements_module, "available", lambda _names: frozenset({"rtspsrc"}))
    found = list(decoders({"rtsp", "alsa"}, pictures=True))
    fixes = [one.fix for one in found]
    assert "sudo apt install gstreamer1.0-alsa" in fixes
    assert [one.about for one in found if one.verdict is Verdict.WARNING] == ["H.264", "H.265"]


def test_models_that_are_missing_are_warned_of_or_needed(tmp_path: Path) -> None:
    catalog, store = load_catalog(), ModelStore(tmp_path)
    wanted = [
        Wanted("yolox-nano-416", "detect", "its cameras are blind", needed=True),
        Wanted(None, "sound-tags", "no sound is known"),
        Wanted("no-such-model", "detect", "motion is watched for instead"),
    ]
    found = list(models(wanted, catalog, store))
    assert [one.verdict for one in found] == [Verdict.FAULT, Verdict.WARNING, Verdict.WARNING]
    assert found[0].fix == "edgeguard models pull yolox-nano-416"
    assert "no sound is known" in found[1].said
    assert next(iter(models([], catalog, store))).verdict is Verdict.SKIPPED


def test_models_that_are_there_are_the_published_ones(mirror: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path, [mirror])
    found = list(models([Wanted("yolox-nano-416", "detect", "")], load_catalog(), store))
    assert [one.verdict for one in found] == [Verdict.OK]


def no_machine() -> Machine:
    raise DependencyError("no driver")


def test_without_a_gpu_no_engine_is_missed(mirror: Path, tmp_path: Path) -> None:
    store = ModelStore(tmp_path, [mirror])
    found = list(engines(["yolox-nano-416"], load_catalog(), store, Fleet(tmp_path, no_machine)))
    assert [one.verdict for one in found] == [Verdict.SKIPPED]


def test_gst_sources_are_looked_at_like_any(tmp_path: Path) -> None:
    gone = GstFrameSource("yard", "file:///nowhere.mp4", CLOCK)
    assert look(gone, "file").fix == "correct its `url`"
