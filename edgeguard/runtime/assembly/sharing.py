"""Which microphones are heard over their camera's own connection."""

from __future__ import annotations

from edgeguard.config import Config
from edgeguard.config.source import Source
from edgeguard.media import SoundTap


class Taps:
    """One tap for each RTSP address at which there are a camera and a microphone, reached in the same way."""

    def __init__(self, config: Config | None = None) -> None:
        """Without a configuration nothing is shared."""
        self._of_camera: dict[str, SoundTap] = {}
        self._of_microphone: dict[str, SoundTap] = {}
        if config is not None:
            self._join(config)

    def of_camera(self, name: str) -> SoundTap | None:
        return self._of_camera.get(name)

    def of_microphone(self, name: str) -> SoundTap | None:
        return self._of_microphone.get(name)

    def _join(self, config: Config) -> None:
        cameras = {name: camera for name, camera in config.cameras.items() if camera.enabled}
        for name, microphone in config.microphones.items():
            same = [one for one, camera in cameras.items() if _is_same(camera, microphone)]
            free = [one for one in same if one not in self._of_camera]
            if microphone.enabled and free:
                self._of_camera[free[0]] = self._of_microphone[name] = SoundTap()


def _is_same(camera: Source, microphone: Source) -> bool:
    return microphone.url.is_rtsp and _address(camera) == _address(microphone)


def _address(source: Source) -> tuple[object, ...]:
    return source.url.address, source.username, source.password_file, source.transport
