"""Frames of a Jetson's decoder through real GStreamer buffers, on fakes that end a process which errs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from edgeguard.capture.frames import SurfaceError
from edgeguard.capture.surfaces import NvmmFrames
from edgeguard.capture.surfaces.abi import MemoryType
from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.ledger import Crossings, Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.gst import Pipeline
from edgeguard.gst.binding import load
from edgeguard.types import Colour, Frame, Memory
from tests.capture.surfaces.conftest import stamp
from tests.support.gpu import FakeGpu
from tests.support.surfaces import CAPS, FakeJetson, SurfaceSpec, noise, sample_of

POOL = 11


def pool(jetson: FakeJetson, count: int = POOL, **kwargs: Any) -> list[Any]:
    """The buffers of a decoder, each with a descriptor of its own."""
    return [jetson.buffer(SurfaceSpec(noise(seed=fd), fd=40 + fd, **kwargs)) for fd in range(count)]


def through(frames: NvmmFrames, buffer: Any, sequence: int = 0) -> Frame:
    return frames.frame(sample_of(buffer), stamp(sequence))


@pytest.mark.parametrize("abi", ["A", "B"])
@pytest.mark.parametrize("block_linear", [True, False])
def test_a_pool_is_registered_once_and_no_byte_crosses(
    jetson: FakeJetson, frames: NvmmFrames, ledger: Ledger, abi: str, block_linear: bool
) -> None:
    buffers = pool(jetson, abi=abi, block_linear=block_linear)
    for number in range(300):
        frame = through(frames, buffers[number % POOL], number)
        assert frame.memory is (Memory.CUDA_ARRAY if block_linear else Memory.CUDA_PITCH)
        assert (frame.planes, frame.colour, frame.sequence) == ((), Colour.BT709_LIMITED, number)
        assert frame.hold is not None
        frame.hold.release()
    assert ledger.read() == Crossings(registrations=POOL, hits=300 - POOL, frames=300)
    assert ledger.read().is_zero_copy
    assert jetson.registered == jetson.maps == POOL
    assert jetson.textures == (2 * POOL if block_linear else 0)


def test_pitch_planes_say_where_they_lie(jetson: FakeJetson, frames: NvmmFrames) -> None:
    pixels = noise()
    buffer = jetson.buffer(SurfaceSpec(pixels, block_linear=False))
    luma, chroma = through(frames, buffer).device
    assert (luma.handle, luma.pitch, luma.width, luma.height) == (pixels.ctypes.data, 96, 64, 32)
    assert (chroma.handle - luma.handle, chroma.pitch, chroma.width, chroma.height) == (96 * 32, 96, 32, 16)


@pytest.mark.parametrize("memory", [MemoryType.CUDA_DEVICE, MemoryType.CUDA_UNIFIED, MemoryType.CUDA_PINNED])
def test_memory_that_cuda_can_address_needs_no_registration(
    jetson: FakeJetson, frames: NvmmFrames, ledger: Ledger, memory: int
) -> None:
    jetson.take_display()
    pixels = noise()
    frame = through(frames, jetson.buffer(SurfaceSpec(pixels, memory=memory)))
    assert (frame.memory, frame.device[0].handle) == (Memory.CUDA_PITCH, pixels.ctypes.data)
    assert ledger.read() == Crossings(frames=1)
    del frame


def test_a_descriptor_that_comes_again_with_another_image_is_registered_anew(
    jetson: FakeJetson, frames: NvmmFrames, ledger: Ledger
) -> None:
    first = jetson.buffer(SurfaceSpec(noise(seed=1)))
    through(frames, first)
    del first
    second = jetson.buffer(SurfaceSpec(noise(seed=2)))
    through(frames, second)
    assert (ledger.read().registrations, ledger.read().hits, jetson.registered) == (2, 0, 1)


def test_an_image_that_was_replaced_under_a_living_buffer_is_not_used(
    jetson: FakeJetson, frames: NvmmFrames, ledger: Ledger
) -> None:
    buffer = jetson.buffer(SurfaceSpec(noise()))
    through(frames, buffer)
    jetson.remap(sample_of(buffer))
    through(frames, buffer)
    assert (ledger.read().registrations, jetson.registered) == (2, 1)


def test_the_buffers_of_a_pool_are_let_go_of_before_they_are_freed(
    jetson: FakeJetson, frames: NvmmFrames
) -> None:
    buffers = pool(jetson)
    for buffer in buffers:
        through(frames, buffer)
    del buffer
    buffers.clear()
    assert (jetson.registered, jetson.textures, jetson.living) == (0, 0, 0)
    assert jetson.maps == jetson.unmaps == POOL


def test_other_caps_purge_the_old_pool(jetson: FakeJetson, frames: NvmmFrames, ledger: Ledger) -> None:
    old = pool(jetson, 3)
    for buffer in old:
        through(frames, buffer)
    new = jetson.buffer(SurfaceSpec(noise(80, 40), fd=40, width=80, height=40))
    assert through(frames, new).width == 80
    assert (jetson.registered, ledger.read().registrations) == (1, 4)


def test_a_frame_outlives_the_purge_of_its_pool(jetson: FakeJetson, frames: NvmmFrames) -> None:
    buffers = pool(jetson, 2)
    kept = through(frames, buffers[0])
    through(frames, buffers[1])
    frames.close()
    assert (jetson.registered, jetson.textures) == (1, 2)
    buffers.clear()
    assert jetson.living == 1
    assert kept.hold is not None
    kept.hold.release()
    kept.hold.release()
    assert (jetson.registered, jetson.living) == (0, 0)


def test_a_buffer_is_held_until_the_event_is_complete(
    jetson: FakeJetson, frames: NvmmFrames, cuda: CtypesCuda
) -> None:
    buffers = pool(jetson, 2)
    with cuda.current():
        stream, busy = cuda.make_stream(), cuda.allocate(8)
        host = cuda.allocate_host(8)
        cuda.copy_in(busy, host, 8, stream)
    frame = through(frames, buffers[0])
    assert frame.hold is not None
    with cuda.current():
        frame.hold.until(stream)
    del frame, buffers[0]
    through(frames, buffers[0])
    assert jetson.living == 2, "the GPU reads it still"
    with cuda.current():
        cuda.synchronise(stream)
    through(frames, buffers[0])
    assert jetson.living == 1
    with cuda.current():
        cuda.destroy_stream(stream)
        cuda.free(busy)
        cuda.free_host(host)


def test_closing_waits_for_what_the_gpu_still_reads(
    jetson: FakeJetson, frames: NvmmFrames, cuda: CtypesCuda
) -> None:
    buffers = pool(jetson, 1)
    frame = through(frames, buffers[0])
    assert frame.hold is not None
    with cuda.current():
        stream = cuda.make_stream()
        frame.hold.until(stream)
    del frame
    buffers.clear()
    frames.close()
    assert jetson.living == 0
    with cuda.current():
        cuda.destroy_stream(stream)


FAILURES = [
    "cuGraphicsEGLRegisterImage",
    "cuGraphicsResourceGetMappedEglFrame",
    "cuTexObjectCreate",
]


@pytest.mark.parametrize("skip", [0, 1])
@pytest.mark.parametrize("call", FAILURES)
def test_a_step_that_fails_leaves_nothing_behind(
    jetson: FakeJetson, frames: NvmmFrames, gpu: FakeGpu, ledger: Ledger, call: str, skip: int
) -> None:
    gpu.fail(call, 1, skip)
    buffers = pool(jetson, 2)
    told = []
    for buffer in buffers:
        try:
            through(frames, buffer)
        except SurfaceError as error:
            told.append(str(error))
    assert len(told) == 1
    assert call in told[0]
    assert jetson.registered == ledger.read().registrations == 1
    assert jetson.maps - jetson.unmaps == 1
    assert jetson.textures == 2


def test_an_image_that_cannot_be_made_is_told(jetson: FakeJetson, frames: NvmmFrames) -> None:
    jetson.fail_map()
    with pytest.raises(SurfaceError, match="NvBufSurfaceMapEglImage failed"):
        through(frames, jetson.buffer(SurfaceSpec(noise())))


def test_no_display_is_told(jetson: FakeJetson, frames: NvmmFrames) -> None:
    jetson.take_display()
    with pytest.raises(SurfaceError, match=r"EGL has no display.*DISPLAY"):
        through(frames, jetson.buffer(SurfaceSpec(noise())))


def test_a_picture_of_one_plane_is_refused(jetson: FakeJetson, frames: NvmmFrames) -> None:
    jetson.use_planes(1)
    with pytest.raises(SurfaceError, match="CUDA sees 1 planes"):
        through(frames, jetson.buffer(SurfaceSpec(noise())))
    assert (jetson.registered, jetson.maps - jetson.unmaps) == (0, 0)


def test_a_lost_gpu_is_not_mistaken_for_a_bad_surface(
    jetson: FakeJetson, frames: NvmmFrames, gpu: FakeGpu, cuda: CtypesCuda
) -> None:
    gpu.fail("cuGraphicsEGLRegisterImage", 700)
    with pytest.raises(GpuLostError):
        through(frames, jetson.buffer(SurfaceSpec(noise())))
    cuda.lost = None


def test_two_cameras_share_a_driver(
    jetson: FakeJetson, make_frames: Callable[[], NvmmFrames], ledger: Ledger
) -> None:
    """Each decoder numbers its descriptors as it likes, and each camera has a thread."""
    pools = [(make_frames(), pool(jetson, 5)), (make_frames(), pool(jetson, 5))]

    def watch(camera: tuple[NvmmFrames, list[Any]]) -> None:
        for number in range(100):
            frame = through(camera[0], camera[1][number % 5], number)
            assert frame.hold is not None
            frame.hold.release()

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(watch, pools))
    assert ledger.read() == Crossings(registrations=10, hits=190, frames=200)


def test_a_buffer_may_be_freed_on_a_thread_without_a_context(jetson: FakeJetson, frames: NvmmFrames) -> None:
    buffers = pool(jetson, 1)
    through(frames, buffers[0])
    thread = threading.Thread(target=buffers.clear)
    thread.start()
    thread.join()
    assert (jetson.registered, jetson.living) == (0, 0)


def test_surfaces_come_through_a_real_pipeline(
    jetson: FakeJetson, frames: NvmmFrames, ledger: Ledger
) -> None:
    pipeline = Pipeline("surfaces")
    source = pipeline.add("appsrc", format="time")
    sink = pipeline.add_appsink(sync=False, lossless=True)
    pipeline.link(source, pipeline.add_caps(f"{CAPS},width=64,height=32,framerate=30/1"), sink.element)
    source.set_property("caps", load()[0].Caps.from_string(f"{CAPS},width=64,height=32,framerate=30/1"))
    pipeline.play()
    buffers = pool(jetson)
    for number in range(4 * POOL):
        source.emit("push-buffer", buffers[number % POOL])
        sample = sink.pull(5.0)
        assert sample is not None
        assert frames.frame(sample, stamp(number)).device[0].width == 64
        del sample
    frames.close()
    pipeline.stop()
    assert ledger.read() == Crossings(registrations=POOL, hits=3 * POOL, frames=4 * POOL)
