"""The two example dashboards as processes: what they print is read, what they are told is typed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_for

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "dashboards"
LANGUAGES = ("python", "javascript")


def command(language: str) -> list[str]:
    """How the example is started; the test is skipped where that is not possible."""
    if language == "python":
        return [sys.executable, str(EXAMPLES / "subscriber.py")]
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: apt install nodejs npm")
    if not (EXAMPLES / "node_modules" / "mqtt").exists():
        pytest.skip("MQTT.js is not installed: npm install in docs/dashboards")
    return [node, str(EXAMPLES / "subscriber.mjs")]


class Terminal:
    """A dashboard that runs in `folder` with `settings`; it can be killed and started again."""

    def __init__(self, language: str, folder: Path, settings: dict[str, Any]) -> None:
        shipped = json.loads((EXAMPLES / "dashboard.json").read_text())
        own = {key: value for key, value in shipped.items() if not key.endswith("_file")}
        self._file = folder / "dashboard.json"
        self._file.write_text(
            json.dumps(
                {**own, "state_file": "state.json", "late_after_s": 2, "silent_after_s": 5, **settings}
            )
        )
        self._command = [*command(language), str(self._file)]
        self.lines: list[str] = []

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines = []
        threading.Thread(target=self._read, args=(self._process, self.lines), daemon=True).start()
        wait_for(lambda: "connected" in self.lines, f"connected: {self.lines}", 40)

    def wait_for(self, words: str, timeout_s: float = 40.0) -> str:
        """The first line with `words`."""
        try:
            return wait_for(lambda: self.having(words), repr(words), timeout_s)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {self.lines}") from None

    @property
    def remembered(self) -> str:
        """What a restart would find."""
        file = self._file.with_name("state.json")
        return file.read_text() if file.exists() else ""

    def having(self, words: str) -> list[str]:
        return [line for line in list(self.lines) if words in line]

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def kill9(self) -> None:
        self._process.kill()
        self._process.wait(10)

    def quit(self) -> int:
        self.type("quit")
        return self._process.wait(20)

    def __enter__(self) -> Terminal:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill9()

    @staticmethod
    def _read(process: subprocess.Popen[str], lines: list[str]) -> None:
        assert process.stdout is not None
        lines.extend(line.rstrip() for line in process.stdout)
