"""What crosses between the host and the GPU, counted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Crossings:
    """Totals since the start. A zero-copy path leaves the first three and `flattens` at 0."""

    host_maps: int = 0
    """Pictures that were mapped into the host's memory."""
    h2d_bytes: int = 0
    """Bytes of pictures copied from the host to the device."""
    d2h_bytes: int = 0
    """Bytes of pictures copied from the device to the host."""
    registrations: int = 0
    """Buffers of a decoder made known to CUDA; about eleven a camera, then no more."""
    hits: int = 0
    """Pictures whose buffer CUDA knew already."""
    flattens: int = 0
    """Pictures copied out of block-linear memory before use."""
    frames: int = 0
    """Pictures handed on."""

    def as_measures(self) -> dict[str, int]:
        """Name to number, for health."""
        return asdict(self)

    def __add__(self, other: Crossings) -> Crossings:
        """Both together."""
        mine, others = asdict(self), asdict(other)
        return Crossings(**{name: number + others[name] for name, number in mine.items()})

    @property
    def is_zero_copy(self) -> bool:
        """Whether no picture crossed to or through the host."""
        return not (self.host_maps or self.h2d_bytes or self.d2h_bytes or self.flattens)


class Ledger:
    """Adds up crossings from any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts = asdict(Crossings())

    def count(self, **added: int) -> None:
        """Add what one step moved, by the names of `Crossings`."""
        with self._lock:
            for name, number in added.items():
                self._counts[name] += number

    def read(self) -> Crossings:
        """The totals, all of the same moment."""
        with self._lock:
            return Crossings(**self._counts)
