"""Events and kernels, on both bindings."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.cuda.with_pycuda import PycudaCuda
from edgeguard.errors import ModelError
from tests.support.gpu import HERE, FakeGpu

SOURCE = """
#include <stddef.h>
typedef struct { int *out; int value; } numbers;
size_t fill_size = sizeof(numbers);
void fill_entry(void *argument, const unsigned *grid, const unsigned *block) {
    numbers *given = argument;
    for (unsigned i = 0; i < grid[0] * block[0]; i++) given->out[i] = given->value;
}
"""


class Numbers(ctypes.Structure):
    _fields_ = (("out", ctypes.c_void_p), ("value", ctypes.c_int))


@pytest.fixture(scope="module")
def cubin(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a kernel for the CPU with")
    folder = tmp_path_factory.mktemp("cubin")
    source, library = folder / "fill.c", folder / "fill.so"
    source.write_text(SOURCE)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    return f"FAKE CUBIN {library}\n".encode()


@pytest.fixture(params=[CtypesCuda, PycudaCuda], ids=["ctypes", "pycuda"])
def any_cuda(
    request: pytest.FixtureRequest, gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch
) -> Iterator[CtypesCuda]:
    monkeypatch.syspath_prepend(str(HERE / "fake_pycuda"))
    before = gpu.blocks, gpu.retained
    driver: CtypesCuda = request.param(gpu.libcuda)
    gpu.clear()
    yield driver
    gpu.clear()
    driver.close()
    assert (gpu.blocks, gpu.retained) == before, "something was not given back"


def test_a_kernel_has_run_once_its_event_is_complete(
    any_cuda: CtypesCuda, cubin: bytes, gpu: FakeGpu
) -> None:
    with any_cuda.current():
        stream, event = any_cuda.make_stream(), any_cuda.make_event()
        block = any_cuda.allocate(4 * 12)
        module = any_cuda.load_module(cubin)
        fill = any_cuda.function(module, "fill")
        assert any_cuda.is_complete(event)
        gpu.clear()
        any_cuda.launch_kernel(fill, (3, 1, 1), (4, 1, 1), [Numbers(block, 7)], stream)
        any_cuda.record(event, stream)
        assert not any_cuda.is_complete(event)
        any_cuda.wait_for_event(event)
        assert any_cuda.is_complete(event)
        assert list((ctypes.c_int * 12).from_address(block)) == [7] * 12
        assert gpu.ledger == ["run fill", "record", "wait for event"]
        any_cuda.unload_module(module)
        any_cuda.free(block)
        any_cuda.destroy_event(event)
        any_cuda.destroy_stream(stream)


def test_code_for_another_gpu_is_refused(any_cuda: CtypesCuda) -> None:
    with any_cuda.current(), pytest.raises(ModelError, match=r"cuModuleLoadData.*209"):
        any_cuda.load_module(b"\x7fELF of another GPU")


def test_a_kernel_that_is_not_there_is_named_by_the_call(any_cuda: CtypesCuda, cubin: bytes) -> None:
    with any_cuda.current():
        module = any_cuda.load_module(cubin)
        with pytest.raises(ModelError, match=r"cuModuleGetFunction.*500"):
            any_cuda.function(module, "blur")
        any_cuda.unload_module(module)


def test_a_fault_found_by_asking_is_a_lost_gpu(any_cuda: CtypesCuda, gpu: FakeGpu) -> None:
    with any_cuda.current():
        event = any_cuda.make_event()
        gpu.fail("cuEventQuery", 700)
        with pytest.raises(GpuLostError):
            any_cuda.is_complete(event)
        any_cuda.destroy_event(event)


def test_the_time_between_two_events_is_a_number(any_cuda: CtypesCuda) -> None:
    with any_cuda.current():
        stream = any_cuda.make_stream()
        begin, end = (any_cuda.make_event(timing=True) for _ in range(2))
        for event in (begin, end):
            any_cuda.record(event, stream)
        any_cuda.wait_for_event(end)
        assert any_cuda.elapsed_ms(begin, end) > 0
        for event in (begin, end):
            any_cuda.destroy_event(event)
        any_cuda.destroy_stream(stream)


def test_no_module_is_loaded_outside_the_context(any_cuda: CtypesCuda, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="201"):
        any_cuda.load_module(b"FAKE CUBIN x\n")
