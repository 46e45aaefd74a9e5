"""The GPU, its driver and TensorRT; a box without one is guarded by its CPU, and that is fine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from edgeguard.cuda.driver import CudaDriver, open_cuda
from edgeguard.errors import DependencyError, ModelError, how_to_install
from edgeguard.files import text_of
from edgeguard.models.engines.trt import TensorRt, load_tensorrt
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning
from edgeguard.runtime.doctor.jetpack import is_jetson

CHECK = "gpu"
_NVIDIA, _DISPLAYS = "0x10de", ("0x0300", "0x0302")


def expected(root: Path = Path("/")) -> bool:
    """Whether this box has an NVIDIA GPU, with or without a driver."""
    if is_jetson(root):
        return True
    return any(
        text_of(device / "vendor") == _NVIDIA and text_of(device / "class").startswith(_DISPLAYS)
        for device in (root / "sys/bus/pci/devices").glob("*")
    )


def gpu(
    root: Path = Path("/"),
    opener: Callable[[], CudaDriver] = open_cuda,
    tensorrt: Callable[[], TensorRt] = load_tensorrt,
) -> Iterator[Finding]:
    """The driver, then TensorRT; skipped where there is no GPU that could be missed."""
    try:
        cuda = opener()
    except (DependencyError, ModelError) as error:
        yield _without(str(error), expected(root))
        return
    try:
        found = cuda.gpu
        said = f"{found.name}, compute capability {found.compute_capability}, CUDA {found.cuda}"
        yield fine(CHECK, said, figures={"binding": cuda.binding, "memory_bytes": found.memory_bytes})
    finally:
        cuda.close()
    yield _compiler(tensorrt)


def _without(error: str, is_expected: bool) -> Finding:
    if not is_expected:
        return skipped(CHECK, "no NVIDIA GPU: models run on the CPU")
    return fault(
        CHECK,
        f"there is an NVIDIA GPU, and it cannot be used: {error}",
        "the driver is not installed or not loaded, or this user may not open its devices",
        "on a Jetson: add the user to the groups video and render; elsewhere: install the NVIDIA driver, "
        "and check with `nvidia-smi`",
    )


def _compiler(tensorrt: Callable[[], TensorRt]) -> Finding:
    try:
        return fine("tensorrt", tensorrt().version)
    except DependencyError as error:
        return warning(
            "tensorrt",
            "the GPU is there, and TensorRT is not: models run on the CPU",
            str(error),
            "on a Jetson: sudo apt install python3-libnvinfer, and a virtual environment made with "
            f"--system-site-packages; elsewhere: {how_to_install('tensorrt', 'pycuda')}",
        )
