"""Pictures that others put into the GPU's memory: EGL images, textures on arrays, planes copied out."""

from __future__ import annotations

import ctypes as c
from abc import ABC, abstractmethod
from dataclasses import dataclass

_ARRAY_FRAME, _PITCH_FRAME = 0, 1
_UNSIGNED_INT8 = 1
_READ_ONLY = 1
_CLAMP, _POINT, _AS_INTEGERS = 1, 0, 1
_HOST, _DEVICE, _ARRAY = 1, 2, 3
"""Numbers of CUmemorytype; CUresourcetype counts otherwise and has ARRAY at 0."""


class EglFrame(c.Structure):
    """CUeglFrame."""

    _fields_ = (
        ("planes", c.c_void_p * 3),
        ("width", c.c_uint),
        ("height", c.c_uint),
        ("depth", c.c_uint),
        ("pitch", c.c_uint),
        ("plane_count", c.c_uint),
        ("channels", c.c_uint),
        ("frame_type", c.c_int),
        ("egl_colour_format", c.c_int),
        ("cuda_format", c.c_int),
    )


class ResourceDesc(c.Structure):
    """CUDA_RESOURCE_DESC of an array; the union is as large as its reserved words."""

    _fields_ = (
        ("type", c.c_int),
        ("array", c.c_void_p),
        ("_rest", c.c_byte * 120),
        ("flags", c.c_uint),
    )


class TextureDesc(c.Structure):
    """CUDA_TEXTURE_DESC."""

    _fields_ = (
        ("address_mode", c.c_int * 3),
        ("filter_mode", c.c_int),
        ("flags", c.c_uint),
        ("max_anisotropy", c.c_uint),
        ("mipmap_filter_mode", c.c_int),
        ("mipmap_level", c.c_float * 3),
        ("border_colour", c.c_float * 4),
        ("_reserved", c.c_int * 12),
    )


class _Side(c.Structure):
    _fields_ = (
        ("x_bytes", c.c_size_t),
        ("y", c.c_size_t),
        ("type", c.c_int),
        ("host", c.c_void_p),
        ("device", c.c_void_p),
        ("array", c.c_void_p),
        ("pitch", c.c_size_t),
    )


class Copy2D(c.Structure):
    """CUDA_MEMCPY2D."""

    _fields_ = (("source", _Side), ("target", _Side), ("width_bytes", c.c_size_t), ("height", c.c_size_t))


_P, _OUT = c.c_void_p, c.POINTER(c.c_void_p)
INTEROP: dict[str, tuple[type, ...]] = {
    "cuCtxGetCurrent": (_OUT,),
    "cuGraphicsEGLRegisterImage": (_OUT, _P, c.c_uint),
    "cuGraphicsResourceGetMappedEglFrame": (c.POINTER(EglFrame), _P, c.c_uint, c.c_uint),
    "cuGraphicsUnregisterResource": (_P,),
    "cuTexObjectCreate": (c.POINTER(c.c_ulonglong), c.POINTER(ResourceDesc), c.POINTER(TextureDesc), _P),
    "cuTexObjectDestroy": (c.c_ulonglong,),
    "cuTexObjectGetResourceDesc": (c.POINTER(ResourceDesc), c.c_ulonglong),
    "cuMemcpy2D_v2": (c.POINTER(Copy2D),),
}


@dataclass(frozen=True, slots=True)
class MappedImage:
    """What CUDA sees of an EGL image."""

    planes: tuple[int, ...]
    """CUarray of each plane if `is_array`, else CUdeviceptr."""
    pitch: int
    """Bytes per row of the first plane; 0 for arrays."""
    is_array: bool
    is_bytes: bool
    """Whether samples are unsigned 8-bit."""


class Interop(ABC):
    """The part of a CudaDriver that works on others' pictures; call it inside `driver.current()`."""

    def context_handle(self) -> int:
        """The CUcontext that is current."""
        return self._made("cuCtxGetCurrent")

    def register_egl(self, image: int) -> int:
        """Make an EGL image known to CUDA, for good: it stays mapped until `unregister`."""
        return self._made("cuGraphicsEGLRegisterImage", image, _READ_ONLY)

    def egl_frame(self, resource: int) -> MappedImage:
        frame = EglFrame()
        self._call("cuGraphicsResourceGetMappedEglFrame", c.byref(frame), resource, 0, 0)
        return MappedImage(
            planes=tuple(int(plane or 0) for plane in frame.planes[: min(frame.plane_count, 3)]),
            pitch=frame.pitch if frame.frame_type == _PITCH_FRAME else 0,
            is_array=frame.frame_type == _ARRAY_FRAME,
            is_bytes=frame.cuda_format == _UNSIGNED_INT8,
        )

    def unregister(self, resource: int) -> None:
        self._call("cuGraphicsUnregisterResource", resource)

    def make_texture(self, array: int) -> int:
        """Reads the array's integers at whole coordinates, clamped at the edges."""
        texture = c.c_ulonglong()
        what = ResourceDesc(array=array)
        how = TextureDesc(address_mode=(_CLAMP,) * 3, filter_mode=_POINT, flags=_AS_INTEGERS)
        self._call("cuTexObjectCreate", c.byref(texture), c.byref(what), c.byref(how), None)
        return texture.value

    def destroy_texture(self, texture: int) -> None:
        self._call("cuTexObjectDestroy", texture)

    def copy_plane_out(self, host: int, row_bytes: int, rows: int, device: int, pitch: int) -> None:
        """Copy a plane to dense rows at `host` and wait for it; pitch 0 says that `device` is a texture."""
        copy = Copy2D(width_bytes=row_bytes, height=rows)
        copy.target = _Side(type=_HOST, host=host, pitch=row_bytes)
        if pitch:
            copy.source = _Side(type=_DEVICE, device=device, pitch=pitch)
        else:
            what = ResourceDesc()
            self._call("cuTexObjectGetResourceDesc", c.byref(what), device)
            copy.source = _Side(type=_ARRAY, array=what.array)
        self._call("cuMemcpy2D_v2", c.byref(copy))

    @abstractmethod
    def _made(self, name: str, *arguments: object) -> int: ...

    @abstractmethod
    def _call(self, name: str, *arguments: object) -> None: ...
