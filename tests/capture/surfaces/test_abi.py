"""The structures against a C compiler, which lays them out from the documented header."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeguard.capture.surfaces import abi
from edgeguard.cuda import interop
from edgeguard.gst.binding import MapInfo

HEADER = """
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
typedef struct {
    uint32_t num_planes, width[4], height[4], pitch[4], offset[4], psize[4], bytesPerPix[4];
    void *_reserved[16];
} PlaneParams;
typedef struct { void *addr[4]; void *eglImage; void *_reserved[4]; } MappedAddrA;
typedef struct { void *addr[4]; void *eglImage, *nvmmPtr, *cudaPtr; void *_reserved[4]; } MappedAddrB;
typedef enum { LAYOUT_PITCH } layout_t;
#define PARAMS uint32_t width, height, pitch; layout_t colorFormat, layout; uint64_t bufferDesc; \\
    uint32_t dataSize; void *dataPtr; PlaneParams planeParams;
typedef struct { PARAMS MappedAddrA mappedAddr; void *paramex; void *_reserved[3]; } ParamsA;
typedef struct { PARAMS MappedAddrB mappedAddr; void *paramex, *cudaBuffer; void *_reserved[4]; } ParamsB;
#define SURFACE uint32_t gpuId, batchSize, numFilled; _Bool isContiguous; layout_t memType; void *surfaceList;
typedef struct { SURFACE void *_reserved[4]; } SurfaceA;
typedef struct { SURFACE _Bool isImportedBuf; void *_reserved[4]; } SurfaceB;
typedef struct {
    void *memory; int flags; uint8_t *data; size_t size, maxsize; void *user_data[4], *_reserved[4];
} MapInfo;
typedef struct {
    union { void *arrays[3]; void *planes[3]; } frame;
    unsigned width, height, depth, pitch, plane_count, channels;
    layout_t frame_type, egl_colour_format, cuda_format;
} EglFrame;
typedef struct {
    layout_t type;
    union {
        struct { void *array; } array;
        struct { void *address; layout_t format; unsigned channels; size_t width, height, pitch; } pitch;
        struct { int reserved[32]; } reserved;
    } resource;
    unsigned flags;
} ResourceDesc;
typedef struct {
    layout_t address_mode[3], filter_mode; unsigned flags, max_anisotropy; layout_t mipmap_filter_mode;
    float mipmap_level, low, high, border_colour[4]; int _reserved[12];
} TextureDesc;
typedef struct {
    size_t x, y; layout_t type; const void *host; void *device, *array; size_t pitch;
    size_t to_x, to_y; layout_t to_type; void *to_host, *to_device, *to_array; size_t to_pitch;
    size_t width_bytes, height;
} Copy2D;
"""
SURFACE = "gpuId batchSize numFilled isContiguous memType surfaceList _reserved"
PARAMS = "width height pitch colorFormat layout bufferDesc dataSize dataPtr planeParams mappedAddr paramex"
STRUCTURES: dict[str, tuple[type[ctypes.Structure], str, int]] = {
    "SurfaceA": (abi.SurfaceA, SURFACE, 64),
    "SurfaceB": (abi.SurfaceB, f"{SURFACE} isImportedBuf", 72),
    "ParamsA": (abi.ParamsA, PARAMS, 384),
    "ParamsB": (abi.ParamsB, f"{PARAMS} cudaBuffer", 416),
    "PlaneParams": (abi.PlaneParams, "num_planes width height pitch offset psize bytesPerPix _reserved", 232),
    "MappedAddrA": (abi.MappedAddrA, "addr eglImage _reserved", 72),
    "MappedAddrB": (abi.MappedAddrB, "addr eglImage nvmmPtr cudaPtr _reserved", 88),
    "MapInfo": (MapInfo, "memory flags data size maxsize user_data _reserved", 104),
    "EglFrame": (
        interop.EglFrame,
        "width height depth pitch plane_count channels frame_type egl_colour_format cuda_format",
        64,
    ),
    "ResourceDesc": (interop.ResourceDesc, "type flags", 144),
    "TextureDesc": (interop.TextureDesc, "address_mode filter_mode flags border_colour", 104),
    "Copy2D": (interop.Copy2D, "width_bytes height", 128),
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """`SurfaceA.memType` and `SurfaceA` itself, as the compiler has them."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to lay the structures out")
    lines = []
    for name, (_, fields, _) in STRUCTURES.items():
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        lines += [f'printf("{name}.{one} %zu\\n", offsetof({name}, {one}));' for one in fields.split()]
    folder: Path = tmp_path_factory.mktemp("layout")
    source = folder / "layout.c"
    source.write_text(f"{HEADER}int main(void) {{\n{chr(10).join(lines)}\nreturn 0; }}\n")
    subprocess.run([compiler, "-o", str(folder / "layout"), str(source)], check=True)
    said = subprocess.run([str(folder / "layout")], check=True, capture_output=True, text=True).stdout
    return {name: int(number) for name, number in (line.split() for line in said.splitlines())}


@pytest.mark.parametrize("name", STRUCTURES)
def test_a_structure_lies_as_the_compiler_lays_it(name: str, compiled: dict[str, int]) -> None:
    structure, fields, size = STRUCTURES[name]
    assert ctypes.sizeof(structure) == compiled[name] == size
    for field in fields.split():
        assert getattr(structure, field).offset == compiled[f"{name}.{field}"], field


def test_what_is_read_of_the_first_surface_lies_alike_in_both_versions() -> None:
    for field in ("memType", "surfaceList", "batchSize"):
        assert getattr(abi.SurfaceA, field).offset == getattr(abi.SurfaceB, field).offset
    for field in PARAMS.split()[:-1]:
        assert getattr(abi.ParamsA, field).offset == getattr(abi.ParamsB, field).offset
    image_a = abi.ParamsA.mappedAddr.offset + abi.MappedAddrA.eglImage.offset
    image_b = abi.ParamsB.mappedAddr.offset + abi.MappedAddrB.eglImage.offset
    assert image_a == image_b == 312
