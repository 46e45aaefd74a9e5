"""The observation log: everything that was noticed, for replay and for tuning rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edgeguard.errors import StorageError
from edgeguard.runtime.health import Part, State
from edgeguard.types import Joined, Measure, Observation, Phase, Stages


def to_line(observation: Observation) -> str:
    """One JSON object without a line break."""
    fields = asdict(observation)
    if not observation.joined:
        del fields["joined"]
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def from_line(line: str) -> Observation:
    """The observation of `to_line`. Raises StorageError for anything else."""
    try:
        return _observation(json.loads(line))
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        raise StorageError(f"not an observation: {line[:80]!r} ({error})") from error


def read_files(paths: Iterable[Path]) -> Iterator[Observation]:
    """The observations of these files, in their order; a torn last line costs itself alone.

    Raises StorageError for a file that cannot be read, or that is none of these.
    """
    for path in paths:
        try:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        except (OSError, UnicodeDecodeError) as error:
            raise StorageError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from error
        for number, line in enumerate(lines, 1):
            try:
                if line.strip():
                    yield from_line(line)
            except StorageError as error:
                if number < len(lines) or line.endswith("\n"):
                    raise StorageError(f"{path}:{number}: {error}") from error


def read(lines: Iterable[str]) -> Iterator[Observation]:
    """The observations of a journal, in order."""
    return (from_line(line) for line in lines if line.strip())


def _observation(fields: dict[str, Any]) -> Observation:
    if not (type(fields["pts_ns"]) is type(fields["utc_ns"]) is int and isinstance(fields["source"], str)):
        raise ValueError("its times must be whole nanoseconds, its source a name")
    return Observation(
        **{
            **fields,
            "phase": Phase(fields["phase"]),
            "track_ids": tuple(fields["track_ids"]),
            "measures": tuple(Measure(**measure) for measure in fields["measures"]),
            "joined": tuple(
                Joined(**{**one, "track_ids": tuple(one["track_ids"])}) for one in fields.get("joined", ())
            ),
            "stages": Stages(**fields["stages"]),
        }
    )


class Journal:
    """Appends observations to one file a day (UTC) in `folder`; the oldest give way to days and bytes.

    Whole sentences are left out: they are kept as transcripts alone, for as long as those are.
    A day that grows beyond `max_bytes` by itself is not written on: what is missing is counted.
    """

    def __init__(
        self,
        folder: Path,
        part: Part,
        *,
        max_days: float = 14.0,
        max_bytes: int = 500_000_000,
        ages_to: Callable[[], int] | None = None,
    ) -> None:
        """`ages_to` is the UTC (ns) that ages are counted to, in place of the observations'."""
        self._folder = folder
        self._part = part
        self._max_days = max_days
        self._max_bytes = max_bytes
        self._ages_to = ages_to
        self._path: Path | None = None
        self._room = 0
        """Bytes that may still be written before room is made."""
        part.set(State.OK)

    def write(self, observation: Observation) -> None:
        """Never raises: a full disk turns this part's health and nothing else."""
        if observation.kind == "utterance":
            observation = replace(observation, text=None)
        line = f"{to_line(observation)}\n".encode()
        try:
            kept = self._append(observation.utc_ns, line)
        except OSError as error:
            self._path = None
            self._part.set(State.DEGRADED, f"cannot write to {self._folder}: {error.strerror}", "storage")
        else:
            self._part.count("written" if kept else "beyond_max_bytes")
            self._part.set(State.OK)

    def _append(self, utc_ns: int, line: bytes) -> bool:
        path = self._folder / f"{datetime.fromtimestamp(utc_ns // 10**9, timezone.utc):%Y-%m-%d}.jsonl"
        if path != self._path:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._path = path
            self._room = self._make_room(utc_ns)
        elif self._room < len(line):
            self._room = self._make_room(utc_ns)
        if self._room < len(line):
            return False
        with path.open("ab") as file:
            file.write(line)
        self._room -= len(line)
        return True

    def _make_room(self, utc_ns: int) -> int:
        """Delete the files that are too old or too much, never today's; the bytes that are free then."""
        sizes = _sizes(self._folder)
        utc_ns = utc_ns if self._ages_to is None else self._ages_to()
        for path in surplus(self._folder, utc_ns, self._max_days, round(self._max_bytes * 0.9), self._path):
            path.unlink(missing_ok=True)
            sizes.pop(path, None)
        return self._max_bytes - sum(sizes.values())


def surplus(
    folder: Path, utc_ns: int, max_days: float, max_bytes: int, written: Path | None = None
) -> list[Path]:
    """The days that are too old, or too much, oldest first; never `written`, else today's. Raises OSError."""
    oldest = datetime.fromtimestamp(utc_ns / 1e9 - max_days * 86_400, timezone.utc)
    today = datetime.fromtimestamp(utc_ns / 1e9, timezone.utc)
    kept = written or folder / f"{today:%Y-%m-%d}.jsonl"
    sizes = _sizes(folder)
    total, removed = sum(sizes.values()), []
    for path in sorted(sizes):
        if path != kept and (path.stem < f"{oldest:%Y-%m-%d}" or total > max_bytes):
            removed.append(path)
            total -= sizes[path]
    return removed


def _sizes(folder: Path) -> dict[Path, int]:
    """Bytes of each day's file; another program may remove some meanwhile."""
    sizes = {}
    for path in folder.glob("????-??-??.jsonl"):
        with suppress(FileNotFoundError):
            sizes[path] = path.stat().st_size
    return sizes
