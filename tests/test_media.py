from __future__ import annotations

from typing import Any, cast

import pytest

from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.gst import Pipeline
from edgeguard.media import MediaOptions, check, connect, is_live, shown


class Broken:
    """A pipeline in which something happened."""

    def __init__(self, error: SourceError) -> None:
        self._error = error

    def check(self) -> None:
        raise self._error


def broken(error: SourceError) -> Pipeline:
    return cast(Pipeline, Broken(error))


ENDED = broken(EndOfStreamError("end of stream"))


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("rtsp://cam/1", True),
        ("rtsps://cam/1", True),
        ("v4l2:///dev/video0", True),
        ("alsa://default", True),
        ("file:///clip.mp4", False),
        ("scene://yard", False),
    ],
)
def test_only_a_replay_has_an_end(url: str, live: bool) -> None:
    assert is_live(url) is live
    with pytest.raises(SourceError) as caught:
        check(ENDED, url)
    assert isinstance(caught.value, EndOfStreamError) is not live


def test_a_camera_that_cut_the_stream_is_named_without_its_password() -> None:
    with pytest.raises(SourceError, match="rtsp://cam/1 ended the stream"):
        check(ENDED, "rtsp://guard:hunter2@cam/1")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Unauthorized (Unauthorized (401))", "rtsp://cam/1 refused the login: correct its `username`"),
        ("Could not connect to server", "^Could not connect to server$"),
    ],
)
def test_a_refused_login_is_told_with_the_way_out(error: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        check(broken(SourceError(error)), "rtsp://cam/1")


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("rtsp://guard:hunter2@cam:554/1?x=2", "rtsp://cam:554/1?x=2"),
        ("rtsp://guard:hun@ter2@cam/1", "rtsp://cam/1"),
        ("rtsp://cam/1", "rtsp://cam/1"),
        ("file:///a%20b.mp4", "file:///a%20b.mp4"),
    ],
)
def test_what_is_shown_holds_no_credentials(url: str, safe: str) -> None:
    assert shown(url) == safe


@pytest.fixture
def rtspsrc() -> Any:
    """The reader that `connect` makes for a camera with a login."""

    def build(url: str, options: MediaOptions) -> Any:
        made: list[Any] = []

        class Watched(Pipeline):
            def add(self, factory: str, **properties: object) -> Any:
                made.append(super().add(factory, **properties))
                return made[-1]

        pipeline = Watched("camera-gate")
        connect(pipeline, url, "video", pipeline.add("fakesink"), options)
        pipeline.stop()
        return made[-1]

    return build


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("rtsp://cam/1", MediaOptions("guard", "pa ss")),
        ("rtsp://guard:pa%20ss@cam/1", MediaOptions()),
    ],
)
def test_the_login_is_a_property_and_never_in_the_address(
    rtspsrc: Any, url: str, options: MediaOptions
) -> None:
    source = rtspsrc(url, options)
    assert source.get_property("location") == "rtsp://cam/1"
    assert source.get_property("user-id") == "guard"
    assert source.get_property("user-pw") == "pa ss"


@pytest.mark.parametrize(("transport", "flag"), [("tcp", "tcp"), ("udp", "udp")])
def test_transport_and_jitter_buffer_are_as_asked_for(rtspsrc: Any, transport: Any, flag: str) -> None:
    source = rtspsrc("rtsp://cam/1", MediaOptions(transport=transport, latency_ms=70))
    assert source.get_property("latency") == 70
    assert source.get_property("protocols").first_value_nick == flag


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://user:hunter2@camera/clip",
        "rtsp://camera/clip?user=admin&password=hunter2&channel=1",
        "rtsp://camera/user=admin_password=hunter2_channel=1",
    ],
)
def test_no_secret_of_a_url_is_shown(url: str) -> None:
    assert "hunter2" not in shown(url)
    assert "camera" in shown(url)
