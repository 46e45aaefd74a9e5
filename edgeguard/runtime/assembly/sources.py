"""What cameras and microphones need alike."""

from __future__ import annotations

import threading

from edgeguard.audio import GstAudioSource, SceneAudioSource
from edgeguard.capture import FrameSource, Gate, GstFrameSource, Patience, SceneFrameSource
from edgeguard.capture.tiers import Tiers
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config.cameras import Camera
from edgeguard.config.microphones import Microphone
from edgeguard.config.source import Source
from edgeguard.errors import ConfigError
from edgeguard.media import MediaOptions, SoundTap
from edgeguard.runtime.locked import LockedSource
from edgeguard.runtime.sources import SILENT_S
from edgeguard.synth import Scene

_LADDER_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)


def media_options(source: Source) -> MediaOptions:
    """How to reach it; its password is read now. Raises ConfigError."""
    username, password = source.credentials() or (None, None)
    return MediaOptions(username, password, source.transport, source.latency_ms, source.ca_file)


def logins(config: Config) -> dict[str, object]:
    """User and password of each source that is enabled, or why they cannot be read, as they are now."""
    found: dict[str, object] = {}
    for name, source in {**config.cameras, **config.microphones}.items():
        try:
            found[name] = source.credentials() if source.enabled else None
        except ConfigError as error:
            found[name] = str(error)
    return found


def is_realtime(source: Source) -> bool:
    return source.pace == "realtime"


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


def silent_s(source: Source) -> float:
    """How long it may give nothing before that is a fault: longer where `stall_s` says that it pauses, or it
    would be one at each pause and none between."""
    usual_s = Source.model_fields["stall_s"].default
    return source.stall_s if source.stall_s > usual_s else SILENT_S


def retries(source: Source) -> tuple[float, ...]:
    """Pauses between tries to open it."""
    return (*(pause_s for pause_s in _LADDER_S if pause_s < source.retry_max_s), source.retry_max_s)


def frame_source(
    name: str,
    camera: Camera,
    clock: Clock,
    fps: float,
    gate: Gate | None = None,
    tiers: Tiers | None = None,
    tap: SoundTap | None = None,
) -> FrameSource:
    """The camera's pictures, `fps` of them a second; one without its password waits for it."""
    address, realtime = camera.url.address, is_realtime(camera)
    if camera.url.scheme == "scene":
        return SceneFrameSource(name, Scene.open(address), clock, fps, pause, realtime=realtime)
    patience = Patience(camera.connect_s, camera.stall_s, camera.preroll_s, camera.preroll_bytes)

    def make() -> FrameSource:
        return GstFrameSource(
            name,
            address,
            clock,
            fps,
            realtime=realtime,
            patience=patience,
            options=media_options(camera),
            gate=gate,
            tiers=tiers,
            tap=tap,
        )

    try:
        return make()
    except ConfigError:
        return LockedSource(name, make)


def audio_source(name: str, microphone: Microphone, clock: Clock) -> SceneAudioSource | GstAudioSource:
    """The microphone's sound over a connection of its own. Raises ConfigError without its password."""
    address, realtime = microphone.url.address, is_realtime(microphone)
    if microphone.url.scheme == "scene":
        return SceneAudioSource(name, Scene.open(address), clock, pause, realtime=realtime)
    options, stall_s = media_options(microphone), microphone.stall_s
    return GstAudioSource(name, address, clock, realtime=realtime, stall_s=stall_s, options=options)
