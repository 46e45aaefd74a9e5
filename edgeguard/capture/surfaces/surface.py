"""What a decoder's NvBufSurface says, copied out of it: it belongs to the decoder's pool."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces.abi import BY_SIZE, ColourFormat, MemoryType
from edgeguard.types import Colour, DevicePlane

_COLOURS = {
    ColourFormat.NV12: Colour.BT601_LIMITED,
    ColourFormat.NV12_ER: Colour.BT601_FULL,
    ColourFormat.NV12_709: Colour.BT709_LIMITED,
    ColourFormat.NV12_709_ER: Colour.BT709_FULL,
    ColourFormat.NV12_2020: Colour.BT709_LIMITED,  # the nearest that the kernel knows
}
_ADDRESSABLE = (MemoryType.CUDA_DEVICE, MemoryType.CUDA_UNIFIED, MemoryType.CUDA_PINNED)


@dataclass(frozen=True, slots=True)
class Surface:
    """One NV12 picture of a decoder."""

    address: int
    """Of the NvBufSurface; valid while the buffer is mapped."""
    abi: str
    memory: MemoryType
    fd: int
    """Of the dmabuf: the same for the same buffer of the pool."""
    width: int
    height: int
    colour_format: int
    colour: Colour
    pitches: tuple[int, int]
    """Bytes per row of luma and chroma."""
    offsets: tuple[int, int]
    data: int
    """CUdeviceptr of the picture if CUDA can address it, else 0 or meaningless."""
    egl_image: int
    """0 while nobody has mapped it."""

    @property
    def is_addressable(self) -> bool:
        """Whether `data` can be read by CUDA as it is."""
        return self.memory in _ADDRESSABLE

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.width, self.height, self.colour_format

    def planes(self, handles: tuple[int, int], pitches: tuple[int, int]) -> tuple[DevicePlane, DevicePlane]:
        """Luma and chroma at those handles."""
        half = (self.width + 1) // 2, (self.height + 1) // 2
        return (
            DevicePlane(handles[0], pitches[0], self.width, self.height),
            DevicePlane(handles[1], pitches[1], *half),
        )

    def addressed(self) -> tuple[DevicePlane, DevicePlane]:
        """The planes where `data` points."""
        luma, chroma = self.offsets
        return self.planes((self.data + luma, self.data + chroma), self.pitches)


def read_surface(address: int, size: int) -> Surface:
    """The picture in a mapped buffer of `size` bytes; SurfaceError if it is none that can be used."""
    if size not in BY_SIZE:
        known = " or ".join(str(known) for known in BY_SIZE)
        raise SurfaceError(
            f"the decoder's buffer has {size} bytes where an NvBufSurface has {known}: this version of "
            "JetPack or DeepStream is not known"
        )
    abi, surface_type, params_type = BY_SIZE[size]
    head = surface_type.from_address(address)
    if not head.surfaceList or not head.batchSize:
        raise SurfaceError("the decoder's NvBufSurface is empty")
    params = params_type.from_address(head.surfaceList)
    colour = _COLOURS.get(params.colorFormat)
    plane = params.planeParams
    if colour is None or plane.num_planes != len(("luma", "chroma")):
        raise SurfaceError(
            f"the decoder gives colour format {params.colorFormat} in {plane.num_planes} planes, "
            "and EdgeGuard reads 8-bit NV12 only"
        )
    return Surface(
        address=address,
        abi=abi,
        memory=_memory(head.memType),
        fd=params.bufferDesc,
        width=params.width,
        height=params.height,
        colour_format=params.colorFormat,
        colour=colour,
        pitches=(plane.pitch[0], plane.pitch[1]),
        offsets=(plane.offset[0], plane.offset[1]),
        data=params.dataPtr or 0,
        egl_image=params.mappedAddr.eglImage or 0,
    )


def egl_image(address: int, size: int) -> int:
    """The EGL image that the surface has now; 0 if none."""
    _, surface_type, params_type = BY_SIZE[size]
    params = params_type.from_address(surface_type.from_address(address).surfaceList)
    return int(params.mappedAddr.eglImage or 0)


def _memory(number: int) -> MemoryType:
    if number not in (MemoryType.SURFACE_ARRAY, *_ADDRESSABLE):
        raise SurfaceError(f"the decoder's memory is of type {number}, which CUDA cannot read in place")
    return MemoryType(number)
