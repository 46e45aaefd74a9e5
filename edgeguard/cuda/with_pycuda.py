"""The GPU through pycuda, the usual binding on a Jetson; graphs, which it has not, through ctypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.cuda.driver import STICKY
from edgeguard.cuda.libcuda import LIBRARY, CtypesCuda
from edgeguard.errors import DependencyError, ModelError, how_to_install


class PycudaCuda(CtypesCuda):
    """pycuda's objects are kept alive here, by the address or handle that stands for them."""

    binding = "pycuda"

    def __init__(self, library: str = LIBRARY) -> None:
        self._driver = _pycuda()
        self._objects: dict[int, Any] = {}
        super().__init__(library)

    def make_stream(self) -> int:
        stream = self._say("make a stream", lambda: self._driver.Stream(flags=1))
        return self._keep(int(stream.handle), stream)

    def destroy_stream(self, stream: int) -> None:
        self._objects.pop(stream)

    def synchronise(self, stream: int) -> None:
        self._say("wait for the stream", self._objects[stream].synchronize)

    def allocate(self, size: int) -> int:
        block = self._say("allocate memory", lambda: self._driver.mem_alloc(size))
        return self._keep(int(block), block)

    def free(self, address: int) -> None:
        self._objects.pop(address).free()

    def allocate_host(self, size: int) -> int:
        block = self._say("allocate pinned memory", lambda: self._driver.pagelocked_empty(size, np.uint8))
        return self._keep(int(block.ctypes.data), block)

    def free_host(self, address: int) -> None:
        self._objects.pop(address).base.free()

    def copy_in(self, device: int, host: int, size: int, stream: int) -> None:
        source, on = self._host(host, size), self._objects[stream]
        self._say("copy to the GPU", lambda: self._driver.memcpy_htod_async(device, source, on))

    def copy_out(self, host: int, device: int, size: int, stream: int) -> None:
        target, on = self._host(host, size), self._objects[stream]
        self._say("copy from the GPU", lambda: self._driver.memcpy_dtoh_async(target, device, on))

    def close(self) -> None:
        self._objects.clear()
        self._primary.detach()

    def _retain(self) -> int:
        # Not pycuda.autoinit: that makes a context of its own, whose addresses TensorRT does not know.
        self._driver.init()
        self._primary = self._driver.Device(0).retain_primary_context()
        return 0

    def _push(self) -> None:
        self._say("enter the context", self._primary.push)

    def _pop(self) -> None:
        self._primary.pop()

    def _host(self, address: int, size: int) -> NDArray[np.uint8]:
        block: NDArray[np.uint8] = self._objects[address][:size]
        return block

    def _keep(self, number: int, made: Any) -> int:
        self._objects[number] = made
        return number

    def _say(self, what: str, work: Callable[[], Any]) -> Any:
        """Turn pycuda's errors into ours. They carry no code, so the context is asked whether it is lost."""
        try:
            return work()
        except self._driver.Error as error:
            result = self._library.cuCtxSynchronize()
            if result in STICKY:
                self._fail(f"pycuda ({what})", result)
            raise ModelError(f"pycuda could not {what}: {error}") from error


def _pycuda() -> Any:
    try:
        import pycuda.driver
    except ImportError as error:
        raise DependencyError(f"pycuda is not installed: `{how_to_install('pycuda')}`") from error
    return pycuda.driver
