"""A guarded street with all that can fail: cameras, a broker, a collector, a disk, and the guard itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from _centre import CollectorProgram
from _chaos_orders import OFFSET, give
from _chaos_watch import Ear, HealthWatch
from _programs import Mosquitto, free_port, write_yaml
from _proxy import Proxy
from _street import Street
from _street_camera import MOUNT, StreetCamera
from _supervisor import Supervisor

Json = dict[str, Any]
SITE, DEVICE = "street", "guard-1"
MICROPHONE = "yard-mic"
STALL_S, KEEPALIVE_S = 2.0, 5
_GUARD = Path(__file__).with_name("_chaos_guard.py")
_DISK_BYTES = 160 << 20


@dataclass
class ChaosSite:
    """Open it in a `with` block; it ends all that it started."""

    folder: Path
    seed: int
    watchdog_s: float
    streets: list[Street] = field(default_factory=lambda: [Street("yard"), Street("lane", 1.4)])
    offset_ns: int = 0
    """By how much the guard's UTC is ahead."""
    has_disk: bool = False
    """Whether its state lies on a small disk of its own, which can be filled."""

    def __enter__(self) -> ChaosSite:
        self._stack = stack = ExitStack()
        try:
            self._open(stack)
        except BaseException:
            stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            sys.stderr.write(self.guard.log[-12_000:])
        self._stack.close()

    def _open(self, stack: ExitStack) -> None:
        self.state = self.folder / "state"
        self.has_disk = stack.enter_context(_small_disk(self.state))
        self.broker = stack.enter_context(Mosquitto(self.folder))
        self.broker.start()
        self.network = stack.enter_context(Proxy(self.broker.port, self.seed))
        self.collector = stack.enter_context(CollectorProgram(self.folder, self.broker.port))
        self.collector.start()
        self.collector.wait_until_ready()
        self.cameras = {
            street.name: stack.enter_context(StreetCamera(street, self.folder)) for street in self.streets
        }
        for camera in self.cameras.values():
            camera.serve()
        self.ear = stack.enter_context(Ear(self.broker.port))
        health_port = free_port()
        config = write_yaml(self.folder / "edgeguard.yaml", self._config(health_port))
        command = [sys.executable, str(_GUARD), str(config)]
        self.guard = Supervisor(command, self.folder, watchdog_s=self.watchdog_s)
        self.health = stack.enter_context(HealthWatch(health_port, lambda: self.guard.run.pid))
        stack.enter_context(self.guard)

    def _config(self, health_port: int) -> Json:
        urls = {name: f"rtsp://127.0.0.1:{camera.port}{MOUNT}" for name, camera in self.cameras.items()}
        reach = {"connect_s": 4, "stall_s": STALL_S, "retry_max_s": 2}
        return {
            "site": SITE,
            "device": DEVICE,
            "state_dir": str(self.state),
            "detector": {"model": "motion"},
            "models": {"dir": "models"},
            "cameras": {street.name: street.camera(urls[street.name], **reach) for street in self.streets}
            | {"hall": {"url": "scene://hall?width=160&height=90", "analyse_fps": 2}},
            "microphones": {
                MICROPHONE: {
                    "url": urls["yard"],
                    "camera": "yard",
                    "sync_limit_ms": 0,
                    "speech": False,
                    "sounds": False,
                    "checks": {"after_s": 1, "clear_s": 1},
                    **reach,
                }
            },
            "rules": [
                *(rule for street in self.streets for rule in street.rules()),
                {
                    "kind": "microphone_fault",
                    "name": f"{MICROPHONE}-dead",
                    "faults": ["dead"],
                    "cooldown_s": 0,
                },
            ],
            "mqtt": {
                "host": "127.0.0.1",
                "port": self.network.port,
                "custody": "receipt",
                "keepalive_s": KEEPALIVE_S,
                "retry_s": 2,
            },
            "health": {"interval_s": 1, "http_port": health_port},
            "log": {"observations": True},
        }

    def order(self, kind: str, **more: object) -> int:
        """Have the guard do it; when it took effect (monotonic ns). Raises RuntimeError."""
        return give(self.folder, kind, **more)

    def jump(self, seconds: float) -> int:
        """Step the guard's UTC; when (monotonic)."""
        self.offset_ns += round(seconds * 1e9)
        (self.folder / OFFSET).write_text(str(self.offset_ns))
        return self.order("jump", offset_ns=self.offset_ns)

    def kill_guard(self) -> None:
        self.guard.signal(signal.SIGKILL)

    @property
    def filler(self) -> Path:
        """What takes the room on the disk."""
        return self.state / "filler"


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """`folder` as a disk of its own, where this user may mount one."""
    folder.mkdir(mode=0o750)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES},mode=750", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
