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


def certify(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that its owner made, and its key."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    make = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout"
    subprocess.run([*make.split(), str(key), "-out", str(certificate)], check=True, capture_output=True)
    return certificate, key


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    (certificate, key), port = certify(tmp_path, "cam"), free_port()
    command = [sys.executable, "-c", _SERVER, str(port), str(certificate), str(key)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        if not server.stdout.readline().startswith("ready"):
            pytest.skip("no RTSP server: apt install gir1.2-gst-rtsp-server-1.0")
        yield f"rtsps://127.0.0.1:{port}/clip"
        server.kill()


def frame_of(url: str, ca_file: Path | None) -> bool:
    """Whether a picture comes; SourceError if the camera is not trusted."""
    source = GstFrameSource("gate", url, SystemClock(), options=MediaOptions(ca_file=ca_file))
    try:
        source.open()
        while source.read(0.25) is None:
            pass
    finally:
        source.close()
    return True


def test_a_camera_is_trusted_by_its_own_certificate(url: str, tmp_path: Path) -> None:
    assert frame_of(url, tmp_path / "cam.pem")


def test_a_certificate_that_nobody_signed_is_refused(url: str) -> None:
    with pytest.raises(SourceError, match="ca_file") as caught:
        frame_of(url, None)
    assert caught.value.cause == "unreachable"


def test_another_cameras_certificate_is_refused(url: str, tmp_path: Path) -> None:
    other, _ = certify(tmp_path, "other")
    with pytest.raises(SourceError, match="its certificate is not valid"):
        frame_of(url, other)


def test_a_file_without_a_certificate_is_told(url: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    with pytest.raises(SourceError, match=r"certificate"):
        frame_of(url, tmp_path / "empty.pem")
