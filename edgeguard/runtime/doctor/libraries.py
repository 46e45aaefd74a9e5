"""Whether the libraries are there through which pictures stay on the GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgeguard.capture.surfaces import GstCuda, NvBufLibrary, open_egl
from edgeguard.capture.surfaces.nvbuf import PLACES
from edgeguard.cuda.driver import CudaDriver, open_cuda
from edgeguard.errors import DependencyError, ModelError, SourceError
from edgeguard.runtime.doctor.finding import Finding


def driver(opener: Callable[[], CudaDriver] = open_cuda) -> tuple[Finding, CudaDriver | None]:
    """The GPU and its driver."""
    try:
        cuda = opener()
    except (DependencyError, ModelError) as error:
        return Finding("driver", False, str(error)), None
    gpu = cuda.gpu
    said = f"{gpu.name}, compute capability {gpu.compute_capability}, CUDA {gpu.cuda} through {cuda.binding}"
    return Finding("driver", True, said), cuda


def egl() -> Finding:
    """EGL with a display, for a Jetson's surfaces."""
    return _found("egl", lambda: f"EGL {open_egl()} with its default display")


def nvbufsurface(places: Sequence[str] = PLACES) -> Finding:
    """NVIDIA's library of surfaces, and which version of its structures it should have."""

    def look() -> str:
        return f"found; its structures should be of version {NvBufLibrary(places).expected_abi}"

    return _found("nvbufsurface", look)


def gst_cuda(cuda: CudaDriver | None) -> Finding:
    """GStreamer's CUDA library, for the decoder of a desktop GPU."""
    if cuda is None:
        return Finding("gst-cuda", False, "not tried without a driver")

    def look() -> str:
        GstCuda(cuda)
        return "GStreamer's CUDA library takes our context"

    return _found("gst-cuda", look)


def _found(check: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(check, True, look())
    except (DependencyError, ModelError, SourceError) as error:
        return Finding(check, False, str(error))
