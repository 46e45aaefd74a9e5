"""Kernels and events: what runs on a stream, and how to know that it is done."""

from __future__ import annotations

import ctypes as c
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

_NO_TIMING = 2
"""An event without a clock is cheaper to record."""
_NOT_READY = 600

_P, _UINT, _OUT = c.c_void_p, c.c_uint, c.POINTER(c.c_void_p)
KERNELS: dict[str, tuple[type, ...]] = {
    "cuEventCreate": (_OUT, _UINT),
    "cuEventRecord": (_P, _P),
    "cuEventQuery": (_P,),
    "cuEventSynchronize": (_P,),
    "cuEventElapsedTime": (c.POINTER(c.c_float), _P, _P),
    "cuEventDestroy_v2": (_P,),
    "cuModuleLoadData": (_OUT, c.c_char_p),
    "cuModuleGetFunction": (_OUT, _P, c.c_char_p),
    "cuModuleUnload": (_P,),
    "cuLaunchKernel": (_P, *(_UINT,) * 7, _P, c.POINTER(_P), _P),
}

Size = tuple[int, int, int]
"""Along x, y and z."""


class Kernels(ABC):
    """The part of a CudaDriver that runs kernels; call it inside `driver.current()`."""

    _library: c.CDLL

    def make_event(self, *, timing: bool = False) -> int:
        """One that nothing was recorded in counts as complete."""
        return self._made("cuEventCreate", 0 if timing else _NO_TIMING)

    def record(self, event: int, stream: int) -> None:
        """The event is complete once all is done that is on the stream now."""
        self._call("cuEventRecord", event, stream)

    def is_complete(self, event: int) -> bool:
        """Without waiting."""
        result = self._library.cuEventQuery(event)
        if result not in (0, _NOT_READY):
            self._fail("cuEventQuery", result)
        return bool(result == 0)

    def wait_for_event(self, event: int) -> None:
        """Wait until the event is complete; the GIL is free meanwhile."""
        self._call("cuEventSynchronize", event)

    def elapsed_ms(self, begin: int, end: int) -> float:
        """Between two complete events that were made with `timing`."""
        elapsed = c.c_float()
        self._call("cuEventElapsedTime", c.byref(elapsed), begin, end)
        return elapsed.value

    def destroy_event(self, event: int) -> None:
        self._call("cuEventDestroy_v2", event)

    def load_module(self, cubin: bytes) -> int:
        """Make compiled code known; ModelError if it is not for this GPU."""
        return self._made("cuModuleLoadData", cubin)

    def function(self, module: int, name: str) -> int:
        """The kernel of that name; valid until the module is unloaded."""
        return self._made("cuModuleGetFunction", module, name.encode())

    def unload_module(self, module: int) -> None:
        self._call("cuModuleUnload", module)

    def launch_kernel(
        self, function: int, grid: Size, block: Size, arguments: Sequence[Any], stream: int
    ) -> None:
        """Put a kernel on the stream. `arguments` are ctypes values, copied at once."""
        pointers = (_P * len(arguments))(*(c.addressof(argument) for argument in arguments))
        self._call("cuLaunchKernel", function, *grid, *block, 0, stream, pointers, None)

    @abstractmethod
    def _made(self, name: str, *arguments: object) -> int: ...

    @abstractmethod
    def _call(self, name: str, *arguments: object) -> None: ...

    @abstractmethod
    def _fail(self, name: str, result: int) -> None: ...
