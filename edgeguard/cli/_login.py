"""How a new configuration gets in at the broker: by a certificate handed over, or a user and a password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import typer

from edgeguard.errors import ConfigError
from edgeguard.files import write_private

AUTHORITY = "ca.crt"


@dataclass(frozen=True, slots=True)
class Login:
    """Files by their full path."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    username: str | None = None
    password_file: str | None = None


def handed_over(folder: Path, secrets: Path) -> Login:
    """The site's `ca.crt` and this box's certificate and key, copied from `folder` into `secrets`."""
    found = sorted(path for path in folder.glob("*.crt") if path.name != AUTHORITY)
    if not (folder / AUTHORITY).is_file() or len(found) != 1 or not found[0].with_suffix(".key").is_file():
        raise ConfigError(
            f"{folder}: expected ca.crt and one certificate with its key, such as gate-1.crt and gate-1.key"
        )
    files = folder / AUTHORITY, found[0], found[0].with_suffix(".key")
    ca_file, cert_file, key_file = (_kept(path.name, path.read_bytes(), secrets) for path in files)
    return Login(ca_file, cert_file, key_file)


def ask_login(ask: Callable[[str], str], secrets: Path) -> Login:
    """What whoever installs knows; nothing where the broker lets everybody in."""
    folder = ask("  folder with ca.crt and this box's certificate and key, or Enter")
    if folder:
        return handed_over(Path(folder).expanduser(), secrets)
    username = ask("  user at the broker, or Enter")
    if not username:
        return Login()
    password = typer.prompt(f"  password of {username}", hide_input=True)
    return Login(username=username, password_file=_kept("broker", f"{password}\n".encode(), secrets))


def _kept(name: str, content: bytes, secrets: Path) -> str:
    try:
        secrets.mkdir(mode=0o700, exist_ok=True)
        write_private(secrets / name, content)
    except OSError as error:
        raise ConfigError(f"cannot write into {secrets}: {error.strerror}") from error
    return str(secrets / name)
