"""Kernels compiled for the GPU at hand, kept between starts."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from edgeguard.cuda.driver import Gpu
from edgeguard.cuda.nvcc import Nvcc
from edgeguard.cuda.nvrtc import Nvrtc
from edgeguard.errors import DependencyError, ModelError
from edgeguard.files import write_whole

log = logging.getLogger(__name__)


class Compiler(Protocol):
    """What turns CUDA C++ into code for one kind of GPU."""

    @property
    def name(self) -> str: ...

    version: str
    """Of CUDA, e.g. `12.6`."""

    def compile(self, source: str, compute_capability: str) -> bytes: ...


class Cubins:
    """Compiles once for each source, GPU and CUDA; a file that is damaged is made again.

    A file is the SHA-256 of the code, then the code.
    """

    def __init__(self, folder: Path, compilers: Sequence[Callable[[], Compiler]] = (Nvrtc, Nvcc)) -> None:
        self._folder = folder
        self._compilers = compilers

    def get(self, name: str, source: str, gpu: Gpu) -> bytes:
        """The code for this GPU. ModelError if no compiler here can make it."""
        path = self._folder / f"{name}-{_key(source, gpu)}.cubin"
        kept = _read(path)
        if kept is None:
            kept = self._compile(source, gpu)
            with suppress(OSError):  # a folder that cannot be written costs a second at each start
                self._folder.mkdir(parents=True, exist_ok=True)
                write_whole(path, hashlib.sha256(kept).digest() + kept)
        return kept

    def _compile(self, source: str, gpu: Gpu) -> bytes:
        faults: list[str] = []
        for make in self._compilers:
            try:
                compiler = make()
                if _major(compiler.version) > _major(gpu.cuda):
                    faults.append(f"{compiler.name} is newer than the driver, which knows CUDA {gpu.cuda}")
                    continue
                code = compiler.compile(source, gpu.compute_capability)
            except (DependencyError, ModelError) as error:
                faults.append(str(error))
            else:
                log.info("compiled for %s by %s: %d bytes", gpu.name, compiler.name, len(code))
                return code
        raise ModelError(f"no kernel can be compiled for {gpu.name}: {'; '.join(faults)}")


def _key(source: str, gpu: Gpu) -> str:
    said = f"{gpu.compute_capability}\n{gpu.cuda}\n{source}"
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _major(version: str) -> int:
    return int(version.partition(".")[0])


def _read(path: Path) -> bytes | None:
    """What is kept there; None if there is nothing, or not what was written."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, code = data[:32], data[32:]
    return code if code and hashlib.sha256(code).digest() == digest else None
