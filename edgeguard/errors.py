"""The error tree. A message says what is wrong, where, and how to fix it.

EdgeGuardError
├── ConfigError          the configuration file is wrong (exit code 78)
├── UnavailableError     a part is missing or away; it may come back
│   ├── DependencyError  a library or system package is not installed
│   ├── SourceError      a camera or microphone cannot be opened or stopped
│   │   └── EndOfStreamError  it has nothing more to give
│   ├── ModelError       a model is missing, damaged or not understood
│   └── BrokerError      the MQTT broker refused or cannot be reached
└── StorageError         the disk or the database refused
    └── DiskFullError    for want of room
"""

from __future__ import annotations

import shlex
import sys


def how_to_install(*packages: str) -> str:
    """The command that brings Python packages to where this program runs.

    It names each library, never this program: on the public index that name is somebody else's.
    """
    return shlex.join([sys.executable, "-m", "pip", "install", *packages])


class EdgeGuardError(Exception):
    """Root of every error that EdgeGuard raises on purpose."""


class ConfigError(EdgeGuardError):
    """The configuration cannot be used; the message lists every fault in it."""


class UnavailableError(EdgeGuardError):
    """Something this part needs is not there now."""


class DependencyError(UnavailableError):
    """A Python library or system package is missing."""


class SourceError(UnavailableError):
    """A camera or microphone failed; `cause` is the word for it in health and in the book of blind time.

    `connecting`, `unreachable`, `refused_login`, `no_stream`, `stalled`, `undecodable`, `ended` or `broken`.
    """

    def __init__(self, message: str, cause: str = "broken") -> None:
        super().__init__(message)
        self.cause = cause


class EndOfStreamError(SourceError):
    """The source has nothing more to give."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "ended")


class ModelError(UnavailableError):
    """A model is not installed, does not match its checksum or cannot run."""


class BrokerError(UnavailableError):
    """The MQTT broker refused or is away."""


class StorageError(EdgeGuardError):
    """The disk or a database refused."""


class DiskFullError(StorageError):
    """There is no room."""
