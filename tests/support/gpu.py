"""A GPU and a TensorRT that are not there: the fakes, made ready for this process and for others."""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
VERSIONS = ("v10", "v11")


@functools.cache
def fake_cuda_folder() -> Path:
    """A folder with the fake libcuda.so.1, compiled once a run."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make the fake libcuda.so.1 with")
    folder = Path(tempfile.mkdtemp(prefix="edgeguard-fake-cuda-"))
    atexit.register(shutil.rmtree, folder)
    source = HERE / "fake_cuda" / "fake_cuda.c"
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wl,-soname,libcuda.so.1", "-o"]
    subprocess.run([*command, str(folder / "libcuda.so.1"), str(source), "-ldl"], check=True)
    return folder


class FakeGpu:
    """The fake libcuda.so.1 of this process, from outside."""

    def __init__(self) -> None:
        self.libcuda = str(fake_cuda_folder() / "libcuda.so.1")
        self._library = ctypes.CDLL(self.libcuda)
        self._library.fake_ledger.restype = ctypes.c_char_p
        self.clear()

    def clear(self) -> None:
        self._library.fake_clear()
        self._library.fake_fail(b"", 0, 0)
        self._library.fake_no_gpu(0)

    @property
    def ledger(self) -> list[str]:
        """The calls since the last `clear`."""
        return self._library.fake_ledger().decode().splitlines()

    @property
    def blocks(self) -> int:
        """Allocations, streams and graphs that nobody gave back."""
        return int(self._library.fake_blocks())

    @property
    def retained(self) -> int:
        return int(self._library.fake_retained())

    def fail(self, call: str, result: int, skip: int = 0) -> None:
        """Let the call fail once, after `skip` calls that work."""
        self._library.fake_fail(call.encode(), result, skip)

    def fail_next(self, call: str, result: int) -> None:
        """After the failure that `fail` asked for, let this call fail once, too."""
        self._library.fake_fail_next(call.encode(), result)

    def take_away(self) -> None:
        self._library.fake_no_gpu(1)


@contextmanager
def fake_tensorrt(version: str) -> Iterator[ModuleType]:
    """`import tensorrt` gives the fake of that version inside."""
    folder = str(HERE / "fake_tensorrt" / version)
    sys.modules.pop("tensorrt", None)
    sys.path.insert(0, folder)
    try:
        yield importlib.import_module("tensorrt")
    finally:
        sys.path.remove(folder)
        sys.modules.pop("tensorrt", None)
