"""A folder of evidence: `<day>/<alert id>-<n>.<extension>`, bounded by bytes and days.

Order of a save: write a temporary file, fsync it, rename it, fsync the folder, and only then hand out the
reference. So a file that a message names is whole; a crash leaves at most a temporary file, which the next
start removes.

The last of a disk belongs to the outbox: once it is nearly full, new evidence takes the place of the oldest,
byte for byte, and where there is too little to replace it is refused and nothing is removed.

Only files in folders of days are evidence: what else lies there, or is reached through a link, is not ours to
remove.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.errors import StorageError
from edgeguard.evidence.believing import BelievedTime
from edgeguard.files import write_whole
from edgeguard.types import ClipRef

_EXTENSIONS = {"image/jpeg": "jpg"}
_DAY = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
_DAY_NS = 86_400 * 1_000_000_000


class EvidenceStore:
    """Saves evidence, and removes the oldest when there is too much of it or too little room."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        max_bytes: int,
        max_days: float,
        reserve_bytes: int = 64_000_000,
        believed: BelievedTime | None = None,
    ) -> None:
        """By what is `believed`, in place of the clock, evidence is dated and ages are counted."""
        self.disk_nearly_full = False
        """As of the last save or check."""
        self._root = root
        self._clock = clock
        self._max_bytes = max_bytes
        self._max_age_ns = round(max_days * _DAY_NS)
        self._reserve_bytes = reserve_bytes
        self._believed = believed

    def open(self) -> None:
        """Make the folder and clear what a crash left. Raises StorageError."""
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o750)
            for leftover, _ in self._files("*.part"):
                leftover.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot use the evidence folder {self._root}: {error}") from error

    def save(self, alert_id: str, data: bytes, media_type: str = "image/jpeg") -> ClipRef:
        """Write `data` whole or not at all. Raises StorageError."""
        day = datetime.fromtimestamp(self._clock.utc_ns() / 1e9, timezone.utc).strftime("%Y-%m-%d")
        folder = self._root / day
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._make_room(len(data))
            path = self._free_name(folder, alert_id, _EXTENSIONS[media_type])
            write_whole(path, data)
            self._date(path)
        except OSError as error:
            raise StorageError(f"cannot save evidence in {folder}: {error.strerror}") from error
        digest = hashlib.sha256(data).hexdigest()
        return ClipRef(alert_id, media_type, f"{day}/{path.name}", digest, len(data))

    def prune(self) -> int:
        """Remove what is too old, then the oldest until the rest fits; returns how many files went.

        Raises StorageError, once everything went that could.
        """
        refused: OSError | None = None
        try:
            surplus = self.surplus()
        except OSError as error:
            raise StorageError(f"cannot prune the evidence in {self._root}: {error.strerror}") from error
        for path in surplus:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                refused = refused or error
        if refused is not None:
            raise StorageError(
                f"cannot prune the evidence in {self._root}: {refused.strerror}: {refused.filename}"
            ) from refused
        return len(surplus)

    def surplus(self) -> list[Path]:
        """What `prune` would remove now, oldest first. Raises OSError."""
        files = self._oldest_first()
        total = sum(size for _, size, _ in files)
        oldest_ns = (self._believed or self._clock).utc_ns() - self._max_age_ns
        removed = []
        for mtime_ns, size, path in files:
            if mtime_ns >= oldest_ns and total <= self._max_bytes:
                break
            removed.append(path)
            total -= size
        return removed

    def check(self) -> None:
        """Raise StorageError if evidence could not be saved now."""
        probe = self._root / ".probe"
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._to_replace(1)
            probe.write_bytes(b"?")
            probe.unlink()
        except OSError as error:
            raise StorageError(f"cannot save evidence in {self._root}: {error.strerror}") from error

    def _date(self, path: Path) -> None:
        """What is dated by a clock that is not set yet is too old as soon as it is."""
        if self._believed is not None:
            date_ns = self._believed.date_ns()
            with suppress(OSError):
                os.utime(path, ns=(date_ns, date_ns))

    def _make_room(self, size_bytes: int) -> None:
        for path in self._to_replace(size_bytes):
            path.unlink(missing_ok=True)

    def _to_replace(self, size_bytes: int) -> list[Path]:
        """The oldest evidence that has to give its place to `size_bytes`; OSError if there is not enough."""
        disk = os.statvfs(self._root)
        self.disk_nearly_full = disk.f_bavail * disk.f_frsize < self._reserve_bytes + size_bytes
        if not self.disk_nearly_full:
            return []
        replaced = []
        for _, size, path in self._oldest_first():
            replaced.append(path)
            size_bytes -= size
            if size_bytes <= 0:
                return replaced
        raise OSError(errno.ENOSPC, "the disk is nearly full, and there is too little evidence to replace")

    def _oldest_first(self) -> list[tuple[int, int, Path]]:
        """When it was written (ns), size and path of every file; others may remove some meanwhile."""
        return sorted((status.st_mtime_ns, status.st_size, path) for path, status in self._files("*.*"))

    def _files(self, pattern: str) -> Iterator[tuple[Path, os.stat_result]]:
        """Evidence alone, with what the disk says of it."""
        for day in self._root.glob(_DAY):
            if day.is_symlink():
                continue
            for path in day.glob(pattern):
                with suppress(FileNotFoundError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield path, status

    @staticmethod
    def _free_name(folder: Path, alert_id: str, extension: str) -> Path:
        number = 1
        while (path := folder / f"{alert_id}-{number}.{extension}").exists():
            number += 1
        return path
