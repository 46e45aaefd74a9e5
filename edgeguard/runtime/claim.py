"""The state folder: made, writable, and ours alone while we run."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from edgeguard.errors import StorageError


def claim(folder: Path) -> IO[str]:
    """Take `folder` until the returned file is closed or the process ends, however it ends.

    Two daemons on one outbox would damage it. Raises StorageError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise StorageError(
            f"cannot write to the state folder {folder}: {error.strerror}; set `state_dir` to a folder that "
            "the service may write to"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StorageError(
            f"another EdgeGuard uses the state folder {folder}; stop it, or give this one its own `state_dir`"
        ) from error
    return lock
