"""The health report on a loopback port, for probes on the box itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from edgeguard.errors import StorageError
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.metrics import CONTENT_TYPE, exposition
from edgeguard.runtime.stage import STEP_S, Stage

_LOOPBACK = "127.0.0.1"


class HealthServer:
    """Answers `GET /health` with JSON: status 200 while the daemon does its work, 503 while degraded; and
    `GET /metrics` with the same for Prometheus."""

    def __init__(self, port: int, report: Callable[[], dict[str, Any]]) -> None:
        handler = type("Handler", (_Handler,), {"report": staticmethod(report)})
        try:
            self._server = ThreadingHTTPServer((_LOOPBACK, port), handler)
        except OSError as error:
            raise StorageError(f"cannot serve health on {_LOOPBACK}:{port}: {error.strerror}") from error
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="health-http", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class HealthStage(Stage):
    """Serves the report that `report` gives; a port that is taken is tried again."""

    name = "health-port"

    def __init__(self, port: int, report: Callable[[], dict[str, Any]], part: Part) -> None:
        self._port = port
        self._report = report
        self._part = part
        self._server: HealthServer | None = None
        self._pause = threading.Event()

    def open(self) -> None:
        self._server = HealthServer(self._port, self._report)
        self._server.start()
        self._part.set(State.OK)

    def step(self) -> None:
        self._pause.wait(STEP_S)

    def close(self) -> None:
        if self._server is not None:
            self._server.stop()
            self._server = None


class _Handler(BaseHTTPRequestHandler):
    report: Callable[[], dict[str, Any]]
    timeout = 5
    server_version = "edgeguard"
    sys_version = ""

    def do_GET(self) -> None:
        if self.path == "/health":
            report = self.report()
            body = json.dumps(report, ensure_ascii=False).encode()
            self._answer(503 if report["state"] == "degraded" else 200, "application/json", body)
        elif self.path == "/metrics":
            self._answer(200, CONTENT_TYPE, exposition(self.report))
        else:
            self.send_error(404)

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Probes come every few seconds; they are not news."""
