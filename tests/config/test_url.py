from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from edgeguard.config.url import CameraUrl, MicrophoneUrl, SourceUrl

CAMERA: TypeAdapter[SourceUrl] = TypeAdapter(CameraUrl)
MICROPHONE: TypeAdapter[SourceUrl] = TypeAdapter(MicrophoneUrl)


def camera(url: Any) -> SourceUrl:
    return CAMERA.validate_python(url, context={"folder": Path("/etc/edgeguard")})


@pytest.mark.parametrize(
    ("url", "scheme", "address"),
    [
        ("rtsp://192.0.2.1/s", "rtsp", "rtsp://192.0.2.1/s"),
        ("rtsps://cam.example:322/s?channel=1", "rtsps", "rtsps://cam.example:322/s?channel=1"),
        ("rtsp://[2001:db8::1]:554/s", "rtsp", "rtsp://[2001:db8::1]:554/s"),
        ("v4l2:///dev/video0", "v4l2", "v4l2:///dev/video0"),
        ("csi://0", "csi", "csi://0"),
        ("v4l2:///dev/v4l/by-id/usb-046d_C920-0", "v4l2", "v4l2:///dev/v4l/by-id/usb-046d_C920-0"),
        ("file:///clips/a.mp4", "file", "file:///clips/a.mp4"),
        ("file://clips/a.mp4", "file", "file:///etc/edgeguard/clips/a.mp4"),
        ("file://a b#1?.mp4", "file", "file:///etc/edgeguard/a%20b%231%3F.mp4"),
        ("file://a%20b.mp4", "file", "file:///etc/edgeguard/a%20b.mp4"),
        ("scene://yard?seed=3&fps=10", "scene", "scene://yard?seed=3&fps=10"),
    ],
)
def test_camera_urls(url: str, scheme: str, address: str) -> None:
    found = camera(url)
    assert (found.scheme, found.address, found.username, found.password) == (scheme, address, None, None)


@pytest.mark.parametrize(
    "url", ["alsa://default", "alsa://plughw:1,0", "alsa://hw:CARD=C920,DEV=0", "rtsp://h/s"]
)
def test_microphone_urls(url: str) -> None:
    assert MICROPHONE.validate_python(url).address == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "camera",
        5,
        None,
        ["rtsp://h"],
        "http://h/s",
        "RTSP://h/s",
        "exec://ls",
        "rtsp:/h",
        "rtsp://",
        "rtsp:///s",
        "rtsp://h:port/s",
        "rtsp://h:0/s",
        "rtsp://h:99999/s",
        "rtsp://u:pa/ss@h/s",
        "rtsp://h/a b",
        "rtsp://u/x:pass@h/s",
        "rtsp://***@h/s",
        "rtsp://u:***@h/s",
        "rtsp://u?x:pass@h/s",
        "rtsp://h/\n",
        "rtsp://[::1/s",
        "rtsp://hö/s",
        "v4l2://video0",
        "csi://",
        "csi://left",
        "csi://0 ! fakesink",
        "v4l2:///etc/passwd",
        "v4l2:///dev/video0 ! fakesink",
        "v4l2:///dev/video0\n",
        "file://",
        "file://a\x00b",
        "file://a%00b",
        "scene://",
        "scene://../x",
        "scene://a b",
        "alsa://default",
    ],
)
def test_other_camera_urls_are_refused(url: Any) -> None:
    with pytest.raises(ValidationError):
        camera(url)


@pytest.mark.parametrize(
    "url", ["alsa://", "alsa://tee:hw,'|sh'", "alsa://file:x", "alsa://hw:/x", "v4l2:///dev/video0"]
)
def test_other_microphone_urls_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        MICROPHONE.validate_python(url)


def test_credentials_leave_the_address() -> None:
    found = camera("rtsp://guard:p%40ss@192.0.2.1:554/s")
    assert found.address == "rtsp://192.0.2.1:554/s"
    assert (found.username, found.password) == ("guard", "p@ss")
    assert str(found) == repr(found) == "rtsp://***@192.0.2.1:554/s"


def test_a_user_needs_no_password() -> None:
    found = camera("rtsp://guard@192.0.2.1/s")
    assert (found.username, found.password) == ("guard", None)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://h/s?user=a&password=hunter2&x=1",
        "rtsp://h/s?PWD=hunter2",
        "rtsp://h/user=admin_password=hunter2_channel=1",
        "rtsp://h/s?api_key=hunter2",
        "rtsp://a:b@h/s?token=hunter2",
    ],
)
def test_passwords_in_a_query_are_not_shown(url: str) -> None:
    found = camera(url)
    assert "hunter2" in found.address
    assert "hunter2" not in str(found)


@settings(deadline=None)
@given(st.text(min_size=1), st.text())
def test_a_password_is_never_shown(user: str, rest: str) -> None:
    """Whether the URL is accepted or refused, and however badly the password is written."""
    try:
        found = camera(f"rtsp://{user}:hunter2{rest}@host/s")
        told = f"{found} {found!r}"
    except ValidationError as error:
        told = str([details["msg"] for details in error.errors()])
    assert "hunter2" not in told
