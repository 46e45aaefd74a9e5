"""Secrets: read from files, shown to nobody."""

from __future__ import annotations

import os
import re
from pathlib import Path

from edgeguard.config.environment import credentials_folder
from edgeguard.errors import ConfigError
from edgeguard.files import check_private

MASK = "***"
_MAX_BYTES = 4096
_SCHEME = re.compile(r"[A-Za-z0-9+.-]*:/+")
_QUERY = re.compile(r"(?i)(?<![a-z])(pass(?:word|wd)?|pwd|token|secret|api_?key|auth)=[^&;\s]*")
_SECRET_KEY = re.compile(r"(?i)pass(word|wd)?|pwd|token|secret|credential|private")


def masked_text(text: str) -> str:
    """`text` without what may be credentials: whatever stands before an @, and passwords in a query."""
    before, at, after = text.rpartition("@")
    scheme = _SCHEME.match(before)
    start = f"{scheme[0] if scheme else ''}{MASK}@" if at else ""
    return masked_query(start + after)


def masked_query(url: str) -> str:
    """`url` without the passwords in its query."""
    return _QUERY.sub(rf"\1={MASK}", url)


def is_secret_key(key: object) -> bool:
    """Whether what stands under `key` must not be shown; a `*_file` is only a place."""
    return isinstance(key, str) and not key.endswith("_file") and bool(_SECRET_KEY.search(key))


def place_of(path: Path) -> Path:
    """Where the file is: what systemd's LoadCredential= laid out under the same name, else `path` itself."""
    folder = credentials_folder()
    if folder is None:
        return path
    given = folder / path.name
    return given if os.path.isfile(given) else path  # noqa: PTH113 - never raises, unlike Path's before 3.14


def read_secret(path: Path) -> str:
    """The first line of a secret's file, which is where `place_of` says. Raises ConfigError.

    Refuses a file that others can read or change, as ssh does; no message tells what a file holds.
    """
    path = place_of(path)
    try:
        check_private(path)
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        secret = data.decode().partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise ConfigError(f"cannot use the secret in {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConfigError(f"the secret in {path} is not UTF-8 text") from None
    if not secret or len(data) > _MAX_BYTES:
        raise ConfigError(f"the secret in {path} is empty or longer than {_MAX_BYTES} bytes")
    return secret
