"""Which microphones are heard over their camera's own connection."""

from __future__ import annotations

from collections.abc import Collection

from edgeguard.config import Config
from edgeguard.config.source import Source, enabled
from edgeguard.media import SoundTap

Pair = tuple[str, str]
"""Camera and microphone."""


def pairs_of(config: Config) -> list[Pair]:
    """One for each RTSP address at which there are a camera and a microphone, reached in the same way."""
    cameras = enabled(config.cameras)
    found: list[Pair] = []
    for name, microphone in config.microphones.items():
        same = [one for one, camera in cameras.items() if _is_same(camera, microphone)]
        free = [one for one in same if one not in dict(found)]
        if microphone.enabled and free:
            found.append((free[0], name))
    return found


class Taps:
    """One tap for each pair."""

    def __init__(self, config: Config | None = None) -> None:
        """Without a configuration nothing is shared."""
        self._taps: dict[Pair, SoundTap] = {}
        if config is not None:
            self.refit(config)

    def refit(self, config: Config, opened: Collection[str] = ()) -> None:
        """Share by `config` from now on; pairs that are not `opened` anew keep their tap."""
        kept = {pair: tap for pair, tap in self._taps.items() if not set(pair) & set(opened)}
        self._taps = {pair: kept.get(pair) or SoundTap() for pair in pairs_of(config)}

    def of_camera(self, name: str) -> SoundTap | None:
        return next((tap for (camera, _), tap in self._taps.items() if camera == name), None)

    def of_microphone(self, name: str) -> SoundTap | None:
        return next((tap for (_, microphone), tap in self._taps.items() if microphone == name), None)


def _is_same(camera: Source, microphone: Source) -> bool:
    return microphone.url.is_rtsp and _address(camera) == _address(microphone)


def _address(source: Source) -> tuple[object, ...]:
    return source.url.address, source.username, source.password_file, source.transport
