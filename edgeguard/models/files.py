"""Model files and what is noted of them, with refusals of the disk in plain words."""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgeguard.errors import ModelError
from edgeguard.files import write_whole

CHUNK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """The file's digest in lower-case hex; ModelError if it cannot be read."""
    digest = hashlib.sha256()
    with reading(path), path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def is_file(path: Path) -> bool:
    """Whether a file is there; ModelError if its folder does not let us look."""
    with reading(path):
        return path.is_file()


def is_folder(path: Path) -> bool:
    """Whether a folder is there; ModelError if what holds it does not let us look."""
    with reading(path):
        return path.is_dir()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn refusals to read `path` into ModelErrors that say how to fix them."""
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"cannot read {path} ({error.strerror}): check its permissions and the disk, "
            f"or choose another folder (`--store`, or `models.dir` in the configuration)"
        ) from error


@contextmanager
def writing_below(folder: Path) -> Iterator[None]:
    """Turn the disk's refusals into ModelErrors that say how to fix them."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(
                f"the disk of {folder} is full: free some space and run the pull again"
            ) from error
        raise ModelError(
            f"cannot write below {folder} ({error.strerror}): choose another folder with `--store`"
        ) from error


class JsonFile:
    """A small JSON object on disk; every change is written at once."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        """Empty if there is no file; ModelError if it is damaged or cannot be read."""
        try:
            with reading(self._path):
                content = json.loads(self._path.read_bytes()) if self._path.is_file() else {}
        except ValueError as error:
            raise ModelError(f"{self._path} is damaged: remove it and pull the models again") from error
        if not isinstance(content, dict):
            raise ModelError(f"{self._path} is damaged: remove it and pull the models again")
        return content

    def set(self, key: str, value: Any) -> None:
        content = self.read() | {key: value}
        with writing_below(self._path.parent):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, (json.dumps(content, indent=2, sort_keys=True) + "\n").encode())
