"""How long a camera may give no picture before it counts as one that sees nothing."""

from __future__ import annotations

from edgeguard.config.cameras import Camera
from edgeguard.config.microphones import Microphone
from edgeguard.runtime.assembly.seeing import _silent_s
from edgeguard.runtime.assembly.sources import silent_s


def camera(**options: object) -> Camera:
    return Camera.model_validate({"url": "rtsp://192.0.2.1/1", **options})


def test_it_is_a_few_pictures_and_longer_where_only_keyframes_are_looked_at() -> None:
    assert _silent_s(camera()) == 5.0
    assert _silent_s(camera(analyse_fps=0.1)) == 30.0
    assert _silent_s(camera(gate="auto")) == 5.0
    assert _silent_s(camera(gate="keyframes")) == 60.0


def test_who_lets_a_source_pause_for_longer_does_not_have_it_called_silent_at_each_pause() -> None:
    assert _silent_s(camera(stall_s=60)) == 60.0
    assert _silent_s(camera(stall_s=60, analyse_fps=0.01)) == 300.0
    assert _silent_s(camera(stall_s=90, gate="keyframes")) == 90.0
    assert _silent_s(camera(stall_s=10)) == _silent_s(camera(stall_s=2)) == 5.0
    assert silent_s(Microphone.model_validate({"url": "rtsp://192.0.2.1/1", "stall_s": 45})) == 45.0
