"""`observations.jsonl`: everything that was noticed, for replay and for tuning rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
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
    except (TypeError, ValueError, KeyError) as error:
        raise StorageError(f"not an observation: {line[:80]!r} ({error})") from error


def read(lines: Iterable[str]) -> Iterator[Observation]:
    """The observations of a journal, in order."""
    return (from_line(line) for line in lines if line.strip())


def _observation(fields: dict[str, Any]) -> Observation:
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
    """Appends observations to a file, which is turned over once when it is full."""

    def __init__(self, path: Path, part: Part, *, max_bytes: int = 50_000_000) -> None:
        self._path = path
        self._part = part
        self._max_bytes = max_bytes
        part.set(State.OK)

    def write(self, observation: Observation) -> None:
        """Never raises: a full disk turns this part's health and nothing else."""
        try:
            self._append(to_line(observation) + "\n")
        except OSError as error:
            self._part.set(State.DEGRADED, f"cannot write {self._path}: {error.strerror}")
        else:
            self._part.set(State.OK)

    def _append(self, line: str) -> None:
        if self._path.exists() and self._path.stat().st_size > self._max_bytes:
            self._path.replace(self._path.with_suffix(".1.jsonl"))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line)
