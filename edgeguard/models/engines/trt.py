"""TensorRT, whichever is here: 10.3 to 11, or for RTX. Features are looked for, versions never asked."""

from __future__ import annotations

import functools
import importlib
from collections import deque
from dataclasses import dataclass
from typing import Any

from edgeguard.errors import DependencyError, how_to_install

MODULES = ("tensorrt", "tensorrt_rtx")
"""Where both are installed the first is taken: it is the one that comes with JetPack."""


_KEPT = 200
"""Lines of a logger that listens for years."""


@dataclass(frozen=True, slots=True)
class TensorRt:
    """The module and what it can do."""

    module: Any

    @property
    def version(self) -> str:
        """`tensorrt 10.3.0`."""
        return f"{self.module.__name__} {self.module.__version__}"

    @property
    def weakly_typed(self) -> bool:
        """Whether flags choose the precision; else the network's own types do, and there are no flags."""
        return hasattr(self.module.BuilderFlag, "FP16")

    @property
    def compiles_for_others(self) -> bool:
        """Whether it can compile for a GPU that is not here."""
        return hasattr(self.module, "ComputeCapability")

    @property
    def reports_progress(self) -> bool:
        return hasattr(self.module, "IProgressMonitor")

    def network_flags(self) -> int:
        """Explicit batch where it still is a choice, since 10 made it the only one."""
        flag = getattr(self.module.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
        return 0 if flag is None else 1 << int(flag)

    def logger(self, *, verbose: bool = False) -> Any:
        """The process's one logger, emptied: `lines` are (severity, text), with details only if `verbose`.

        TensorRT keeps to the first logger that it is given, whatever comes later.
        """
        logger = _logger(self.module)
        logger.begin(verbose)
        return logger


def load_tensorrt() -> TensorRt:
    """DependencyError if none is installed."""
    for name in MODULES:
        try:
            return TensorRt(importlib.import_module(name))
        except ImportError:
            continue
    raise DependencyError(
        "TensorRT is not installed: on a Jetson `apt install python3-libnvinfer` and make the virtual "
        f"environment with --system-site-packages; elsewhere `{how_to_install('tensorrt', 'pycuda')}`"
    )


@functools.lru_cache
def _logger(module: Any) -> Any:
    """TensorRT calls back only what is derived from its own class."""

    class Lines(module.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.begin(verbose=False)

        def begin(self, verbose: bool) -> None:
            self._verbose = verbose
            self.lines: deque[tuple[str, str]] = deque(maxlen=None if verbose else _KEPT)

        def log(self, severity: Any, text: str) -> None:
            name = getattr(severity, "name", str(severity))
            if self._verbose or name != "VERBOSE":
                self.lines.append((name, text))

        def faults(self) -> str:
            """The errors in it, or the last words."""
            wrong = [text for severity, text in self.lines if severity in ("ERROR", "INTERNAL_ERROR")]
            return "; ".join(wrong[-3:] or [text for _, text in self.lines][-1:]) or "it gives no reason"

    return Lines()
