"""How pictures come into a network's slots: through the host, or where they lie on the GPU."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import ModelError
from edgeguard.models import DeviceEngine, Engine, Outputs
from edgeguard.types import Frame, Memory
from edgeguard.vision.cuda_letterbox import CudaLetterbox
from edgeguard.vision.letterbox import Letterbox, Transform


class Filling(Protocol):
    """Fills the first slots with frames and runs the network."""

    takes_device_frames: bool

    def run(self, frames: Sequence[Frame]) -> tuple[list[Transform], Outputs]:
        """What the network says of each frame, valid until the next run; the frames' memory is free again."""

    def close(self) -> None: ...


class HostFilling:
    """Frames of the host's memory, through the CPU's letterbox."""

    takes_device_frames = False

    def __init__(self, letterbox: Letterbox, engine: Engine, tensor: str) -> None:
        self._letterbox = letterbox
        self._engine = engine
        self._slots = engine.slots[tensor]

    def run(self, frames: Sequence[Frame]) -> tuple[list[Transform], Outputs]:
        transforms = [self._letterbox.into(frame, self._slots[i]) for i, frame in enumerate(frames)]
        return transforms, self._engine.run(len(frames))

    def close(self) -> None:
        """There is nothing to give back."""


class DeviceFilling:
    """Frames on the GPU by one kernel each, those of the host by a copy; one run after all."""

    takes_device_frames = True

    def __init__(
        self, letterbox: Letterbox, engine: DeviceEngine, tensor: str, cubins: Cubins, ledger: Ledger
    ) -> None:
        self._letterbox = letterbox
        self._engine = engine
        self._tensor = tensor
        self._ledger = ledger
        self._slots = engine.slots[tensor]
        self._kernel = CudaLetterbox(letterbox, engine.cuda, cubins)

    def run(self, frames: Sequence[Frame]) -> tuple[list[Transform], Outputs]:
        if all(frame.memory is Memory.HOST for frame in frames):
            return self._run_from_host(frames)
        try:
            with self._engine.cuda.current():
                transforms = [self._fill(frame, slot) for slot, frame in enumerate(frames)]
            return transforms, self._engine.run(len(frames), on_device=True)
        except ModelError:
            self._hand_back_later(frames)
            raise

    def close(self) -> None:
        cuda = self._engine.cuda
        with suppress(GpuLostError), cuda.current():
            cuda.synchronise(self._engine.stream)  # a run that failed may have left kernels there
            self._kernel.close()

    def _run_from_host(self, frames: Sequence[Frame]) -> tuple[list[Transform], Outputs]:
        """By one copy for all."""
        transforms = [self._letterbox.into(frame, self._slots[i]) for i, frame in enumerate(frames)]
        self._ledger.count(frames=len(frames), h2d_bytes=self._slots[: len(frames)].nbytes)
        return transforms, self._engine.run(len(frames))

    def _fill(self, frame: Frame, slot: int) -> Transform:
        self._ledger.count(frames=1)
        if frame.memory is Memory.HOST:
            transform = self._letterbox.into(frame, self._slots[slot])
            self._ledger.count(h2d_bytes=self._engine.upload(self._tensor, slot))
            return transform
        address = self._engine.input_slot(self._tensor, slot)
        return self._kernel.into(frame, address, self._slots.dtype, self._engine.stream)

    def _hand_back_later(self, frames: Sequence[Frame]) -> None:
        """A kernel may still read what a failure interrupted: buffers go back when the stream is past it."""
        cuda = self._engine.cuda
        with suppress(ModelError), cuda.current():
            for frame in frames:
                if frame.hold is not None:
                    frame.hold.until(self._engine.stream)
