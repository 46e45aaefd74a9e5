"""Files that are whole, whatever happens (a crash leaves the old one or the new one), private, or gone."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from pathlib import Path


def text_of(path: Path) -> str:
    """A small file's text without blanks around it; empty where there is none, as in /sys and /proc."""
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""


def places(root: Path, pattern: str) -> list[Path]:
    """What fits below `root`, in order; none where a folder goes away meanwhile, as in /sys."""
    try:
        return sorted(root.glob(pattern))
    except OSError:
        return []


def write_whole(path: Path, data: bytes) -> None:
    """Make or replace a file; OSError leaves what was there. A crash may leave `<name>.part` beside it."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(data)
        put_in_place(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def write_private(path: Path, data: bytes) -> None:
    """The same for a secret: nobody but the owner may read it, at no moment."""
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(data)
        put_in_place(part, path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def put_in_place(part: Path, target: Path) -> None:
    """Give a finished file its name, and wait until both are on the disk. Raises OSError."""
    sync(part)
    part.replace(target)
    sync(target.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def existing(path: Path) -> Path:
    """The path, or the nearest above it that is there."""
    return next(place for place in (path, *path.parents) if place.exists())


def is_tree(path: Path) -> bool:
    """Whether it is a folder itself, and no link to one."""
    return path.is_dir() and not path.is_symlink()


def remove(path: Path) -> None:
    """A file, or a folder with all in it; of a link only the link goes. Another program may be at it, too.

    Raises OSError.
    """
    if not is_tree(path):
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        shutil.rmtree(path, ignore_errors=True)


def is_held(lock: Path) -> bool:
    """Whether a program holds this lock now, or that cannot be told; the kernel lets go for one that died.

    Nothing is made or kept. Raises OSError for a file that is not there, or closed to us.
    """
    descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def check_private(path: Path) -> None:
    """Raises PermissionError if others may read or change the file, or its group may change it; OSError.

    The group may read: `root:edgeguard` with mode 0640 gives a service a secret that it cannot alter.
    """
    if path.stat().st_mode & (stat.S_IRWXO | stat.S_IWGRP):
        raise PermissionError(
            errno.EACCES, f"other users can read or change it, so it is no secret: chmod 600 {path}"
        )
