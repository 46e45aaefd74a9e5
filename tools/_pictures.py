"""A program on a terminal of its own: what it prints is read, what it asks is answered, and drawn as SVG."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 112, 60
PATIENCE_S = 90.0
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Session:
    """One run of `command` in `folder`."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "PYTHONUNBUFFERED": "1"}
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._printed = ""
        self._read_to = 0

    def wait_for(self, pattern: str, *, anew: bool = False) -> re.Match[str]:
        """What matches; `anew`: only in what came since the last match. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            found = re.compile(pattern).search(self._printed, self._read_to if anew else 0)
            if found:
                self._read_to = found.end()
                return found
            if not self._read(0.2) and self._process.poll() is not None:
                break
        raise TimeoutError(f"no {pattern!r} in {self._printed[-2000:]}")

    def type(self, text: str) -> None:
        os.write(self._mine, f"{text}\n".encode())

    def end(self, *, interrupt: bool = True) -> str:
        """Everything that it printed, once it ended; with `interrupt` as by Ctrl-C."""
        if interrupt:
            self._read(0.5)
            self._process.send_signal(signal.SIGINT)
            self._process.wait(20)
            return self._printed
        deadline = time.monotonic() + PATIENCE_S
        while self._process.poll() is None and time.monotonic() < deadline:
            self._read(0.2)
        self._read(0.2)
        return self._printed

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._mine], [], [], timeout_s)
        with contextlib.suppress(OSError):  # the other end is closed: it ended
            if ready:
                self._printed += os.read(self._mine, 65_536).decode("utf-8", "replace").replace("\r\n", "\n")
                return True
        return False


def svg(text: str, title: str) -> str:
    """The picture of a terminal that shows `text`; it asks for no font from elsewhere."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(text.rstrip()), soft_wrap=False)
    drawn = console.export_svg(title=title, unique_id=title)
    return _FONT.sub("", drawn).replace("Fira Code, monospace", "monospace")
