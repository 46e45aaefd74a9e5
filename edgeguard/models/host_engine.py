"""Any session on the host's memory, as an engine."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import ModelError
from edgeguard.models.session import Engine, Feeds, Outputs, Session


class HostEngine:
    """Runs `session` on slots for `max_batch` pictures, or for as many as its model has fixed.

    ModelError if an input's size is free beyond its batch.
    """

    def __init__(self, session: Session, max_batch: int = 1) -> None:
        self.model = session.model
        self.inputs = session.inputs
        self.outputs = session.outputs
        self._session = session
        self.max_batch, self._fixed = _batch(session, max_batch)
        self.slots: Mapping[str, NDArray[Any]] = MappingProxyType(
            {name: np.zeros((self.max_batch, *_sizes(session, name)), np.float32) for name in session.inputs}
        )
        self._whole = dict(self.slots)

    def run(self, batch: int) -> Outputs:
        if not 1 <= batch <= self.max_batch:
            raise ModelError(f"{self.model.name} takes 1 to {self.max_batch} pictures at once, not {batch}")
        if self._fixed or batch == self.max_batch:
            outputs = self._session.infer(self._whole)
            return outputs if batch == self.max_batch else {k: v[:batch] for k, v in outputs.items()}
        return self._session.infer({name: slots[:batch] for name, slots in self._whole.items()})

    def infer(self, feeds: Feeds) -> Outputs:
        return self._session.infer(feeds)

    def close(self) -> None:
        self._whole.clear()


def as_engine(session: Session | Engine, max_batch: int = 1) -> Engine:
    """The session itself if it is an engine, else one around it."""
    return cast(Engine, session) if hasattr(session, "slots") else HostEngine(session, max_batch)


def _batch(session: Session, wanted: int) -> tuple[int, bool]:
    """The largest batch, and whether it is the only one."""
    fixed = {shape[0] for shape in session.inputs.values() if shape and isinstance(shape[0], int)}
    return (min(size for size in fixed if isinstance(size, int)), True) if fixed else (wanted, False)


def _sizes(session: Session, name: str) -> tuple[int, ...]:
    shape = session.inputs[name]
    sizes = tuple(size for size in shape[1:] if isinstance(size, int))
    if len(shape) < 2 or len(sizes) != len(shape) - 1:
        raise ModelError(
            f"{session.model.name}: input {name} {shape} is free beyond its batch: export it with fixed sizes"
        )
    return sizes
