"""Which microphones are held beside their camera's picture."""

from __future__ import annotations

from collections.abc import Collection

from edgeguard.config import Config
from edgeguard.config.microphones import Microphone
from edgeguard.runtime.assembly.sources import is_realtime
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.syncing import Pair, Syncing
from edgeguard.sync import SyncCheck


def syncing_of(
    config: Config, board: HealthBoard, before: Syncing | None = None, anew: Collection[str] = ()
) -> Syncing:
    """One pair for each microphone with a camera; what is read faster than real time has no common time.

    A pair of `before` of which neither is in `anew` stays as it is.
    """
    kept = {(pair.camera, pair.microphone): pair for pair in (before.pairs if before else ())}
    pairs = []
    for name, microphone in config.microphones.items():
        camera, limit_ms = microphone.camera, microphone.sync_limit_ms
        if camera is not None and limit_ms and _is_comparable(config, microphone):
            if (camera, name) in kept and not {camera, name} & set(anew):
                pairs.append(kept[camera, name])
                continue
            late_ms = (config.cameras[camera].offset_ms, microphone.offset_ms)
            check = SyncCheck(camera, name, limit_ms, late_ms)
            pairs.append(Pair(camera, name, check, board.part(f"microphone/{name}")))
    return Syncing(pairs)


def _is_comparable(config: Config, microphone: Microphone) -> bool:
    assert microphone.camera is not None
    both = (config.cameras[microphone.camera], microphone)
    return all(source.enabled and is_realtime(source) for source in both)
