from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.clock import SystemClock
from edgeguard.runtime.discovery import Found, camera_of, local_cameras, local_microphones, network_cameras

ANSWER = b"""<e:Envelope><e:Body><d:ProbeMatches><d:ProbeMatch><d:Scopes>onvif://www.onvif.org/type/video_encoder
onvif://www.onvif.org/name/Acme-100</d:Scopes><d:XAddrs>http://cam.local/x http://192.0.2.7/onvif/device_service
</d:XAddrs></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"""
CAMERA = Found("rtsp://192.0.2.7:554/", "network camera Acme-100 at 192.0.2.7")


def test_an_answer_names_the_camera_by_its_number() -> None:
    assert camera_of(ANSWER) == CAMERA
    six = ANSWER.replace(b"192.0.2.7", b"[2001:db8::7]")
    assert camera_of(six) == Found("rtsp://[2001:db8::7]:554/", "network camera Acme-100 at [2001:db8::7]")


@given(
    st.binary(max_size=500) | st.binary(max_size=60).map(lambda some: b"<d:XAddrs>" + some + b"</d:XAddrs>")
)
def test_any_answer_is_taken(answer: bytes) -> None:
    found = camera_of(answer)
    assert found is None or found.url.startswith("rtsp://")


@pytest.fixture
def crowd() -> Iterator[tuple[str, int]]:
    """A place where two cameras and a liar answer, one of them twice."""
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.bind(("127.0.0.1", 0))

    def answer() -> None:
        probe, asker = door.recvfrom(65_536)
        assert b"NetworkVideoTransmitter" in probe
        for one in (ANSWER, ANSWER, b"<XAddrs>file:///etc/passwd</XAddrs>", ANSWER.replace(b".7/", b".8/")):
            door.sendto(one, asker)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield door.getsockname()
    thread.join(5)
    door.close()


def test_cameras_on_the_network_are_found_once(crowd: tuple[str, int]) -> None:
    found = network_cameras(SystemClock(), 0.5, crowd)
    assert [camera.url for camera in found] == ["rtsp://192.0.2.7:554/", "rtsp://192.0.2.8:554/"]


def test_a_network_that_cannot_be_asked_has_none() -> None:
    assert network_cameras(SystemClock(), 0.1, ("999.0.0.1", 3702)) == []


def test_this_box_has_devices(tmp_path: Path) -> None:
    for number, index, name in ((0, 0, "USB Camera"), (1, 1, "USB Camera"), (10, 0, "Other")):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "index").write_text(f"{index}\n")
        (node / "name").write_text(f"{name}\n")
    found = local_cameras(Path("/dev"), tmp_path)
    assert found == [Found("v4l2:///dev/video0", "USB Camera"), Found("v4l2:///dev/video10", "Other")]


def test_this_box_has_microphones(tmp_path: Path) -> None:
    for card, pcm, name in (("card0", "pcm0p", "Speaker"), ("card1", "pcm0c", "USB Audio")):
        folder = tmp_path / card / pcm
        folder.mkdir(parents=True)
        (folder / "info").write_text(f"card: {card[4:]}\ndevice: 0\nname: {name}\n")
    assert local_microphones(tmp_path) == [Found("alsa://plughw:1,0", "USB Audio")]
