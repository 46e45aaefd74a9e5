"""The words for what is wrong with a part of health: for programs, where its reason is for people."""

from __future__ import annotations

from edgeguard.cuda.driver import GpuLostError
from edgeguard.errors import (
    BrokerError,
    ConfigError,
    DependencyError,
    DiskFullError,
    ModelError,
    StorageError,
    UnavailableError,
)

FAULT = "fault"
OFF = "off"

_BY_ERROR: tuple[tuple[type[BaseException], str], ...] = (
    (DiskFullError, "disk_full"),
    (StorageError, "storage"),
    (ConfigError, "config"),
    (DependencyError, "missing_dependency"),
    (GpuLostError, "gpu_lost"),
    (ModelError, "model_unavailable"),
    (BrokerError, "broker"),
    (UnavailableError, "unavailable"),
)
"""The first that fits counts."""


def code_of(error: BaseException) -> str:
    """The word for what an error means for the part that met it; `fault` for one that nobody foresaw."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, str):
        return cause
    return next((code for kind, code in _BY_ERROR if isinstance(error, kind)), FAULT)
