"""A site's broker as it ships: the files of `deploy/broker`, certificates of an authority of its own."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

from edgeguard.alerts.link import Endpoint, Tls
from edgeguard.broker.authority import Authority, Issued
from edgeguard.clock import ManualClock, SystemClock
from tests.support.broker import Broker, free_port

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "broker"
DAYS = 30


class Site:
    """Makes what an installer makes; `wall` has a password too, for WebSocket."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority.create(folder / "pki", "Depot", SystemClock())
        self.ca = folder / "pki" / "ca.crt"
        self._installed = folder / "installed"
        self._installed.mkdir()
        (folder / "data").mkdir()
        self._install()
        self.websocket_port = free_port()
        self.broker = _Shipped(folder, self.websocket_port)

    def install_crl(self) -> None:
        shutil.copy(self.folder / "pki" / "ca.crl", self._installed)

    def tls(self, name: str) -> Tls:
        """Certificate and key of a device or user, made now."""
        return self.tls_of(self.authority.client(name, DAYS))

    def tls_of(self, issued: Issued) -> Tls:
        return Tls(self.ca, issued.certificate, issued.key)

    def expired(self, name: str) -> Tls:
        """What was good for `DAYS`, a year ago."""
        then = ManualClock(utc_offset_ns=SystemClock().utc_ns() - 365 * 86_400 * 10**9)
        return self.tls_of(Authority(self.folder / "pki", then).client(name, DAYS))

    def endpoint(self, client_id: str, tls: Tls, host: str = "localhost") -> Endpoint:
        return Endpoint(
            host, self.broker.port, client_id, tls=tls, session_expiry_s=0, reconnect_s=(0.1, 0.2)
        )

    def _install(self) -> None:
        server = self.authority.server(["localhost"], DAYS)
        assert server.key is not None
        shutil.copy(server.certificate, self._installed / "server.crt")
        shutil.copy(server.key, self._installed / "server.key")
        shutil.copy(self.ca, self._installed)
        shutil.copy(SHIPPED / "acl", self._installed)
        self.install_crl()
        (self._installed / "passwords").write_text("control-room:right\n")
        subprocess.run(["mosquitto_passwd", "-U", self._installed / "passwords"], check=True)


class _Shipped(Broker):
    """mosquitto.conf with other paths and ports; on loopback, and as whoever runs the tests."""

    def __init__(self, folder: Path, websocket_port: int) -> None:
        super().__init__(folder)
        text = (SHIPPED / "mosquitto.conf").read_text()
        for shipped, here in (
            ("/etc/mosquitto/edgeguard/", f"{folder}/installed/"),
            ("/var/lib/mosquitto/", f"{folder}/data/"),
            ("listener 8883\n", f"listener {self.port} 127.0.0.1\n"),
            ("listener 8884\n", f"listener {websocket_port} 127.0.0.1\n"),
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        self._config.write_text(f"{text}user root\n")

    def reload(self) -> None:
        """Rights, certificates and revocations are read again."""
        self._running.send_signal(signal.SIGHUP)
