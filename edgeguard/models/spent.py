"""What lies in the store of models and serves nobody any more."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path

from edgeguard.models.engines.shelf import Shelf

_DAY_NS = 86_400 * 10**9
_BROKEN_DOWNLOAD_DAYS = 7
"""Until then a download that broke off goes on where it stopped."""
_BROKEN_WORK_DAYS = 1


def spent(root: Path, in_use: Collection[str], utc_ns: int, engines_days: float) -> list[Path]:
    """Files and folders: what a crash left of downloads and builds, and the engines of models that are not
    `in_use`, `engines_days` after they were built. Raises OSError."""
    found: list[Path] = []
    for home in sorted(path for path in root.glob("*") if path.is_dir()):
        found += _older(home.glob("*.part"), utc_ns, _BROKEN_DOWNLOAD_DAYS)
        found += _older(home.glob(".new-*"), utc_ns, _BROKEN_WORK_DAYS)
        if Shelf(home / "engines", home.name).is_building:
            continue
        found += _older(home.glob("engines/*.plan.new"), utc_ns, _BROKEN_WORK_DAYS)
        if home.name not in in_use:
            found += _engines(home, utc_ns, engines_days)
    return found


def _engines(home: Path, utc_ns: int, days: float) -> list[Path]:
    """All of the model's plans with their notes, unless one is young."""
    files = sorted([*home.glob("engines/*.plan"), *home.glob("engines/*.json")])
    return files if len(_older(iter(files), utc_ns, days)) == len(files) else []


def _older(paths: Iterator[Path], utc_ns: int, days: float) -> list[Path]:
    found = []
    for path in paths:
        with suppress(FileNotFoundError):
            if path.stat().st_mtime_ns < utc_ns - days * _DAY_NS:
                found.append(path)
    return sorted(found)
