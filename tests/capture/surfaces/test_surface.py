"""Reading a description that somebody else wrote: what fits is read, all else is refused in words."""

from __future__ import annotations

import pytest

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces.abi import ColourFormat, MemoryType
from edgeguard.capture.surfaces.surface import read_surface
from edgeguard.types import Colour
from tests.support.surfaces import FakeJetson, SurfaceSpec, noise, sample_of


def mapped(jetson: FakeJetson, **kwargs: object):  # type: ignore[no-untyped-def]
    return sample_of(jetson.buffer(SurfaceSpec(noise(), **kwargs))).map()  # type: ignore[arg-type]


@pytest.mark.parametrize("abi", ["A", "B"])
def test_both_versions_are_read(jetson: FakeJetson, abi: str) -> None:
    one = mapped(jetson, abi=abi, fd=77, colour=ColourFormat.NV12_709_ER)
    surface = read_surface(one.address, one.size)
    assert (surface.abi, surface.fd, surface.width, surface.height) == (abi, 77, 64, 32)
    assert (surface.pitches, surface.offsets, surface.egl_image) == ((96, 96), (0, 96 * 32), 0)
    assert (surface.memory, surface.colour) == (MemoryType.SURFACE_ARRAY, Colour.BT709_FULL)


@pytest.mark.parametrize("size", [1, 63, 65, 104])
def test_a_buffer_of_another_size_is_no_surface(jetson: FakeJetson, size: int) -> None:
    one = mapped(jetson, size=size)
    with pytest.raises(SurfaceError, match=f"has {size} bytes where an NvBufSurface has 64 or 72"):
        read_surface(one.address, one.size)


@pytest.mark.parametrize("memory", [MemoryType.SYSTEM, MemoryType.HANDLE, 77])
def test_memory_that_cuda_cannot_read_is_refused(jetson: FakeJetson, memory: int) -> None:
    one = mapped(jetson, memory=memory)
    with pytest.raises(SurfaceError, match=f"type {int(memory)}, which CUDA cannot read"):
        read_surface(one.address, one.size)


def test_another_format_is_refused(jetson: FakeJetson) -> None:
    one = mapped(jetson, colour=19)
    with pytest.raises(SurfaceError, match=r"colour format 19 .* 8-bit NV12 only"):
        read_surface(one.address, one.size)


def test_an_odd_picture_has_its_last_pair_of_chroma(jetson: FakeJetson) -> None:
    one = mapped(jetson, width=33, height=31, memory=MemoryType.CUDA_DEVICE)
    _, chroma = read_surface(one.address, one.size).addressed()
    assert (chroma.width, chroma.height) == (17, 16)
