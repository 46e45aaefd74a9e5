"""Who may read and who may acknowledge: a file of names, roles and hashes, never of tokens.

A token is 256 random bits, so that a plain hash protects it. One line each: `NAME ROLE SHA256`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from edgeguard.errors import ConfigError, StorageError
from edgeguard.files import write_whole

ROLES = ("read", "ack")
"""`ack` may read, too."""
_LINE = re.compile(r"([a-z0-9][a-z0-9._-]{0,63}) (read|ack) ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody with a token."""

    name: str
    role: str
    digest: str


class Tokens:
    """The tokens in a file; a change of it counts from the next question on."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._holders: list[Holder] = []

    def holder(self, token: str) -> Holder | None:
        """Whose token it is. Raises ConfigError for a file that cannot be used."""
        self._refresh()
        digest = _digest(token)
        return next((one for one in self._holders if hmac.compare_digest(one.digest, digest)), None)

    def still_holds(self, holder: Holder) -> bool:
        """Whether the token has not ended since it was shown; not while the file cannot be used."""
        try:
            self._refresh()
        except ConfigError:
            return False
        return holder in self._holders

    def _refresh(self) -> None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._holders = None, []
            return
        except OSError as error:
            raise ConfigError(f"cannot read the tokens in {self._path}: {error.strerror}") from error
        if (stamp := (found.st_mtime_ns, found.st_ino)) != self._stamp:
            self._holders = read(self._path)
            self._stamp = stamp


def read(path: Path) -> list[Holder]:
    """The holders in a file; none if there is no file. Raises ConfigError."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the tokens in {path}: {error}") from error
    holders = []
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise ConfigError(f"{path}:{number}: expected `NAME ROLE SHA256`; make it with `edgeguard token`")
        holders.append(Holder(*match.groups()))
    return holders


def grant(path: Path, name: str, role: str) -> str:
    """A new token for `name`, whose earlier one ends; its hash goes into the file. Raises ConfigError."""
    token = secrets.token_urlsafe(32)
    holder = Holder(name, role, _digest(token))
    if not _LINE.fullmatch(_line(holder)):
        raise ConfigError(
            f"cannot give {name!r} the role {role!r}: a name has 1 to 64 of a-z, 0-9, '.', '-' and '_', "
            f"and a role is {' or '.join(ROLES)}"
        )
    _write(path, [*(one for one in read(path) if one.name != name), holder])
    return token


def revoke(path: Path, name: str) -> bool:
    """End the token of `name`; False if there is none."""
    holders = read(path)
    rest = [one for one in holders if one.name != name]
    _write(path, rest)
    return len(rest) < len(holders)


def _write(path: Path, holders: list[Holder]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        write_whole(path, "".join(_line(holder) + "\n" for holder in holders).encode())
    except OSError as error:
        raise StorageError(f"cannot write the tokens to {path}: {error.strerror}") from error


def _line(holder: Holder) -> str:
    return f"{holder.name} {holder.role} {holder.digest}"


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
