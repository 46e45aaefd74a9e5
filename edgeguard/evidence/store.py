"""A folder of evidence: `<day>/<alert id>-<n>.<extension>`, bounded by bytes and days.

Order of a save: write a temporary file, fsync it, rename it, fsync the folder, and only then hand out the
reference. So a file that a message names is whole; a crash leaves at most a temporary file, which the next
start removes.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timezone
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.types import ClipRef

_EXTENSIONS = {"image/jpeg": "jpg"}
_DAY_NS = 86_400 * 1_000_000_000


class EvidenceStore:
    """Saves evidence and removes the oldest when there is too much of it."""

    def __init__(self, root: Path, clock: Clock, max_bytes: int, max_days: float) -> None:
        self._root = root
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_age_ns = round(max_days * _DAY_NS)

    def open(self) -> None:
        """Make the folder and clear what a crash left. Raises StorageError."""
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o750)
            for leftover in self._root.glob("*/*.tmp"):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot use the evidence folder {self._root}: {error}") from error

    def save(self, alert_id: str, data: bytes, media_type: str = "image/jpeg") -> ClipRef:
        """Write `data` whole or not at all. Raises StorageError."""
        day = datetime.fromtimestamp(self._clock.utc_ns() / 1e9, timezone.utc).strftime("%Y-%m-%d")
        folder = self._root / day
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            path = self._free_name(folder, alert_id, _EXTENSIONS[media_type])
            _write_whole(path, data)
        except OSError as error:
            raise StorageError(f"cannot save evidence in {folder}: {error.strerror}") from error
        digest = hashlib.sha256(data).hexdigest()
        return ClipRef(alert_id, media_type, f"{day}/{path.name}", digest, len(data))

    def prune(self) -> int:
        """Remove what is too old, then the oldest until the rest fits; returns how many files went."""
        files = sorted(
            (found.stat().st_mtime_ns, found.stat().st_size, found) for found in self._root.glob("*/*.*")
        )
        total = sum(size for _, size, _ in files)
        oldest_ns = self._clock.utc_ns() - self._max_age_ns
        removed = 0
        for mtime_ns, size, path in files:
            if mtime_ns >= oldest_ns and total <= self._max_bytes:
                break
            path.unlink(missing_ok=True)
            total -= size
            removed += 1
        return removed

    @staticmethod
    def _free_name(folder: Path, alert_id: str, extension: str) -> Path:
        number = 1
        while (path := folder / f"{alert_id}-{number}.{extension}").exists():
            number += 1
        return path


def _write_whole(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(path.suffix + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
