"""A camera behind TLS whose certificate is its own work, as most are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.capture import GstFrameSource
from edgeguard.clock import SystemClock
from edgeguard.errors import SourceError
from edgeguard.media import MediaOptions
from tests.support.broker import free_port

_SERVER = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GLib, GstRtspServer, Gio
Gst.init(None)
server, auth, factory = GstRtspServer.RTSPServer(), GstRtspServer.RTSPAuth(), GstRtspServer.RTSPMediaFactory()
server.set_address("127.0.0.1"); server.set_service(sys.argv[1])
auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(sys.argv[2], sys.argv[3]))
token, permissions = GstRtspServer.RTSPToken(), GstRtspServer.RTSPPermissions()
token.set_string("media.factory.role", "anyone"); auth.set_default_token(token); server.set_auth(auth)
for right in ("media.factory.access", "media.factory.construct"):
    permissions.add_permission_for_role("anyone", right, True)
factory.set_permissions(permissions)
factory.set_launch("( videotestsrc is-live=true ! x264enc tune=zerolatency ! rtph264pay name=pay0 )")
server.get_mount_points().add_factory("/clip", factory); server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    key, certificate, port = tmp_path / "key.pem", tmp_path / "certificate.pem", free_port()
    make = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=cam -keyout"
    subprocess.run([*make.split(), str(key), "-out", str(certificate)], check=True, capture_output=True)
    command = [sys.executable, "-c", _SERVER, str(port), str(certificate), str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        if not server.stdout.readline().startswith("ready"):
            pytest.skip("no RTSP server: apt install gir1.2-gst-rtsp-server-1.0")
        yield f"rtsps://127.0.0.1:{port}/clip"
        server.kill()


def test_a_certificate_that_nobody_signed_is_refused_unless_any_will_do(url: str) -> None:
    source = GstFrameSource("gate", url, SystemClock())
    with pytest.raises(SourceError, match="verify_tls") as caught:
        source.open()
        while True:
            source.read(0.25)
    source.close()
    assert caught.value.cause == "unreachable"
    source = GstFrameSource("gate", url, SystemClock(), options=MediaOptions(verify_tls=False))
    source.open()
    while source.read(0.25) is None:
        pass
    source.close()
