"""The GPU through the driver's own library, without a compiled binding."""

from __future__ import annotations

import ctypes as c
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from edgeguard.cuda.driver import STICKY, Gpu, GpuLostError
from edgeguard.cuda.interop import INTEROP, Interop
from edgeguard.cuda.kernels import KERNELS, Kernels
from edgeguard.errors import DependencyError, ModelError

LIBRARY = "libcuda.so.1"

_NON_BLOCKING = 1
_THREAD_LOCAL = 1
"""Capture does not mind what other threads do."""
_MULTIPROCESSORS, _MAJOR, _MINOR = 16, 75, 76
"""Numbers of CUdevice_attribute, part of the driver's binary interface."""

_P, _SIZE, _INT, _UINT = c.c_void_p, c.c_size_t, c.c_int, c.c_uint
_OUT = c.POINTER(c.c_void_p)
SIGNATURES: dict[str, tuple[type, ...]] = {
    "cuInit": (_UINT,),
    "cuDriverGetVersion": (c.POINTER(_INT),),
    "cuDeviceGet": (c.POINTER(_INT), _INT),
    "cuDeviceGetName": (c.c_char_p, _INT, _INT),
    "cuDeviceGetAttribute": (c.POINTER(_INT), _INT, _INT),
    "cuDeviceTotalMem_v2": (c.POINTER(_SIZE), _INT),
    "cuDevicePrimaryCtxRetain": (_OUT, _INT),
    "cuDevicePrimaryCtxRelease_v2": (_INT,),
    "cuCtxPushCurrent_v2": (_P,),
    "cuCtxPopCurrent_v2": (_OUT,),
    "cuCtxSynchronize": (),
    "cuStreamCreate": (_OUT, _UINT),
    "cuStreamDestroy_v2": (_P,),
    "cuStreamSynchronize": (_P,),
    "cuMemAlloc_v2": (_OUT, _SIZE),
    "cuMemFree_v2": (_P,),
    "cuMemHostAlloc": (_OUT, _SIZE, _UINT),
    "cuMemFreeHost": (_P,),
    "cuMemcpyHtoDAsync_v2": (_P, _P, _SIZE, _P),
    "cuMemcpyDtoHAsync_v2": (_P, _P, _SIZE, _P),
    "cuStreamBeginCapture_v2": (_P, _INT),
    "cuStreamEndCapture": (_P, _OUT),
    "cuGraphInstantiateWithFlags": (_OUT, _P, c.c_ulonglong),
    "cuGraphLaunch": (_P, _P),
    "cuGraphExecDestroy": (_P,),
    "cuGraphDestroy": (_P,),
    "cuGetErrorName": (_INT, c.POINTER(c.c_char_p)),
}


class CtypesCuda(Interop, Kernels):
    """The first GPU, through its primary context."""

    binding = "ctypes"

    def __init__(self, library: str = LIBRARY) -> None:
        self.lost: str | None = None
        self._library = _load(library)
        self._call("cuInit", 0)
        self._device = self._first_device()
        self.gpu = self._describe()
        self._context = self._retain()

    @contextmanager
    def current(self) -> Iterator[None]:
        self._push()
        try:
            yield
        finally:
            self._pop()

    def make_stream(self) -> int:
        return self._made("cuStreamCreate", _NON_BLOCKING)

    def destroy_stream(self, stream: int) -> None:
        self._call("cuStreamDestroy_v2", stream)

    def synchronise(self, stream: int) -> None:
        self._call("cuStreamSynchronize", stream)

    def allocate(self, size: int) -> int:
        return self._made("cuMemAlloc_v2", size)

    def free(self, address: int) -> None:
        self._call("cuMemFree_v2", address)

    def allocate_host(self, size: int) -> int:
        return self._made("cuMemHostAlloc", size, 0)

    def free_host(self, address: int) -> None:
        self._call("cuMemFreeHost", address)

    def copy_in(self, device: int, host: int, size: int, stream: int) -> None:
        self._call("cuMemcpyHtoDAsync_v2", device, host, size, stream)

    def copy_out(self, host: int, device: int, size: int, stream: int) -> None:
        self._call("cuMemcpyDtoHAsync_v2", host, device, size, stream)

    def capture(self, stream: int, work: Callable[[], None]) -> int:
        self._call("cuStreamBeginCapture_v2", stream, _THREAD_LOCAL)
        graph = c.c_void_p()
        try:
            work()
        except BaseException:
            # The stream must leave capture, whatever became of the graph.
            self._library.cuStreamEndCapture(stream, c.byref(graph))
            if graph.value:
                self._library.cuGraphDestroy(graph.value)
            raise
        self._call("cuStreamEndCapture", stream, c.byref(graph))
        try:
            return self._made("cuGraphInstantiateWithFlags", graph.value, 0)
        finally:
            self._call("cuGraphDestroy", graph.value)

    def launch(self, graph: int, stream: int) -> None:
        self._call("cuGraphLaunch", graph, stream)

    def destroy_graph(self, graph: int) -> None:
        self._call("cuGraphExecDestroy", graph)

    def close(self) -> None:
        self._call("cuDevicePrimaryCtxRelease_v2", self._device)

    def _retain(self) -> int:
        return self._made("cuDevicePrimaryCtxRetain", self._device)

    def _push(self) -> None:
        self._call("cuCtxPushCurrent_v2", self._context)

    def _pop(self) -> None:
        popped = c.c_void_p()
        # Nothing may hide the error that ended the work inside.
        self._library.cuCtxPopCurrent_v2(c.byref(popped))

    def _first_device(self) -> int:
        device = c.c_int()
        try:
            self._call("cuDeviceGet", c.byref(device), 0)
        except ModelError as error:
            raise ModelError(f"the NVIDIA driver is there, but no GPU: {error}") from error
        return device.value

    def _describe(self) -> Gpu:
        name = c.create_string_buffer(256)
        self._call("cuDeviceGetName", name, len(name), self._device)
        version, memory = c.c_int(), c.c_size_t()
        self._call("cuDriverGetVersion", c.byref(version))
        self._call("cuDeviceTotalMem_v2", c.byref(memory), self._device)
        major, minor, count = (self._attribute(number) for number in (_MAJOR, _MINOR, _MULTIPROCESSORS))
        cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
        return Gpu(name.value.decode(errors="replace"), f"{major}.{minor}", count, cuda, memory.value)

    def _attribute(self, number: int) -> int:
        value = c.c_int()
        self._call("cuDeviceGetAttribute", c.byref(value), number, self._device)
        return value.value

    def _made(self, name: str, *arguments: object) -> int:
        """What a call that makes something puts into its first argument."""
        made = c.c_void_p()
        self._call(name, c.byref(made), *arguments)
        return int(made.value or 0)

    def _call(self, name: str, *arguments: object) -> None:
        result = getattr(self._library, name)(*arguments)
        if result:
            self._fail(name, result)

    def _fail(self, name: str, result: int) -> None:
        text = c.c_char_p()
        with suppress(AttributeError):
            self._library.cuGetErrorName(result, c.byref(text))
        said = f"{name} failed with {(text.value or b'CUDA error').decode()} ({result})"
        if result in STICKY:
            self.lost = said
            raise GpuLostError(f"the GPU is lost until the service restarts: {said}")
        raise ModelError(said)


def _load(name: str) -> c.CDLL:
    """The library with every function's signature set, so that no address is cut to 32 bits."""
    try:
        library = c.CDLL(name)
        for function, arguments in {**SIGNATURES, **INTEROP, **KERNELS}.items():
            entry = getattr(library, function)
            entry.argtypes, entry.restype = arguments, c.c_int
    except (OSError, AttributeError) as error:
        raise DependencyError(
            f"no NVIDIA driver that EdgeGuard can use is installed ({error}): models run on the CPU"
        ) from error
    return library
