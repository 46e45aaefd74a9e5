"""The collector's HTTP thread."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

import uvicorn

from edgeguard.collector.api import App
from edgeguard.errors import StorageError
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.stage import STEP_S, Stage

_MOST_CONNECTIONS = 200
_IDLE_S = 15
_STOP_S = 2


class ServingStage(Stage):
    """Serves the application that `make` gives; a port that is taken is tried again."""

    name = "http"

    def __init__(
        self,
        make: Callable[[], App],
        host: str,
        port: int,
        part: Part,
        certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self._make = make
        self._host = host
        self._port = port
        self._part = part
        self._certificate = certificate
        self._app: App | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None
        self._pause = threading.Event()

    def open(self) -> None:
        listener = _listen(self._host, self._port)
        try:
            self._server = uvicorn.Server(self._config())
        except OSError as error:
            listener.close()
            raise StorageError(f"cannot serve HTTPS with {self._certificate}: {error}") from error
        serve = self._server.run
        self._thread = threading.Thread(target=lambda: serve([listener]), name="http-server", daemon=True)
        self._thread.start()
        scheme = "https" if self._certificate else "http"
        self._part.note(address=f"{scheme}://{self._host}:{listener.getsockname()[1]}")
        self._part.set(State.OK)

    def step(self) -> None:
        self._pause.wait(STEP_S)
        if self._thread is None or not self._thread.is_alive():
            raise StorageError("the HTTP server ended by itself; see the log")

    def close(self) -> None:
        if self._app is not None:
            self._app.state.desk.stopping = True
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(2 * _STOP_S)
        self._server = self._thread = None

    def _config(self) -> uvicorn.Config:
        self._app = self._make()
        certificate, key = self._certificate or (None, None)
        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            ws="none",
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_STOP_S,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        config.load()
        return config


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=_family(host), backlog=128)
    except OSError as error:
        raise StorageError(f"cannot serve HTTP on {host}:{port}: {error.strerror or error}") from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
