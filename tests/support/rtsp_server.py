"""A real RTSP server on loopback that gives out one mp4 as it is: `python -m tests.support.rtsp_server FILE`.

H.264, HEVC and AAC pass without being encoded again, at the clip's own pace. Every client gets the clip from
its beginning; it should be two seconds long or more. The line `ready URL` on standard
output says that clients may come.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

MOUNT = "/clip"
_PAYLOADERS = {
    "video/x-h264": "h264parse ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96",
    "video/x-h265": "h265parse ! rtph265pay config-interval=-1 aggregate-mode=zero-latency pt=96",
    "audio/mpeg": "aacparse ! rtpmp4gpay pt=97",
}
_ONWARDS = "identity single-segment=true ! queue"
"""Times that only rise, in a segment without an end."""
_DELTA = Gst.BufferFlags.DELTA_UNIT
_HIDDEN = (Gst.EventType.EOS, Gst.EventType.FLUSH_START, Gst.EventType.FLUSH_STOP)
"""What a client of a looping clip must not notice."""


def streams(clip: Path) -> list[str]:
    """Media types of the clip's tracks, in qtdemux's order of pads, e.g. ["video/x-h264", "audio/mpeg"].

    Raises ValueError for a file that is no mp4 or holds what cannot be given out.
    """
    pipeline = Gst.parse_launch("filesrc name=file ! qtdemux name=demux")
    pipeline.get_by_name("file").set_property("location", str(clip))
    found: list[str] = []
    demux = pipeline.get_by_name("demux")
    demux.connect("pad-added", lambda _demux, pad: found.append(_media_type(pad)))
    demux.connect("no-more-pads", lambda _demux: _post(pipeline))
    pipeline.set_state(Gst.State.PAUSED)
    wanted = Gst.MessageType.APPLICATION | Gst.MessageType.ERROR
    message = pipeline.get_bus().timed_pop_filtered(10 * Gst.SECOND, wanted)
    pipeline.set_state(Gst.State.NULL)
    if message is None or message.type == Gst.MessageType.ERROR:
        raise ValueError(f"{clip} cannot be read as mp4")
    if unknown := set(found) - set(_PAYLOADERS):
        raise ValueError(f"{clip} holds {', '.join(sorted(unknown))}; known are {', '.join(_PAYLOADERS)}")
    return found


def launch_line(media_types: list[str]) -> str:
    """A gst-launch description from file to payloaders `pay0`, `pay1`, as GstRtspServer wants it."""
    branches = [
        f"demux.{media.split('/')[0]}_0 ! {_ONWARDS} ! {_PAYLOADERS[media]} name=pay{number}"
        for number, media in enumerate(media_types)
    ]
    return f"( filesrc name=file ! qtdemux name=demux {' '.join(branches)} )"


class Server:
    """Serves `clip` at `url` while the GLib main loop runs."""

    def __init__(
        self,
        clip: Path,
        port: int,
        *,
        loop: bool = False,
        login: str | None = None,
        lose: float = 0.0,
        keyframes: bool = True,
    ) -> None:
        self._clip = clip
        self._loop = loop
        self._lose = lose
        self._keyframes = keyframes
        self._server = GstRtspServer.RTSPServer()
        self._server.set_address("127.0.0.1")
        self._server.set_service(str(port))
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(launch_line(streams(clip)))
        factory.connect("media-configure", self._configure)
        if login:
            self._server.set_auth(_only_for(login, factory))
        self._server.get_mount_points().add_factory(MOUNT, factory)
        if not self._server.attach(None):
            raise OSError(f"cannot listen on 127.0.0.1:{port}")

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self._server.get_bound_port()}{MOUNT}"

    def _configure(self, _factory: Any, media: Any) -> None:
        element = media.get_element()
        element.get_by_name("file").set_property("location", str(self._clip))
        if self._loop:
            _Loop(element.get_by_name("demux"))
        buffers = Gst.PadProbeType.BUFFER | Gst.PadProbeType.BUFFER_LIST
        sink = element.get_by_name("pay0").get_static_pad("sink")
        if not self._keyframes:
            sink.add_probe(buffers, lambda _pad, info: _verdict(info.get_buffer().has_flags(_DELTA)))
        if self._lose:
            lost = random.Random(1)
            sink.add_probe(buffers, lambda _pad, _info: _verdict(lost.random() >= self._lose))


def _verdict(passes: bool) -> Any:
    return Gst.PadProbeReturn.OK if passes else Gst.PadProbeReturn.DROP


def _only_for(login: str, factory: Any) -> Any:
    """Lets in who says `USER:PASSWORD`."""
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "guard")
    permissions = GstRtspServer.RTSPPermissions()
    for right in ("media.factory.access", "media.factory.construct"):
        permissions.add_permission_for_role("guard", right, True)
    factory.set_permissions(permissions)
    auth = GstRtspServer.RTSPAuth()
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(*login.split(":", 1)), token)
    return auth


class _Loop:
    """Once every track is over, starts them again behind one another; downstream sees one endless clip."""

    def __init__(self, demux: Any) -> None:
        self._pads: list[Any] = []
        self._over: set[str] = set()
        self._length_ns = 0
        demux.connect("pad-added", self._on_pad)

    def _on_pad(self, _demux: Any, pad: Any) -> None:
        self._pads.append(pad)
        self._length_ns = max(self._length_ns, pad.query_duration(Gst.Format.TIME)[1])
        events = Gst.PadProbeType.EVENT_DOWNSTREAM | Gst.PadProbeType.EVENT_FLUSH
        pad.add_probe(events, self._at_event)
        pad.add_probe(Gst.PadProbeType.QUERY_UPSTREAM, _hide_the_length)

    def _at_event(self, pad: Any, info: Any) -> Any:
        event = info.get_event().type
        if event == Gst.EventType.EOS:
            self._over.add(pad.get_name())
            if len(self._over) == len(self._pads):
                GLib.idle_add(self._rewind)
        return Gst.PadProbeReturn.DROP if event in _HIDDEN else Gst.PadProbeReturn.OK

    def _rewind(self) -> bool:
        self._over.clear()
        for pad in self._pads:
            pad.set_offset(pad.get_offset() + self._length_ns)
        start = (Gst.SeekType.SET, 0)
        stop = (Gst.SeekType.NONE, 0)
        seek = Gst.Event.new_seek(1.0, Gst.Format.TIME, Gst.SeekFlags.FLUSH, *start, *stop)
        self._pads[0].send_event(seek)
        return False


def _hide_the_length(_pad: Any, info: Any) -> Any:
    """Clients stop at the end that a server announces."""
    asks = info.get_query().type == Gst.QueryType.DURATION
    return Gst.PadProbeReturn.DROP if asks else Gst.PadProbeReturn.OK


def _media_type(pad: Any) -> str:
    return str((pad.get_current_caps() or pad.query_caps(None)).get_structure(0).get_name())


def _post(pipeline: Any) -> None:
    structure = Gst.Structure.new_empty("tracks-known")
    pipeline.get_bus().post(Gst.Message.new_application(pipeline, structure))


def main() -> None:
    parser = argparse.ArgumentParser(prog="rtsp_server", description="Serve an mp4 over RTSP on loopback.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--loop", action="store_true", help="begin again at the end")
    parser.add_argument("--login", metavar="USER:PASSWORD", help="ask for a login")
    parser.add_argument("--lose", type=float, default=0.0, help="share of the pictures that get lost")
    parser.add_argument("--no-keyframes", action="store_true", help="send only what needs one")
    options = parser.parse_args()
    Gst.init(None)
    loop = GLib.MainLoop()
    server = Server(
        options.clip.resolve(),
        options.port,
        loop=options.loop,
        login=options.login,
        lose=options.lose,
        keyframes=not options.no_keyframes,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    sys.stdout.write(f"ready {server.url}\n")
    sys.stdout.flush()
    loop.run()


if __name__ == "__main__":
    main()
