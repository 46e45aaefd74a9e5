"""The binary layout of NVIDIA's NvBufSurface, in its two versions.

A is JetPack 5 and 6 and DeepStream up to 7; B is JetPack 7 and DeepStream 8 and later. All that is read here
of the first surface lies at the same place in both; the second and later ones must not be read.
"""

from __future__ import annotations

import ctypes as c
from enum import IntEnum


class MemoryType(IntEnum):
    """NvBufSurfaceMemType: where the pixels are."""

    DEFAULT = 0
    CUDA_PINNED = 1
    CUDA_DEVICE = 2
    CUDA_UNIFIED = 3
    SURFACE_ARRAY = 4
    HANDLE = 5
    SYSTEM = 6


class ColourFormat(IntEnum):
    """NvBufSurfaceColorFormat: those of NV12."""

    NV12 = 6
    NV12_ER = 7
    NV12_709 = 33
    NV12_709_ER = 34
    NV12_2020 = 36


_PLANES = 4
_U32, _PLANE_NUMBERS = c.c_uint32, c.c_uint32 * _PLANES


class PlaneParams(c.Structure):
    _fields_ = (
        ("num_planes", _U32),
        ("width", _PLANE_NUMBERS),
        ("height", _PLANE_NUMBERS),
        ("pitch", _PLANE_NUMBERS),
        ("offset", _PLANE_NUMBERS),
        ("psize", _PLANE_NUMBERS),
        ("bytesPerPix", _PLANE_NUMBERS),
        ("_reserved", c.c_void_p * 16),
    )


class MappedAddrA(c.Structure):
    _fields_ = (
        ("addr", c.c_void_p * _PLANES),
        ("eglImage", c.c_void_p),
        ("_reserved", c.c_void_p * 4),
    )


class MappedAddrB(c.Structure):
    _fields_ = (
        ("addr", c.c_void_p * _PLANES),
        ("eglImage", c.c_void_p),
        ("nvmmPtr", c.c_void_p),
        ("cudaPtr", c.c_void_p),
        ("_reserved", c.c_void_p * 4),
    )


_PARAMS = (
    ("width", _U32),
    ("height", _U32),
    ("pitch", _U32),
    ("colorFormat", c.c_int),
    ("layout", c.c_int),
    ("bufferDesc", c.c_uint64),
    ("dataSize", _U32),
    ("dataPtr", c.c_void_p),
    ("planeParams", PlaneParams),
)


class ParamsA(c.Structure):
    _fields_ = (
        *_PARAMS,
        ("mappedAddr", MappedAddrA),
        ("paramex", c.c_void_p),
        ("_reserved", c.c_void_p * 3),
    )


class ParamsB(c.Structure):
    _fields_ = (
        *_PARAMS,
        ("mappedAddr", MappedAddrB),
        ("paramex", c.c_void_p),
        ("cudaBuffer", c.c_void_p),
        ("_reserved", c.c_void_p * 4),
    )


_SURFACE = (
    ("gpuId", _U32),
    ("batchSize", _U32),
    ("numFilled", _U32),
    ("isContiguous", c.c_bool),
    ("memType", c.c_int),
    ("surfaceList", c.c_void_p),
)


class SurfaceA(c.Structure):
    _fields_ = (*_SURFACE, ("_reserved", c.c_void_p * 4))


class SurfaceB(c.Structure):
    _fields_ = (*_SURFACE, ("isImportedBuf", c.c_bool), ("_reserved", c.c_void_p * 4))


BY_SIZE: dict[int, tuple[str, type[SurfaceA | SurfaceB], type[ParamsA | ParamsB]]] = {
    c.sizeof(SurfaceA): ("A", SurfaceA, ParamsA),
    c.sizeof(SurfaceB): ("B", SurfaceB, ParamsB),
}
"""A buffer of the decoder holds exactly one NvBufSurface: its size tells the version."""
