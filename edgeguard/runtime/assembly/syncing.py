"""Which microphones are held beside their camera's picture."""

from __future__ import annotations

from edgeguard.config import Config
from edgeguard.config.microphones import Microphone
from edgeguard.runtime.assembly.sources import is_realtime
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.syncing import Pair, Syncing
from edgeguard.sync import SyncCheck


def syncing_of(config: Config, board: HealthBoard) -> Syncing:
    """One pair for each microphone with a camera; what is read faster than real time has no common time."""
    pairs = []
    for name, microphone in config.microphones.items():
        camera, limit_ms = microphone.camera, microphone.sync_limit_ms
        if camera is not None and limit_ms and _is_comparable(config, microphone):
            late_ms = (config.cameras[camera].offset_ms, microphone.offset_ms)
            check = SyncCheck(camera, name, limit_ms, late_ms)
            pairs.append(Pair(camera, name, check, board.part(f"microphone/{name}")))
    return Syncing(pairs)


def _is_comparable(config: Config, microphone: Microphone) -> bool:
    assert microphone.camera is not None
    both = (config.cameras[microphone.camera], microphone)
    return all(source.enabled and is_realtime(source) for source in both)
