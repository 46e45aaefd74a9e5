"""nvcc: NVIDIA's compiler as a program, where NVRTC is not installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from edgeguard.errors import DependencyError, ModelError

_PLACE = "/usr/local/cuda/bin/nvcc"
_LONGEST_S = 120


class Nvcc:
    """DependencyError if none is installed."""

    def __init__(self, program: str | None = None) -> None:
        found = shutil.which(program or "nvcc") or shutil.which(_PLACE)
        if found is None:
            raise DependencyError("nvcc is not installed: it comes with the CUDA toolkit")
        self._program = found
        release = re.search(r"release (\d+\.\d+)", self._run("--version"))
        if release is None:
            raise DependencyError(f"{found} does not say its version: it is no nvcc")
        self.version = release[1]
        """Of CUDA, e.g. `12.6`."""

    @property
    def name(self) -> str:
        return f"nvcc {self.version}"

    def compile(self, source: str, compute_capability: str) -> bytes:
        """A cubin for GPUs of that capability, e.g. `8.7`; ModelError with what the compiler said."""
        architecture = f"sm_{compute_capability.replace('.', '')}"
        with tempfile.TemporaryDirectory(prefix="edgeguard-") as folder:
            written, made = Path(folder) / "edgeguard.cu", Path(folder) / "edgeguard.cubin"
            written.write_text(source)
            self._run("-cubin", "-std=c++14", "-arch", architecture, "-o", str(made), str(written))
            return made.read_bytes()

    def _run(self, *arguments: str) -> str:
        command = [self._program, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)  # noqa: S603 - the program that the machine calls nvcc
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ModelError(f"{self._program} could not run: {error}") from error
        if done.returncode:
            raise ModelError(
                f"nvcc cannot compile ({arguments[0]}): {done.stderr.strip() or done.returncode}"
            )
        return done.stdout
