"""An upstream on the loopback interface that can be told to misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


class Upstream:
    """Serves `files`, by path; `requests` lists the path and the Range header of each request."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cuts: list[int] = []
        """For each request to come: how many bytes of the answer arrive before the line goes dead."""
        self.redirects: dict[str, str] = {}
        self.refusals: dict[str, int] = {}
        self.ranges = True
        self.requests: list[tuple[str, str | None]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def add(self, path: str, data: bytes) -> str:
        self.files[path] = data
        return self.url(path)

    def _handler(upstream) -> type[BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                upstream.requests.append((self.path, wanted))
                if self.path in upstream.redirects:
                    self.send_response(302)
                    self.send_header("Location", upstream.redirects[self.path])
                    self.end_headers()
                elif self.path in upstream.refusals or self.path not in upstream.files:
                    self.send_error(upstream.refusals.get(self.path, 404))
                else:
                    self._send(upstream.files[self.path], wanted)

            def _send(self, data: bytes, wanted: str | None) -> None:
                start = int(wanted[len("bytes=") : -1]) if wanted and upstream.ranges else 0
                if start >= len(data):
                    self.send_error(416)
                    return
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                cut = upstream.cuts.pop(0) if upstream.cuts else len(data)
                self.wfile.write(data[start : start + cut])

            def log_message(self, *args: object) -> None:
                pass

        return Handler


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    thread = threading.Thread(target=upstream.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield upstream
    upstream.server.shutdown()
    upstream.server.server_close()
    thread.join()
