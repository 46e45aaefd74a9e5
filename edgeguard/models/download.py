"""Fetching one file from upstream: over HTTPS only, resumed, checked, and put in place whole."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Collection
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from edgeguard.errors import ModelError
from edgeguard.files import put_in_place
from edgeguard.models.files import sha256_of, writing_below

Progress = Callable[[str, int, "int | None"], None]
"""Told the file's name, the bytes so far and the bytes in all, if known."""

LIMIT_BYTES = 2 << 30
"""The most that a file of unknown size may bring."""

_TIMEOUT_S = 30
_CHUNK_BYTES = 1 << 16
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def download(
    url: str,
    target: Path,
    *,
    digests: Collection[str],
    size_bytes: int | None = None,
    progress: Progress | None = None,
) -> str:
    """Fetch `url` to `target` and return its SHA-256, which must be one of `digests` unless that is empty.

    What arrives waits in `<target>.part`, and a later call goes on from there; without a digest it starts
    anew, since nothing could tell whether the halves belong together. ModelError if the address is not
    HTTPS, the server is away or refuses, the file is too large or differs, or the disk is full.
    """
    if not _is_safe(url):
        raise ModelError(f"{url} is not an HTTPS address: models come over HTTPS only")
    part = target.with_name(target.name + ".part")
    with writing_below(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as out:
            _take(out, target)
            if not digests or _size(out) > (size_bytes or LIMIT_BYTES):
                out.truncate(0)
            _require_space(target.parent, (size_bytes or 0) - _size(out))
            if size_bytes is None or _size(out) < size_bytes:
                _receive_all(
                    _Source(url, target.name, size_bytes or LIMIT_BYTES, progress), out, bool(digests)
                )
            digest = _verified(part, url, digests)
            put_in_place(part, target)
    return digest


def _verified(part: Path, url: str, digests: Collection[str]) -> str:
    """The digest of `part`; a wrong one goes away with it, so that the next try starts anew."""
    digest = sha256_of(part)
    if digests and digest not in digests:
        part.unlink()
        raise ModelError(
            f"what {url} brings has SHA-256 {digest}, expected {' or '.join(sorted(digests))}; "
            f"it was thrown away: try again, and if it stays so, do not use it"
        )
    return digest


class _Source:
    """An address and what may come from it."""

    def __init__(self, url: str, name: str, limit_bytes: int, progress: Progress | None) -> None:
        self.url = url
        self._name = name
        self._limit_bytes = limit_bytes
        self._progress = progress

    def receive(self, out: IO[bytes]) -> None:
        """One request for what `out` lacks; ConnectionError if the answer ends early."""
        with _ask(self.url, _size(out)) as response:
            if response.headers.get("Content-Range", "").partition("-")[0] != f"bytes {_size(out)}":
                out.truncate(0)
            done = _size(out)
            length = response.headers.get("Content-Length")
            total = done + int(length) if length else None
            while chunk := response.read(_CHUNK_BYTES):
                done += len(chunk)
                if done > self._limit_bytes:
                    raise ModelError(f"{self.url} brings more than {self._limit_bytes} bytes: do not use it")
                out.write(chunk)
                if self._progress:
                    self._progress(self._name, done, total)
        out.flush()
        if total is not None and done < total:
            raise ConnectionError(f"{done} of {total} bytes")


def _receive_all(source: _Source, out: IO[bytes], resume: bool) -> None:
    """Ask again, from where it broke off, as long as each answer brings something."""
    while True:
        before = _size(out)
        try:
            return source.receive(out)
        except (ConnectionError, TimeoutError, HTTPException) as error:
            if not resume or _size(out) <= before:
                raise ModelError(f"the download of {source.url} broke off: run the pull again") from error


def _ask(url: str, offset: int) -> HTTPResponse:
    """The answer to a request for the bytes from `offset` on; from 0 if the server has none there."""
    headers = {"User-Agent": "edgeguard"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        return cast(HTTPResponse, _OPENER.open(Request(url, headers=headers), timeout=_TIMEOUT_S))  # noqa: S310
    except HTTPError as error:
        if error.code == 416 and offset:
            return _ask(url, 0)
        if error.code in (404, 410):
            raise ModelError(f"{url} is gone ({error.code}): bring the file with `--from DIR`") from error
        raise ModelError(f"{url} was refused ({error.code} {error.reason}): try again later") from error
    except URLError as error:
        reason = getattr(error.reason, "strerror", None) or error.reason
        raise ModelError(
            f"cannot reach {urlsplit(url).hostname} ({reason}): "
            f"connect to the internet, or bring the files in a folder with `--from DIR`"
        ) from error


class _SafeRedirects(HTTPRedirectHandler):
    """Follows redirects, to HTTPS only."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Request | None:
        if not _is_safe(newurl) or (_is_loopback(newurl) and not _is_loopback(req.full_url)):
            raise ModelError(f"{req.full_url} leads on to {newurl}, which is not HTTPS: do not use it")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


_OPENER = build_opener(_SafeRedirects)


def _is_safe(url: str) -> bool:
    return urlsplit(url).scheme == "https" or (urlsplit(url).scheme == "http" and _is_loopback(url))


def _is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def _take(out: IO[bytes], target: Path) -> None:
    """Hold the file until it is closed; ModelError if another process does."""
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ModelError(f"{target.name} is being fetched by another process: wait for it") from error


def _require_space(folder: Path, size_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size_bytes:
        raise ModelError(f"{folder} has {free} bytes free, {size_bytes} are needed: free some space")


def _size(out: IO[bytes]) -> int:
    out.flush()
    return os.fstat(out.fileno()).st_size
