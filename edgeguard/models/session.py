"""What every inference backend offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from numpy.typing import NDArray

from edgeguard.cuda.driver import CudaDriver
from edgeguard.errors import ModelError
from edgeguard.types import ModelRef

Shape = tuple[int | str | None, ...]
"""A tensor's dimensions; a name or None stands for any size."""

Feeds = Mapping[str, NDArray[Any]]
Outputs = dict[str, NDArray[Any]]


class Session(Protocol):
    """A loaded model; used by one thread at a time."""

    @property
    def model(self) -> ModelRef:
        """Which model, and what runs it."""

    @property
    def inputs(self) -> Mapping[str, Shape]:
        """Tensors that `infer` needs, in the order of the model file."""

    @property
    def outputs(self) -> Mapping[str, Shape]:
        """Tensors that `infer` returns, in the order of the model file."""

    def infer(self, feeds: Feeds) -> Outputs:
        """Run once on exactly the tensors of `inputs`.

        The arrays returned belong to the caller. ModelError if a tensor is missing, unknown or of a shape
        or type that the model does not take, and if the backend fails.
        """


class Engine(Session, Protocol):
    """A session with buffers of its own: a picture is written where it is read, and nothing is allocated.

    Fill the first `batch` of `slots`, call `run`, read what it returns before the next `run`.
    """

    max_batch: int

    @property
    def slots(self) -> Mapping[str, NDArray[Any]]:
        """(max_batch, ...) for each input; the same arrays for the engine's whole life."""

    def run(self, batch: int) -> Outputs:
        """What the model says of the first `batch` slots; the arrays are valid until the next `run`.

        ModelError if the batch is not 1 to `max_batch`, and if the backend fails.
        """

    def close(self) -> None:
        """Give memory back; nothing may be called after it."""


@runtime_checkable
class DeviceEngine(Engine, Protocol):
    """An engine on a GPU, whose slots can be written where they lie."""

    @property
    def cuda(self) -> CudaDriver: ...

    @property
    def stream(self) -> int:
        """Where `run` puts its work: what is put there before is done before."""

    def input_slot(self, name: str, index: int) -> int:
        """Where one picture's slot of an input lies on the device."""

    def upload(self, name: str, index: int) -> int:
        """Put on the stream: bring one slot from the host to the device. Its bytes.

        Call it in the driver's context.
        """

    def run(self, batch: int, *, on_device: bool = False) -> Outputs:
        """`on_device`: the inputs are on the device already, or on their way on `stream`."""


def check_feeds(model: ModelRef, inputs: Mapping[str, Shape], feeds: Feeds) -> None:
    """ModelError unless `feeds` has exactly the tensors of `inputs`, each of a shape that fits."""
    if feeds.keys() != inputs.keys():
        raise ModelError(f"{model.name} takes the tensors {_names(inputs)} and was given {_names(feeds)}")
    for name, shape in inputs.items():
        given = feeds[name].shape
        if not _fits(given, shape):
            raise ModelError(f"{model.name}: tensor {name} has shape {given}, the model takes {shape}")


def _names(tensors: Mapping[str, object]) -> str:
    return ", ".join(sorted(tensors)) or "none"


def _fits(given: tuple[int, ...], shape: Shape) -> bool:
    return len(given) == len(shape) and all(
        not isinstance(want, int) or want == have for have, want in zip(given, shape, strict=True)
    )
