"""Taking the needed files out of a `.tar.bz2`, and nothing else."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import IO

from edgeguard.errors import ModelError
from edgeguard.models.files import CHUNK_BYTES, writing_below

LIMIT_BYTES = 4 << 30
"""The most that an archive may unpack to, wanted or not."""


def extract(archive: Path, folder: str, names: Collection[str], target: Path) -> None:
    """Write the plain files `folder/name` for each of `names` into the folder `target`.

    Only our own names are ever written to, so that absolute paths, `..` and links inside lead nowhere.
    ModelError if a file is missing or no plain file, or if the archive is damaged or too large.
    """
    wanted = {f"{folder}/{name}": name for name in names}
    unpacked = 0
    try:
        with tarfile.open(archive, "r:bz2") as tar:
            for member in tar:
                unpacked += member.size
                if unpacked > LIMIT_BYTES:
                    raise ModelError(f"{archive} unpacks to more than {LIMIT_BYTES} bytes: do not use it")
                name = wanted.get(member.name.removeprefix("./"))
                source = tar.extractfile(member) if name and member.isreg() else None
                if name and source:
                    _write(source, target / name)
                    del wanted[f"{folder}/{name}"]
                if not wanted:
                    return
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ModelError(f"{archive} is damaged ({error}): fetch it again") from error
    raise ModelError(f"{archive} has no plain file {', '.join(sorted(wanted))}: it is not the one expected")


def _write(source: IO[bytes], target: Path) -> None:
    with writing_below(target.parent), target.open("wb") as out:
        shutil.copyfileobj(source, out, CHUNK_BYTES)
