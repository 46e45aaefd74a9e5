"""How a new configuration gets in at the broker: by a certificate handed over, or a user and a password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from edgeguard.errors import ConfigError
from edgeguard.files import write_private

AUTHORITY = "ca.crt"
_BROKERS_OWN = "broker.password"
"""A camera may be called `broker`; no name of one has a dot."""


@dataclass(frozen=True, slots=True)
class Login:
    """Files by their full path."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None


class Safe:
    """The folder of the secrets, beside the configuration; nothing is in it before `write`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, bytes] = {}

    def keep(self, name: str, content: bytes) -> str:
        """The path that the file will have."""
        self._kept[name] = content
        return str(self._folder / name)

    def write(self) -> None:
        """For their owner alone."""
        if not self._kept:
            return
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            for name, content in self._kept.items():
                write_private(self._folder / name, content)
        except OSError as error:
            raise ConfigError(f"cannot write into {self._folder}: {error.strerror}") from error


def handed_over(folder: Path, safe: Safe) -> Login:
    """The site's `ca.crt` and this box's certificate and key, copied from `folder` into `safe`."""
    found = sorted(path for path in folder.glob("*.crt") if path.name != AUTHORITY)
    if not (folder / AUTHORITY).is_file() or len(found) != 1 or not found[0].with_suffix(".key").is_file():
        raise ConfigError(
            f"{folder}: expected ca.crt and one certificate with its key, such as gate-1.crt and gate-1.key"
        )
    files = folder / AUTHORITY, found[0], found[0].with_suffix(".key")
    try:
        contents = [path.read_bytes() for path in files]
    except OSError as error:
        raise ConfigError(f"{folder}: cannot read what is in it: {error.strerror}") from error
    ca_file, cert_file, key_file = (
        safe.keep(path.name, content) for path, content in zip(files, contents, strict=True)
    )
    return Login(ca_file, cert_file, key_file)


def ask_login(ask: Callable[[str], str], safe: Safe) -> Login:
    """What whoever installs knows; nothing where the broker lets everybody in."""
    while folder := ask("  folder with ca.crt and this box's certificate and key, or Enter"):
        try:
            return handed_over(Path(folder).expanduser(), safe)
        except ConfigError as error:
            print(f"  {error}")
    username = ask("  user at the broker, or Enter")
    if not username:
        return Login()
    password = typer.prompt(f"  password of {username}", hide_input=True)
    return Login(username=username, password_file=safe.keep(_BROKERS_OWN, f"{password}\n".encode()))
