"""Who may read the secrets, and whether the guard may write what it has to keep."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from edgeguard.files import check_private, existing
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning

CHECK = "permissions"


def permissions(
    config_file: Path | None, secrets: Iterable[tuple[str, Path]], state_dir: Path, uid: int
) -> Iterator[Finding]:
    """`secrets` are keys and files, where the guard will look for them; `uid` is the guard's user."""
    if config_file is not None:
        yield from _configuration(config_file)
    for key, path in secrets:
        yield _secret(key, path)
    yield _state(state_dir, uid)


def _configuration(path: Path) -> Iterator[Finding]:
    mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        yield fault(
            CHECK,
            f"everybody on this box can change {path}",
            f"its mode is {stat.S_IMODE(mode):04o}",
            f"chmod o-w {path}",
            str(path),
        )


def _secret(key: str, path: Path) -> Finding:
    about = str(path)
    try:
        check_private(path)
        with path.open("rb"):
            return fine(CHECK, f"{key}: for its owner alone", about)
    except PermissionError:
        return _refused(key, path)
    except OSError as error:
        return fault(
            CHECK,
            f"{key}: {path} cannot be used: {error.strerror}",
            "it was moved or never written, or it lies in a folder that is closed",
            f"write the secret into {path}, then chmod 600 {path}",
            about,
        )


def _refused(key: str, path: Path) -> Finding:
    if not _is_open(path):
        return fault(
            CHECK,
            f"{key}: {path} cannot be read",
            "it belongs to another user than who asks",
            "run this as the guard's user or as root, or let systemd hand the secret out (LoadCredential=)",
            str(path),
        )
    found = fault(
        CHECK,
        f"{key}: others can read or change {path}, so the guard refuses it",
        f"its mode is {stat.S_IMODE(path.stat().st_mode):04o}",
        f"chmod 600 {path}",
        str(path),
    )
    return replace(found, mend=partial(_close, path)) if _may_mend(path) else found


def _is_open(path: Path) -> bool:
    try:
        check_private(path)
    except PermissionError:
        return True
    except OSError:
        return False
    return False


def _may_mend(path: Path) -> bool:
    """Ours (or we are root), and no link leads there: what it leads to is not what was meant."""
    return os.geteuid() in (0, path.stat().st_uid) and path.resolve() == Path(os.path.abspath(path))  # noqa: PTH100 - keeps links


def _close(path: Path) -> str:
    """Nobody gains a right: the owner keeps hers, the group what it could read."""
    return _narrow(path, 0o640, os.O_NONBLOCK)


def _shut(folder: Path) -> str:
    return _narrow(folder, 0o750, os.O_DIRECTORY)


def _narrow(path: Path, most: int, kind: int) -> str:
    """Takes all rights but `most` from the file itself, never from what a link in its place leads to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | kind)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
            raise OSError(errno.EMLINK, "it has another name, too", str(path))
        mode = stat.S_IMODE(status.st_mode) & most
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
    return f"its mode is {mode:04o} now"


def _state(folder: Path, uid: int) -> Finding:
    about = str(folder)
    if not folder.exists():
        missing = _no_state(folder, uid)
        may_make = os.geteuid() in (0, uid)
        return replace(missing, mend=partial(_make, folder, uid)) if may_make else missing
    status = folder.stat()
    if status.st_uid != uid and uid != 0:
        return fault(
            CHECK,
            f"the state folder {folder} belongs to uid {status.st_uid}, and the guard is uid {uid}",
            "somebody ran the guard as another user, root perhaps",
            f"sudo chown -R {uid} {folder}",
            about,
        )
    if status.st_mode & stat.S_IWOTH:
        found = fault(
            CHECK,
            f"everybody on this box can write to {folder}",
            f"its mode is {stat.S_IMODE(status.st_mode):04o}",
            f"chmod o-w {folder}",
            about,
        )
        return replace(found, mend=partial(_shut, folder)) if _may_mend(folder) else found
    return _contents(folder, uid)


def _no_state(folder: Path, uid: int) -> Finding:
    """The guard makes it at its first start, where it may write to the folder above."""
    tell = warning if uid == 0 or existing(folder).stat().st_uid == uid else fault
    return tell(
        CHECK,
        f"the state folder {folder} is missing",
        "the guard never ran here, or somebody removed it",
        f"--fix makes it; or mkdir -p -m 750 {folder}, and chown it to the guard's user",
        str(folder),
    )


def _contents(folder: Path, uid: int) -> Finding:
    """Files of others in it stop the guard later, when it comes to them."""
    try:
        foreign = [path for path in sorted(folder.iterdir()) if uid != 0 and path.lstat().st_uid != uid]
    except PermissionError:
        return skipped(CHECK, "this user may not look into the state folder: run this with sudo", str(folder))
    if foreign:
        return warning(
            CHECK,
            f"{foreign[0]} in the state folder does not belong to the guard's user",
            "somebody ran the guard as another user, root perhaps",
            f"sudo chown -R {uid} {folder}",
            str(folder),
        )
    return fine(CHECK, "the state folder belongs to the guard", str(folder))


def _make(folder: Path, uid: int) -> str:
    folder.mkdir(mode=0o750, parents=True)
    if os.geteuid() == 0:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            os.fchown(descriptor, uid, -1)
        finally:
            os.close(descriptor)
    return f"made {folder}"
