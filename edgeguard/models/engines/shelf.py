"""Where plans lie, and who may have written them.

A plan is a program for the GPU, so its file is trusted like a program: it is opened once, must belong to the
service's user (or root) and be writable by nobody else, and its bytes must have the SHA-256 of its
fingerprint before TensorRT sees them.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgeguard.errors import ModelError
from edgeguard.files import is_held, put_in_place, write_whole
from edgeguard.models.engines.fingerprint import Basis, Fingerprint, fingerprint_from

LIMIT_BYTES = 4 << 30


def shelf_of(root: Path, model: str) -> Shelf:
    """The one of a model in the store at `root`."""
    return Shelf(root / model / "engines", model)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that may be used."""

    data: bytes
    fingerprint: Fingerprint


class Shelf:
    """The plans of one model, one for each precision, in `folder`."""

    def __init__(self, folder: Path, model: str) -> None:
        self.folder = folder
        self._model = model

    def path(self, precision: str) -> Path:
        return self.folder / f"{self._model}.{precision}.plan"

    def new(self, precision: str) -> Path:
        """Where a plan lies until it has proved itself."""
        return self.folder / f"{self._model}.{precision}.plan.new"

    @property
    def timing_cache(self) -> Path:
        return self.folder / "timing.cache"

    def fingerprint(self, precision: str) -> Fingerprint | None:
        """What is noted of the plan; None if there is none. ModelError if it cannot be trusted or read."""
        path = self._note(precision)
        data = _trusted(path)
        if data is None:
            return None
        try:
            return fingerprint_from(json.loads(data))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(f"{path} is damaged: run `edgeguard engines build`") from error

    def reasons(self, now: Basis, *, vital: bool = False) -> list[str]:
        """Why a plan must be made, one reason each; empty if the one here serves. `vital` as in `Basis`."""
        precision = now.precision.value
        try:
            found = self.fingerprint(precision)
        except ModelError as error:
            return [str(error)]
        if found is None or not self.path(precision).is_file():
            return ["there is no engine yet"]
        return found.basis.differences(now, vital=vital)

    def refusal(self, now: Basis) -> str | None:
        """Why a plan made from the same was thrown away; None if none was."""
        try:
            found = self.fingerprint(now.precision.value)
        except ModelError:
            return None
        return found.refused if found and not found.basis.differences(now) else None

    def load(self, precision: str) -> Plan:
        """ModelError if it is not there, may have been changed by others, or is not what was built."""
        path = self.path(precision)
        fingerprint = self.fingerprint(precision)
        data = _trusted(path)
        if fingerprint is None or data is None:
            raise ModelError(f"there is no engine {path}: run `edgeguard engines build`")
        if hashlib.sha256(data).hexdigest() != fingerprint.plan_sha256:
            raise ModelError(
                f"{path} is not what was built (its SHA-256 differs): run `edgeguard engines build`"
            )
        return Plan(data, fingerprint)

    def put(self, new: Path, fingerprint: Fingerprint) -> None:
        """Give a finished plan its name. The note comes last: a plan without its own is never loaded."""
        precision = fingerprint.basis.precision.value
        with self._writing():
            new.chmod(0o600)
            self._note(precision).unlink(missing_ok=True)
            put_in_place(new, self.path(precision))
            self._write_note(fingerprint)

    def refuse(self, new: Path, fingerprint: Fingerprint) -> None:
        """Throw a plan away and note why."""
        with self._writing():
            new.unlink(missing_ok=True)
            self.path(fingerprint.basis.precision.value).unlink(missing_ok=True)
            self._write_note(fingerprint)

    def _write_note(self, fingerprint: Fingerprint) -> None:
        note = json.dumps(fingerprint.as_json(), indent=2, sort_keys=True) + "\n"
        path = self._note(fingerprint.basis.precision.value)
        write_whole(path, note.encode())
        path.chmod(0o600)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ModelError(
                f"cannot write below {self.folder} ({error.strerror}): free some space"
            ) from error

    @contextmanager
    def building(self) -> Iterator[None]:
        """Held while a plan is made. ModelError if somebody else holds it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.folder / "build.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ModelError(
                f"cannot write below {self.folder} ({error.strerror}): run this as the service's user"
            ) from error
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise ModelError(f"another program is building the engine of {self._model} now") from error
            yield
        finally:
            os.close(lock)

    @property
    def is_building(self) -> bool:
        """Whether a program holds `building` now."""
        try:
            return is_held(self.folder / "build.lock")
        except OSError:
            return False

    def _note(self, precision: str) -> Path:
        return self.folder / f"{self._model}.{precision}.json"


def _trusted(path: Path) -> bytes | None:
    """The file's bytes, None if there is none; ModelError if others could have written them."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ModelError(f"cannot read {path} ({error.strerror}): run `edgeguard engines build`") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        _require_own(path, status)
        if status.st_size > LIMIT_BYTES:
            raise ModelError(f"{path} has {status.st_size} bytes, which no engine has: remove it")
        return file.read()


def _require_own(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ModelError(f"{path} is no plain file: remove it and run `edgeguard engines build`")
    if status.st_uid not in (0, os.geteuid()):
        raise ModelError(
            f"{path} belongs to another user (uid {status.st_uid}): remove it and run "
            f"`edgeguard engines build` as the service's user"
        )
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ModelError(f"{path} can be written by others: remove it and run `edgeguard engines build`")
