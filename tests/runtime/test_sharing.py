from __future__ import annotations

from typing import Any

import pytest
import yaml

from edgeguard.config import parse
from edgeguard.runtime.assembly.sharing import Taps

YARD = "rtsp://192.0.2.10/1"


def taps(camera: dict[str, Any], microphone: dict[str, Any]) -> Taps:
    sources = {"cameras": {"gate": camera}, "microphones": {"hall": microphone}}
    return Taps(
        parse(
            yaml.safe_dump({"site": "yard", "device": "one", "mqtt": {"host": "127.0.0.1"}, **sources}),
            "test",
        )
    )


def test_the_same_address_is_connected_to_once() -> None:
    made = taps({"url": YARD}, {"url": YARD})
    assert made.of_camera("gate") is not None
    assert made.of_camera("gate") is made.of_microphone("hall")


@pytest.mark.parametrize(
    ("camera", "microphone"),
    [
        ({"url": YARD}, {"url": "rtsp://192.0.2.10/2"}),
        ({"url": YARD}, {"url": YARD, "transport": "udp"}),
        ({"url": YARD}, {"url": YARD, "enabled": False}),
        ({"url": YARD, "enabled": False}, {"url": YARD}),
        ({"url": "file:///clip.mp4"}, {"url": "file:///clip.mp4"}),
    ],
)
def test_what_is_reached_in_another_way_is_connected_to_by_itself(
    camera: dict[str, Any], microphone: dict[str, Any]
) -> None:
    made = taps(camera, microphone)
    assert made.of_camera("gate") is None
    assert made.of_microphone("hall") is None
