"""The engines that a daemon runs, and what it says while it has none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from edgeguard.errors import DependencyError, ModelError
from edgeguard.models.engines.shelf import shelf_of
from edgeguard.models.engines.tensorrt_engine import TensorRtEngine
from edgeguard.models.engines.workshop import (
    Effort,
    Machine,
    basis_now,
    candidates,
    engine_of,
    open_machine,
    usable,
)
from edgeguard.models.exported import Exported


class Fleet:
    """Engines of the models below `root`; the GPU is opened at the first question and kept."""

    def __init__(self, root: Path, opener: Callable[[], Machine] = open_machine) -> None:
        self._root = root
        self._opener = opener
        self._machine: Machine | None = None
        self._no_gpu: str | None = None
        """Why there is none, where there should be one."""
        self._asked = False

    def load(self, exported: Exported) -> TensorRtEngine | None:
        """The best engine that serves here; None on a machine that has no TensorRT or no driver.

        ModelError, with the way to have one, if there should be an engine and is none.
        """
        machine = self._open()
        if machine is None:
            if self._no_gpu:
                raise ModelError(f"the GPU cannot be used: {self._no_gpu}")
            return None
        fault = self.lacking(exported)
        if fault:
            raise ModelError(fault)
        precision = next(usable(exported, shelf_of(self._root, exported.name), machine))
        return engine_of(shelf_of(self._root, exported.name).load(precision.value), exported, machine)

    def lacking(self, exported: Exported) -> str | None:
        """Why `load` would give none now, as far as can be told without loading; None if it may."""
        machine = self._open()
        if machine is None:
            return self._no_gpu
        if machine.cuda.lost:
            return f"the GPU is lost until the service restarts: {machine.cuda.lost}"
        shelf = shelf_of(self._root, exported.name)
        if shelf.is_building:
            return (
                f"building the engine of {exported.name}; until it is ready the CPU guards, at a lower rate"
            )
        if next(usable(exported, shelf, machine), None) is None:
            basis = basis_now(exported, candidates(exported)[0], machine, Effort())
            why = "; ".join(shelf.reasons(basis, vital=True))
            return f"no engine of {exported.name} serves here ({why}): run `edgeguard engines build CONFIG`"
        return None

    @property
    def has_gpu(self) -> bool:
        """Whether engines can run here at all."""
        return self._open() is not None

    def _open(self) -> Machine | None:
        if not self._asked:
            self._asked = True
            with suppress(DependencyError):  # no TensorRT, or no driver: the CPU is what this machine has
                try:
                    self._machine = self._opener()
                except ModelError as error:
                    self._no_gpu = str(error)
        return self._machine
