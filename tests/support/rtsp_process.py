"""The RTSP server as a process of its own, to be killed, frozen and started again at the same address."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import pytest

from tests.support.broker import free_port


class RtspProcess:
    """Serves `clip` over and over, as a camera would; starts in a `with` block."""

    def __init__(self, clip: Path, *options: str) -> None:
        self.port = free_port()
        self._clip = clip
        self._options = options
        self._process: subprocess.Popen[str] | None = None

    def show(self, clip: Path) -> None:
        """From its next start on."""
        self._clip = clip

    @property
    def _command(self) -> list[str]:
        command = [sys.executable, "-m", "tests.support.rtsp_server", str(self._clip), "--loop"]
        return [*command, "--port", str(self.port), *self._options]

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/clip"

    def start(self) -> None:
        """Returns once clients may come."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        if not self._process.stdout.readline().startswith("ready"):
            pytest.skip("no RTSP server: apt install gir1.2-gst-rtsp-server-1.0")

    def kill9(self) -> None:
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Its connections stay open and nothing comes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> RtspProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill9()
