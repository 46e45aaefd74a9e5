"""Whether the libraries are there through which pictures stay on the GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgeguard.capture.surfaces import GstCuda, NvBufLibrary, open_egl
from edgeguard.capture.surfaces.nvbuf import PLACES
from edgeguard.cuda.driver import CudaDriver, open_cuda
from edgeguard.errors import DependencyError, ModelError, SourceError
from edgeguard.runtime.doctor.finding import Finding, fault, fine, warning


def driver(opener: Callable[[], CudaDriver] = open_cuda) -> tuple[Finding, CudaDriver | None]:
    """The GPU and its driver."""
    try:
        cuda = opener()
    except (DependencyError, ModelError) as error:
        cause = "there is no NVIDIA GPU, or its driver cannot be used"
        return fault("driver", str(error), cause, "install the driver, or be content with the CPU"), None
    gpu = cuda.gpu
    said = f"{gpu.name}, compute capability {gpu.compute_capability}, CUDA {gpu.cuda} through {cuda.binding}"
    return fine("driver", said), cuda


def egl() -> Finding:
    """EGL with a display, for a Jetson's surfaces."""
    fix = "on a Jetson: install nvidia-l4t-core, unset DISPLAY; elsewhere it is not needed"
    return _found("egl", lambda: f"EGL {open_egl()} with its default display", fix)


def nvbufsurface(places: Sequence[str] = PLACES) -> Finding:
    """NVIDIA's library of surfaces, and which version of its structures it should have."""

    def look() -> str:
        return f"found; its structures should be of version {NvBufLibrary(places).expected_abi}"

    return _found(
        "nvbufsurface", look, "on a Jetson: install nvidia-l4t-multimedia; elsewhere it is not needed"
    )


def gst_cuda(cuda: CudaDriver | None) -> Finding:
    """GStreamer's CUDA library, for the decoder of a desktop GPU."""

    def look() -> str:
        if cuda is None:
            raise DependencyError("not tried without a driver")
        GstCuda(cuda)
        return "GStreamer's CUDA library takes our context"

    return _found(
        "gst-cuda", look, "with a desktop GPU: install gstreamer1.0-plugins-bad; else it is not needed"
    )


def _found(check: str, look: Callable[[], str], fix: str) -> Finding:
    try:
        return fine(check, look())
    except (DependencyError, ModelError, SourceError) as error:
        return warning(check, str(error), "this box does not have it, or not where it is looked for", fix)
