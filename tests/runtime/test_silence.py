"""How long a camera may give no picture before it counts as one that sees nothing."""

from __future__ import annotations

from edgeguard.config.cameras import Camera
from edgeguard.runtime.assembly.seeing import _silent_s


def camera(**options: object) -> Camera:
    return Camera.model_validate({"url": "rtsp://192.0.2.1/1", **options})


def test_it_is_a_few_pictures_and_longer_where_only_keyframes_are_looked_at() -> None:
    assert _silent_s(camera()) == 5.0
    assert _silent_s(camera(analyse_fps=0.1)) == 30.0
    assert _silent_s(camera(gate="auto")) == 5.0
    assert _silent_s(camera(gate="keyframes")) == 60.0
