from __future__ import annotations

import ctypes

import pytest

from edgeguard.cuda.driver import Gpu, GpuLostError
from edgeguard.cuda.libcuda import SIGNATURES, CtypesCuda
from edgeguard.errors import DependencyError, ModelError
from tests.support.gpu import FakeGpu


def test_describes_the_gpu(cuda: CtypesCuda) -> None:
    assert cuda.gpu == Gpu("Fake Orin", "8.7", 8, "12.6", 8 << 30)


def test_no_call_works_outside_the_context(cuda: CtypesCuda) -> None:
    with pytest.raises(ModelError, match=r"cuMemAlloc_v2 failed with FAKE_ERROR_201 \(201\)"):
        cuda.allocate(16)
    with cuda.current():
        cuda.free(cuda.allocate(16))


def test_the_context_is_given_back_after_an_error(cuda: CtypesCuda) -> None:
    with pytest.raises(ZeroDivisionError), cuda.current():
        raise ZeroDivisionError
    with pytest.raises(ModelError, match="201"):
        cuda.make_stream()


def test_copies_are_done_when_the_stream_was_waited_for(cuda: CtypesCuda) -> None:
    with cuda.current():
        stream, device, host = cuda.make_stream(), cuda.allocate(4), cuda.allocate_host(4)
        ctypes.memmove(host, b"abcd", 4)
        cuda.copy_in(device, host, 4, stream)
        cuda.synchronise(stream)
        ctypes.memset(host, 0, 4)
        cuda.copy_out(host, device, 4, stream)
        assert ctypes.string_at(host, 4) != b"abcd"
        cuda.synchronise(stream)
        assert ctypes.string_at(host, 4) == b"abcd"
        cuda.free(device)
        cuda.free_host(host)
        cuda.destroy_stream(stream)


def test_a_capture_that_fails_leaves_the_stream_usable(cuda: CtypesCuda) -> None:
    def work() -> None:
        raise ModelError("broken")

    with cuda.current():
        stream = cuda.make_stream()
        with pytest.raises(ModelError, match="broken"):
            cuda.capture(stream, work)
        cuda.synchronise(stream)
        cuda.destroy_stream(stream)


def test_allocating_while_capturing_is_refused(cuda: CtypesCuda) -> None:
    with cuda.current():
        stream = cuda.make_stream()
        with pytest.raises(ModelError, match="cuMemAlloc_v2"):
            cuda.capture(stream, lambda: cuda.free(cuda.allocate(16)))
        cuda.destroy_stream(stream)


@pytest.mark.parametrize("result", [700, 719, 214])
def test_a_poisoned_context_is_lost(cuda: CtypesCuda, gpu: FakeGpu, result: int) -> None:
    with cuda.current():
        stream = cuda.make_stream()
        gpu.fail("cuStreamSynchronize", result)
        with pytest.raises(GpuLostError):
            cuda.synchronise(stream)
        cuda.destroy_stream(stream)
    assert str(result) in str(cuda.lost)


def test_too_little_memory_is_no_loss(cuda: CtypesCuda) -> None:
    with cuda.current(), pytest.raises(ModelError, match=r"cuMemAlloc_v2.*2"):
        cuda.allocate(1 << 40)
    assert cuda.lost is None


def test_without_a_driver_the_sentence_says_what_happens() -> None:
    with pytest.raises(DependencyError, match="models run on the CPU"):
        CtypesCuda("libcuda-that-is-not-there.so.1")


def test_a_library_without_the_calls_is_no_driver() -> None:
    with pytest.raises(DependencyError, match="cu"):
        CtypesCuda("libc.so.6")


def test_a_driver_without_a_gpu_is_told(gpu: FakeGpu) -> None:
    gpu.take_away()
    with pytest.raises(ModelError, match="cuInit"):
        CtypesCuda(gpu.libcuda)
    gpu.clear()


def test_every_signature_is_set(cuda: CtypesCuda) -> None:
    for name, arguments in SIGNATURES.items():
        assert getattr(cuda._library, name).argtypes == arguments
