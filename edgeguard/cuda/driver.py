"""What EdgeGuard needs of an NVIDIA GPU's driver, and who gives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from edgeguard.cuda.interop import MappedImage
from edgeguard.cuda.kernels import Size
from edgeguard.errors import DependencyError, ModelError


class GpuLostError(ModelError):
    """The context is poisoned: only a new process gets the GPU back."""


STICKY = frozenset({214, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719, 720, 999})
"""Results of CUDA after which every later call in the process fails, too."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """What a plan depends on."""

    name: str
    compute_capability: str
    """`8.7` is Orin."""
    multiprocessors: int
    cuda: str
    """Version of CUDA that the driver brings, e.g. `12.6`."""
    memory_bytes: int


class CudaDriver(Protocol):
    """One GPU through its primary context, which TensorRT, ONNX Runtime and capture share.

    Addresses, streams and graphs are plain numbers. What makes, frees or runs something must be called inside
    `with driver.current():`. ModelError names the call that failed; GpuLostError if nothing will work again.
    """

    binding: str
    """`pycuda` or `ctypes`."""
    lost: str | None
    """Why no call will work again in this process."""

    @property
    def gpu(self) -> Gpu: ...

    def current(self) -> AbstractContextManager[None]:
        """The context is this thread's inside."""

    def make_stream(self) -> int:
        """One that does not wait for the default stream."""

    def destroy_stream(self, stream: int) -> None: ...

    def synchronise(self, stream: int) -> None:
        """Wait for all that was put on the stream; the GIL is free meanwhile."""

    def allocate(self, size: int) -> int:
        """Bytes on the device."""

    def free(self, address: int) -> None: ...

    def allocate_host(self, size: int) -> int:
        """Bytes of page-locked memory of the host."""

    def free_host(self, address: int) -> None: ...

    def copy_in(self, device: int, host: int, size: int, stream: int) -> None: ...

    def copy_out(self, host: int, device: int, size: int, stream: int) -> None: ...

    def capture(self, stream: int, work: Callable[[], None]) -> int:
        """What `work` puts on the stream, as a graph that `launch` repeats; nothing runs meanwhile."""

    def launch(self, graph: int, stream: int) -> None: ...

    def destroy_graph(self, graph: int) -> None: ...

    def context_handle(self) -> int:
        """The CUcontext itself, for libraries that decode into it."""

    def register_egl(self, image: int) -> int:
        """Make an EGL image known to CUDA, which maps it until `unregister`."""

    def egl_frame(self, resource: int) -> MappedImage: ...

    def unregister(self, resource: int) -> None: ...

    def make_texture(self, array: int) -> int:
        """Reads the array's integers at whole coordinates, clamped at the edges."""

    def destroy_texture(self, texture: int) -> None: ...

    def copy_plane_out(self, host: int, row_bytes: int, rows: int, device: int, pitch: int) -> None:
        """Copy a plane to dense rows at `host` and wait for it; pitch 0 says that `device` is a texture."""

    def make_event(self, *, timing: bool = False) -> int:
        """One that nothing was recorded in counts as complete."""

    def record(self, event: int, stream: int) -> None:
        """The event is complete once all is done that is on the stream now."""

    def is_complete(self, event: int) -> bool:
        """Without waiting."""

    def wait_for_event(self, event: int) -> None:
        """Wait until the event is complete; the GIL is free meanwhile."""

    def elapsed_ms(self, begin: int, end: int) -> float:
        """Between two complete events that were made with `timing`."""

    def destroy_event(self, event: int) -> None: ...

    def load_module(self, cubin: bytes) -> int:
        """Make compiled code known; ModelError if it is not for this GPU."""

    def function(self, module: int, name: str) -> int:
        """The kernel of that name; valid until the module is unloaded."""

    def unload_module(self, module: int) -> None: ...

    def launch_kernel(
        self, function: int, grid: Size, block: Size, arguments: Sequence[Any], stream: int
    ) -> None:
        """Put a kernel on the stream. `arguments` are ctypes values, copied at once."""

    def close(self) -> None:
        """Let go of the primary context."""


def open_cuda() -> CudaDriver:
    """pycuda where it is installed, as on a Jetson, else the driver's library itself.

    DependencyError if there is no NVIDIA driver; ModelError if there is no GPU.
    """
    from edgeguard.cuda.libcuda import CtypesCuda
    from edgeguard.cuda.with_pycuda import PycudaCuda

    try:
        return PycudaCuda()
    except DependencyError:
        return CtypesCuda()
