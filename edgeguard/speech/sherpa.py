"""The one door to sherpa_onnx, which ends the process when a file is missing: so files are checked here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from edgeguard.errors import DependencyError, ModelError

T = TypeVar("T")


def load() -> Any:
    """The sherpa_onnx module; DependencyError if it is not installed."""
    try:
        import sherpa_onnx
    except ImportError as error:
        raise DependencyError("sherpa-onnx is not installed: `pip install sherpa-onnx`") from error
    return sherpa_onnx


def file(path: Path) -> str:
    """The path as sherpa_onnx takes it; ModelError if there is no such file."""
    if not path.is_file():
        raise ModelError(f"the model file {path} is missing: fetch it with `edgeguard models pull`")
    return str(path)


def build(what: str, make: Callable[[], T]) -> T:
    """What `make` makes; ModelError if sherpa_onnx refuses the model."""
    try:
        return make()
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"sherpa-onnx cannot load the {what}: {error}") from error
