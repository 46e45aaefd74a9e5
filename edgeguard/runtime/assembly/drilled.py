"""The configuration with the sources and rules of the drill beside its own."""

from __future__ import annotations

from collections import Counter

from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.cameras import Camera
from edgeguard.config.detector import Detector
from edgeguard.config.geometry import Zone
from edgeguard.config.microphones import Checks, Microphone
from edgeguard.config.url import SourceUrl
from edgeguard.synth.scenes.drill import DRILL
from edgeguard.types import Severity, drill

URL = SourceUrl("scene", "scene://drill")
FPS = 5
BEGINS_AT, CONFIRM_FRAMES = 0.3, 3
"""A figure that is drawn is nobody: no detector need be surer of it, nor for longer, whatever the site asks
of what is real."""
_ZONE = "restricted"
_PERSON = ("person", "motion")


def drilled(config: Config) -> Config:
    """Both together.

    The detector that most cameras have is tried out; microphones do what any microphone here does.
    """
    settings = _detector(config)
    microphone = _microphone(config, drill.CAMERA if settings else None)
    cameras = {} if settings is None else {drill.CAMERA: _camera(settings)}
    microphones = {} if microphone is None else {drill.MICROPHONE: microphone}
    rules = [*_seen(bool(cameras)), *_heard(microphone)]
    return config.model_copy(
        update={
            "cameras": {**config.cameras, **cameras},
            "microphones": {**config.microphones, **microphones},
            "rules": (*config.rules, *rules),
        }
    )


def _detector(config: Config) -> Detector | None:
    """None where no camera looks for persons."""
    wanted = [
        camera.detector
        for camera in config.cameras.values()
        if camera.enabled and {*_PERSON} & {*camera.detector.classes}
    ]
    counts = Counter(settings.model_dump_json() for settings in wanted)
    return max(wanted, key=lambda settings: counts[settings.model_dump_json()], default=None)


def _camera(settings: Detector) -> Camera:
    return Camera(
        url=URL,
        analyse_fps=FPS,
        priority="low",
        zones={name: Zone(polygon=polygon) for name, polygon in DRILL.zones.items()},
        detector=settings,
    )


def _microphone(config: Config, camera: str | None) -> Microphone | None:
    real = [microphone for microphone in config.microphones.values() if microphone.enabled]
    speech, sounds = any(one.speech for one in real), any(one.sounds for one in real)
    if not speech and not sounds:
        return None
    return Microphone(url=URL, camera=camera, speech=speech, sounds=sounds, checks=Checks(enabled=False))


_RULE = {"severity": Severity.INFO, "cooldown_s": 0.0}


def _seen(camera: bool) -> list[kinds.Rule]:
    if not camera:
        return []
    what = {"kind": "zone_entered", "name": drill.INTRUSION, "camera": drill.CAMERA, "zone": _ZONE}
    return [kinds.ZoneEntered.model_validate({**_RULE, **what})]


def _heard(microphone: Microphone | None) -> list[kinds.Rule]:
    if microphone is None:
        return []
    by = {**_RULE, "microphone": drill.MICROPHONE}
    return [
        kinds.Sound.model_validate({**by, "kind": "sound", "name": drill.NOISE, "tags": ["glass"]}),
        kinds.Intent.model_validate({**by, "kind": "intent", "name": drill.CALL, "intents": ["distress"]}),
    ]
