"""As pycuda 2026.1 behaves: errors without a code, objects that free themselves, a static `pop`."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Error(Exception):
    pass


class LogicError(Error):
    pass


def _call(name: str, *arguments: Any) -> None:
    result = getattr(ctypes.CDLL("libcuda.so.1"), name)(*arguments)
    if result:
        raise LogicError(f"{name.removesuffix('_v2')} failed: error {result}")


def _made(name: str, *arguments: Any) -> int:
    made = ctypes.c_void_p()
    _call(name, ctypes.byref(made), *arguments)
    return int(made.value or 0)


def init() -> None:
    _call("cuInit", 0)


class Context:
    def __init__(self, address: int) -> None:
        self._address = address

    def push(self) -> None:
        _call("cuCtxPushCurrent_v2", ctypes.c_void_p(self._address))

    @staticmethod
    def pop() -> None:
        _call("cuCtxPopCurrent_v2", None)

    def detach(self) -> None:
        _call("cuDevicePrimaryCtxRelease_v2", 0)


class Device:
    def __init__(self, number: int) -> None:
        self._number = number

    def retain_primary_context(self) -> Context:
        return Context(_made("cuDevicePrimaryCtxRetain", self._number))


class Stream:
    def __init__(self, flags: int = 0) -> None:
        self.handle = _made("cuStreamCreate", flags)
        self._context = _made("cuCtxGetCurrent")

    def synchronize(self) -> None:
        _call("cuStreamSynchronize", ctypes.c_void_p(self.handle))

    def __del__(self) -> None:
        """Wherever it is let go of, in its own context."""
        if hasattr(self, "_context"):
            Context(self._context).push()
            _call("cuStreamDestroy_v2", ctypes.c_void_p(self.handle))
            Context.pop()


class _Block:
    """Device memory, or the page-locked memory behind an array."""

    def __init__(self, address: int, release: str) -> None:
        self.address, self._release = address, release

    def __int__(self) -> int:
        return self.address

    def free(self) -> None:
        _call(self._release, ctypes.c_void_p(self.address))


def mem_alloc(size: int) -> _Block:
    return _Block(_made("cuMemAlloc_v2", ctypes.c_size_t(size)), "cuMemFree_v2")


class _Pinned(np.ndarray):  # type: ignore[type-arg]
    """An array whose `base` can be freed, as pycuda's can."""

    block: _Block

    @property
    def base(self) -> Any:
        return self.block


def pagelocked_empty(shape: int, dtype: Any) -> NDArray[Any]:
    size = int(shape * np.dtype(dtype).itemsize)
    address = _made("cuMemHostAlloc", ctypes.c_size_t(size), 0)
    array = np.frombuffer((ctypes.c_ubyte * size).from_address(address), dtype).view(_Pinned)
    array.block = _Block(address, "cuMemFreeHost")
    return array


def memcpy_htod_async(dest: int, src: NDArray[Any], stream: Stream) -> None:
    where = (ctypes.c_void_p(int(dest)), ctypes.c_void_p(src.ctypes.data))
    _call("cuMemcpyHtoDAsync_v2", *where, ctypes.c_size_t(src.nbytes), ctypes.c_void_p(stream.handle))


def memcpy_dtoh_async(dest: NDArray[Any], src: int, stream: Stream) -> None:
    where = (ctypes.c_void_p(dest.ctypes.data), ctypes.c_void_p(int(src)))
    _call("cuMemcpyDtoHAsync_v2", *where, ctypes.c_size_t(dest.nbytes), ctypes.c_void_p(stream.handle))
