"""Whether there is room for what the configuration allows to be kept."""

from __future__ import annotations

import os
from pathlib import Path

from edgeguard.files import existing
from edgeguard.runtime.doctor.finding import Finding, fault, fine, warning

CHECK = "disk"
_FEW_INODES = 0.02
_MORE_ROOM = "free some space, use a larger disk, or lower the bounds (evidence.max_bytes, log, mqtt.outbox)"


def disk(folder: Path, reserve_bytes: int, may_grow_bytes: int) -> Finding:
    """The disk of `folder`: less than the reserve is a fault, less than it may still grow a warning."""
    status = os.statvfs(existing(folder))
    free = status.f_bavail * status.f_frsize
    figures = {"free_bytes": free, "may_grow_bytes": may_grow_bytes}
    about = str(folder)
    if status.f_flag & os.ST_RDONLY:
        return fault(
            CHECK,
            "the disk can only be read",
            "it was mounted so, or the kernel found it damaged",
            "look at `dmesg`, check it with fsck, or replace it",
            about,
            figures=figures,
        )
    if free < reserve_bytes:
        return fault(
            CHECK,
            f"{_size(free)} are free, less than the reserve of {_size(reserve_bytes)}: evidence is refused",
            "the disk is nearly full",
            f"{_MORE_ROOM}; `edgeguard prune CONFIG` removes what is too old",
            about,
            figures=figures,
        )
    if status.f_files and status.f_favail < status.f_files * _FEW_INODES:
        return warning(
            CHECK,
            f"only {status.f_favail} more files fit on the disk",
            "very many small files lie on it",
            "find them with `du --inodes -x /`, and remove what is not needed",
            about,
            figures=figures,
        )
    if free - reserve_bytes < may_grow_bytes:
        return warning(
            CHECK,
            f"{_size(free)} are free, and the configuration lets {_size(may_grow_bytes)} more be kept",
            "the bounds are larger than the disk",
            _MORE_ROOM,
            about,
            figures=figures,
        )
    return fine(CHECK, f"{_size(free)} are free", about, figures=figures)


def unaged(doubt: str, folder: Path) -> Finding:
    """That a leap of the clock keeps what is old from being removed."""
    return warning(
        CHECK,
        doubt,
        "the clock was wrong before or is wrong now; or the box was off for as long",
        "look at `date -u`: if it is right, there is nothing to do, else set it and see who sets it wrong",
        str(folder),
    )


def size_of(folder: Path) -> int:
    """Bytes of all files below it; none where there is no folder."""
    total = 0
    for parent, _folders, files in os.walk(folder):
        for file in files:
            try:
                total += os.lstat(os.path.join(parent, file)).st_size  # noqa: PTH118 - many files
            except OSError:
                continue  # removed meanwhile, or not ours to see
    return total


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
