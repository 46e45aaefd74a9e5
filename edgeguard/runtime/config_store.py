"""The configurations on disk, under `state_dir`/config: the last one that proved itself, and one on trial.

`good.json` is the last-known-good. `pending.json` is on trial: whoever finds it at the start, and that it ran
already, knows that the service ended before it had proved itself, and goes back. `refused.json` is what was
given up last, so that the same file is not tried at each start. Each is written whole or not at all, and only
its owner can read it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from edgeguard.config.proposal import Proposal
from edgeguard.errors import StorageError
from edgeguard.files import write_private

log = logging.getLogger(__name__)

_GOOD, _PENDING, _REFUSED = "good.json", "pending.json", "refused.json"


@dataclass(frozen=True, slots=True)
class Kept:
    """A configuration, and what is to be known of it."""

    proposal: Proposal
    since_utc_ns: int
    state: str = "applied"
    """`applied`, `pending`, `rolled_back` or `refused`."""
    reason: str | None = None
    started: bool = False
    """Of one on trial: whether it ran."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """State of each part of health before the trial, or when it proved itself."""


class ConfigStore:
    """Those of one state folder; one writer at a time."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "config"

    def good(self) -> Kept | None:
        """The last one that proved itself; None if there is none that can be read."""
        return self._read(_GOOD)

    def pending(self) -> Kept | None:
        """The one on trial."""
        return self._read(_PENDING)

    def refused(self) -> Kept | None:
        """The one that was given up last."""
        return self._read(_REFUSED)

    def try_out(self, kept: Kept) -> None:
        """Put on trial. Raises StorageError."""
        self._write(_PENDING, replace(kept, state="pending"))

    def settle(self, kept: Kept) -> None:
        """It proved itself. Raises StorageError."""
        self._write(_GOOD, replace(kept, state="applied", reason=None, started=True))
        self._forget(_PENDING, _REFUSED)

    def give_up(self, kept: Kept, state: str, reason: str) -> None:
        """It is not in effect any more, and not tried again by itself. Raises StorageError."""
        self._write(_REFUSED, replace(kept, state=state, reason=reason))
        self._forget(_PENDING)

    def _write(self, name: str, kept: Kept) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_private(self.folder / name, json.dumps(_plain(kept), indent=1).encode())
        except OSError as error:
            raise StorageError(f"cannot write {self.folder / name}: {error.strerror}") from error

    def _forget(self, *names: str) -> None:
        try:
            for name in names:
                (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"cannot write to {self.folder}: {error.strerror}") from error

    def _read(self, name: str) -> Kept | None:
        try:
            return _kept(json.loads((self.folder / name).read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read, as if it were not there: %s", self.folder / name, error)
            return None


def _plain(kept: Kept) -> dict[str, Any]:
    proposal = kept.proposal
    told = {one.name: getattr(proposal, one.name) for one in fields(proposal)}
    rest = {one.name: getattr(kept, one.name) for one in fields(kept) if one.name != "proposal"}
    return {"version": 1, "proposal": {**told, "folder": str(proposal.folder)}, **rest}


def _kept(told: dict[str, Any]) -> Kept:
    proposal = told["proposal"]
    rest = {one.name: told[one.name] for one in fields(Kept) if one.name != "proposal"}
    return Kept(Proposal(**{**proposal, "folder": Path(proposal["folder"])}), **rest)
