"""What the service and `edgeguard drill` say to each other: small files in the state folder, mode 0600.

`request.json` asks for a drill, `progress.json` tells how it goes, `verdict.json` is the subscriber's word,
`last.json` is what is remembered. Files need no port, no thread and no right beyond those of the folder.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from edgeguard.errors import StorageError, UnavailableError

_FRESH_NS = 60_000_000_000
_MOST_BYTES = 65_536
_OF_SUBSCRIBERS = ("not_received", "subscriber_lost")
"""Codes that the broker's acknowledgement does not disprove."""


@dataclass(frozen=True, slots=True)
class DrillRequest:
    """Somebody wants a drill."""

    drill_id: str
    timeout_s: float
    asked_utc_ns: int
    subscriber: bool = True
    """Whether a subscriber listens, whose verdict counts."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the subscriber heard."""

    drill_id: str
    received_ns: dict[str, int]
    """Monotonic times, by alert id."""
    reason: str | None = None
    """Why it could not listen; None: it listened to the end."""


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of drills."""

    watched_utc_ns: int = 0
    """Since when one is waited for."""
    passed_utc_ns: int | None = None
    took_s: float | None = None
    passed: int = 0
    missed: int = 0
    missed_utc_ns: int | None = None
    reason: str | None = None
    """Why the last one was missed; None: it passed."""
    code: str | None = None
    heard_utc_ns: int | None = None
    """When one passed last whose alerts a subscriber had."""
    overdue: bool = False
    """None passed for too long."""

    def with_pass(self, utc_ns: int, took_s: float, *, heard: bool = True) -> Record:
        """One that no subscriber judged does not answer why another had no alerts."""
        passed = replace(self, passed_utc_ns=utc_ns, took_s=took_s, passed=self.passed + 1, overdue=False)
        if heard:
            return replace(passed, heard_utc_ns=utc_ns, reason=None, code=None)
        return passed if self.code in _OF_SUBSCRIBERS else replace(passed, reason=None, code=None)

    def with_miss(self, utc_ns: int, reason: str, code: str) -> Record:
        return replace(self, missed_utc_ns=utc_ns, missed=self.missed + 1, reason=reason, code=code)


class DrillFolder:
    """`state_dir`/drill; whoever may write there may ask for a drill."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir
        self._folder = state_dir / "drill"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One command at a time: two would take each other's connection to the broker.

        Raises UnavailableError where another one holds a drill, or no service ever made the state folder;
        StorageError if that cannot be found out.
        """
        with ExitStack() as stack:
            try:
                state = stack.enter_context(_opened(self._state_dir))
                fcntl.flock(stack.enter_context(_opened("drill", state)), fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UnavailableError("somebody else holds a drill now") from error
            except FileNotFoundError as error:
                raise UnavailableError(
                    "the service does not run with this configuration: there is no folder "
                    f"{self._state_dir}, which it makes when it starts"
                ) from error
            except OSError as error:
                raise StorageError(f"cannot write {self._folder}: {error.strerror}") from error
            yield

    def ask(self, request: DrillRequest) -> None:
        self._write("request", asdict(request))

    def take_request(self, utc_ns: int) -> DrillRequest | None:
        """The request that waits, once; one of long ago is nobody's any more."""
        told = self._read("request")
        if told is None:
            return None
        self.withdraw()
        with suppress(KeyError, TypeError, ValueError):
            request = DrillRequest(
                str(told["drill_id"]),
                float(told["timeout_s"]),
                int(told["asked_utc_ns"]),
                bool(told["subscriber"]),
            )
            return request if abs(utc_ns - request.asked_utc_ns) < _FRESH_NS else None
        return None

    def withdraw(self) -> None:
        """Take back a request that nobody took."""
        with suppress(OSError):
            (self._folder / "request.json").unlink()

    def judge(self, verdict: Verdict) -> None:
        self._write("verdict", asdict(verdict))

    def verdict(self, drill_id: str) -> Verdict | None:
        """The subscriber's word on that drill."""
        told = self._read("verdict")
        if told is None or told.get("drill_id") != drill_id:
            return None
        received = told.get("received_ns")
        reason = told.get("reason")
        return Verdict(
            drill_id,
            received if isinstance(received, dict) else {},
            reason if isinstance(reason, str) else None,
        )

    def tell(self, progress: dict[str, Any]) -> None:
        self._write("progress", progress)

    def progress(self) -> dict[str, Any] | None:
        return self._read("progress")

    def remember(self, record: Record) -> None:
        self._write("last", asdict(record))

    def record(self) -> Record:
        """What is remembered; a damaged file is as good as none."""
        told = self._read("last") or {}
        known = {name: value for name, value in told.items() if name in Record.__dataclass_fields__}
        with suppress(TypeError):
            return Record(**known)
        return Record()

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            with (self._folder / f"{name}.json").open("rb") as file:
                told = json.loads(file.read(_MOST_BYTES))
        except (OSError, ValueError):
            return None
        return told if isinstance(told, dict) else None

    def _write(self, name: str, content: dict[str, Any]) -> None:
        """Whole or not at all, for the folder's owner alone, whoever writes. Raises StorageError."""
        try:
            with _opened(self._state_dir) as state, _opened("drill", state) as folder:
                _put(f"{name}.json", json.dumps(content).encode(), folder)
        except OSError as error:
            raise StorageError(f"cannot write {self._folder / name}.json: {error.strerror}") from error


@contextmanager
def _opened(folder: Path | str, inside: int | None = None) -> Iterator[int]:
    """A descriptor of a folder, made if need be; never what a link leads to: root may be the one who asks."""
    if inside is not None:
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700, dir_fd=inside)
    found = os.open(folder, os.O_DIRECTORY | (0 if inside is None else os.O_NOFOLLOW), dir_fd=inside)
    try:
        if inside is not None:
            _give(found, os.fstat(inside))
        yield found
    finally:
        os.close(found)


def _put(name: str, data: bytes, folder: int) -> None:
    part = f"{name}.{os.getpid()}.part"
    try:
        with suppress(FileNotFoundError):
            os.unlink(part, dir_fd=folder)
        made = os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600, dir_fd=folder)
        with os.fdopen(made, "wb") as file:
            _give(made, os.fstat(folder))
            file.write(data)
        os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(part, dir_fd=folder)
        raise


def _give(descriptor: int, like: os.stat_result) -> None:
    """What root makes belongs to the owner of the folder that it lies in."""
    if os.geteuid() == 0 and os.fstat(descriptor).st_uid != like.st_uid:
        os.fchown(descriptor, like.st_uid, like.st_gid)
