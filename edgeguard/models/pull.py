"""Bringing a model's files into the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from edgeguard.errors import ModelError
from edgeguard.files import put_in_place
from edgeguard.models import mirror
from edgeguard.models.archive import extract
from edgeguard.models.card import Archive, ModelCard, ModelFile
from edgeguard.models.download import Progress, download
from edgeguard.models.files import sha256_of, writing_below
from edgeguard.models.lock import Lock


class Pull:
    """One model's way into the folder `home`: from `folders` where they have it, else from upstream."""

    def __init__(
        self,
        card: ModelCard,
        home: Path,
        lock: Lock,
        folders: Sequence[Path],
        *,
        online: bool,
        accept_unverified: bool,
        progress: Progress | None,
    ) -> None:
        self._card = card
        self._home = home
        self._lock = lock
        self._folders = folders
        self._online = online
        self._accept_unverified = accept_unverified
        self._progress = progress

    def bring(self, files: Sequence[ModelFile]) -> None:
        """Each of `files`, verified and put in place whole; ModelError at the first that fails."""
        with writing_below(self._home):
            self._home.mkdir(parents=True, exist_ok=True)
        missing = [file for file in files if not self._copied(file)]
        if missing and self._card.archive:
            self._unpack(self._card.archive, missing)
        else:
            for file in missing:
                self._download(file)

    def _copied(self, file: ModelFile) -> bool:
        """Whether one of the folders had it."""
        expected = self._lock.expected(self._card, file.name, file.digests)
        for folder in self._folders:
            path = mirror.find(folder, self._card, file, expected)
            if path:
                self._require_trust(file.name, expected)
                with _scratch(self._home) as scratch:
                    shutil.copyfile(path, scratch / file.name)
                    self._install(file, scratch, str(path), first_use=not file.digests)
                return True
        return False

    def _download(self, file: ModelFile) -> None:
        self._require_online(file.name)
        if file.url is None:
            raise ModelError(
                f"{file.name} is published nowhere in this form: bring it with `--from DIR`. "
                f"{self._card.notes}"
            )
        expected = self._lock.expected(self._card, file.name, file.digests)
        self._require_trust(file.name, expected)
        digest = download(
            file.url,
            self._home / file.name,
            digests=expected,
            size_bytes=file.size_bytes,
            progress=self._progress,
        )
        self._lock.record(self._card, file.name, digest, file.url, first_use=not file.digests)

    def _unpack(self, archive: Archive, files: Sequence[ModelFile]) -> None:
        name = archive.url.rpartition("/")[2]
        published = frozenset({archive.sha256} if archive.sha256 else ())
        packed = self._packed(archive, name, self._lock.expected(self._card, name, published))
        try:
            with _scratch(self._home) as scratch:
                extract(packed, archive.folder, [file.name for file in files], scratch)
                for file in files:
                    self._install(file, scratch, archive.url, first_use=not (published or file.digests))
            self._lock.record(self._card, name, sha256_of(packed), archive.url, first_use=not published)
        finally:
            (self._home / name).unlink(missing_ok=True)

    def _packed(self, archive: Archive, name: str, expected: frozenset[str]) -> Path:
        """The archive: as a folder has it, else downloaded."""
        found = (mirror.search(folder, name, archive.size_bytes, expected) for folder in self._folders)
        packed = next((path for path in found if path), None)
        if packed is None:
            self._require_online(name)
        self._require_trust(name, expected)
        if packed is None:
            packed = self._home / name
            download(
                archive.url, packed, digests=expected, size_bytes=archive.size_bytes, progress=self._progress
            )
        return packed

    def _install(self, file: ModelFile, scratch: Path, source: str, *, first_use: bool) -> None:
        expected = self._lock.expected(self._card, file.name, file.digests)
        digest = sha256_of(scratch / file.name)
        if expected and digest not in expected:
            raise ModelError(
                f"{file.name} from {source} has SHA-256 {digest}, expected {' or '.join(sorted(expected))}: "
                f"do not use it"
            )
        put_in_place(scratch / file.name, self._home / file.name)
        self._lock.record(self._card, file.name, digest, source, first_use)

    def _require_online(self, name: str) -> None:
        if not self._online:
            raise ModelError(f"{self._folders[0]} does not have {name} of {self._card.name}")

    def _require_trust(self, name: str, expected: frozenset[str]) -> None:
        if not expected and not self._accept_unverified:
            raise ModelError(
                f"nobody publishes a checksum of {name}: `--accept-unverified` trusts it this once, "
                f"and every later use is compared with what came"
            )


@contextmanager
def _scratch(home: Path) -> Iterator[Path]:
    """A folder on the same disk, so that what is finished in it can be renamed into place."""
    with writing_below(home), TemporaryDirectory(dir=home, prefix=".new-") as folder:
        yield Path(folder)
