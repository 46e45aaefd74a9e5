"""A network camera that looks at a `Street`: `python tools/_street_camera.py NAME --port PORT`.

H.264 and G.711 over RTSP at `rtsp://127.0.0.1:PORT/street`. It shows the present: whoever connects sees what
is going on in the street at that moment. All clients share one encoder, as with a camera.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import Any

import gi
from _programs import Program, answers, free_port, wait_for
from _street import FPS, HEIGHT, SOUND_HZ, WIDTH, Street

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

MOUNT = "/street"
_APPSRC = "appsrc is-live=true format=time do-timestamp=true block=false max-bytes=4000000"
_LINE = (
    f"( {_APPSRC} name=picture caps=video/x-raw,format=BGR,width={WIDTH},height={HEIGHT},framerate={FPS}/1 "
    "! videoconvert ! video/x-raw,format=I420 ! x264enc speed-preset=ultrafast tune=zerolatency "
    "key-int-max=10 threads=1 ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 "
    f"{_APPSRC} name=sound caps=audio/x-raw,format=S16LE,layout=interleaved,channels=1,rate={SOUND_HZ} "
    "! mulawenc ! rtppcmupay name=pay1 pt=0 )"
)


class StreetCamera(Program):
    """The camera as a process, to be killed, frozen and started again at the same address."""

    def __init__(self, street: Street, folder: Path) -> None:
        self.port = free_port()
        command = [sys.executable, __file__, street.name, "--port", str(self.port)]
        command += ["--phase", str(street.phase_s), *([] if street.people else ["--empty"])]
        super().__init__(f"camera-{street.name}", command, folder)

    def serve(self) -> None:
        """Returns once it takes connections."""
        self.start()
        wait_for(lambda: answers(self.port), f"{self.name} answers", 20.0, 0.01)


class _Feed:
    """Pushes pictures and sound into the running encoder, if a client made one."""

    def __init__(self, street: Street) -> None:
        self._street = street
        self._sources: tuple[Any, Any] | None = None
        self._heard_s = 0.0

    def attach(self, _factory: Any, media: Any) -> None:
        element = media.get_element()
        sources = (element.get_by_name("picture"), element.get_by_name("sound"))
        self._sources, self._heard_s = sources, time.monotonic()
        media.connect("unprepared", lambda _media: self._detach(sources))

    def tick(self) -> bool:
        now_s = time.monotonic()
        if self._sources is not None:
            picture, sound = self._sources
            picture.emit("push-buffer", Gst.Buffer.new_wrapped(self._street.picture(now_s).tobytes()))
            self._heard_s = max(self._heard_s, now_s - 1.0)  # after it was frozen, not all at once
            samples = int((now_s - self._heard_s) * SOUND_HZ)
            heard = self._street.sound(self._heard_s, samples)
            sound.emit("push-buffer", Gst.Buffer.new_wrapped(heard.tobytes()))
            self._heard_s += samples / SOUND_HZ
        return True

    def _detach(self, sources: tuple[Any, Any]) -> None:
        """Unless somebody else has come meanwhile, who got an encoder of his own."""
        if self._sources is sources:
            self._sources = None


def main() -> None:
    parser = argparse.ArgumentParser(description="Show a street over RTSP on loopback.")
    parser.add_argument("name")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--phase", type=float, default=0.0, help="seconds by which its people are late")
    parser.add_argument("--empty", action="store_true", help="nobody passes")
    options = parser.parse_args()
    Gst.init(None)
    feed = _Feed(Street(options.name, options.phase, people=not options.empty))
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(_LINE)
    factory.set_shared(True)
    factory.connect("media-configure", feed.attach)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    server.get_mount_points().add_factory(MOUNT, factory)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on 127.0.0.1:{options.port}")
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_HIGH, signal.SIGTERM, loop.quit)
    GLib.timeout_add(1000 // FPS, feed.tick)
    loop.run()


if __name__ == "__main__":
    main()
