"""Compiling kernels, for real where a compiler of NVIDIA is installed, and keeping what was compiled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.cuda.cubins import Compiler, Cubins
from edgeguard.cuda.driver import Gpu
from edgeguard.cuda.nvcc import Nvcc
from edgeguard.cuda.nvrtc import Nvrtc
from edgeguard.errors import DependencyError, ModelError
from edgeguard.vision.cuda_letterbox import kernel_source

ORIN = Gpu("Orin", "8.7", 8, "12.6", 8 << 30)


class Fake:
    """A compiler that counts."""

    name = "fake"

    def __init__(self, version: str = "12.6") -> None:
        self.version = version
        self.asked: list[str] = []

    def compile(self, source: str, compute_capability: str) -> bytes:
        self.asked.append(compute_capability)
        return f"{source} for {compute_capability}".encode()


def test_what_was_compiled_is_kept_for_the_same_source_and_gpu(tmp_path: Path) -> None:
    fake = Fake()
    for _ in range(2):  # as two starts of the service
        assert Cubins(tmp_path / "kernels", [lambda: fake]).get("blur", "code", ORIN) == b"code for 8.7"
    assert fake.asked == ["8.7"]
    cubins = Cubins(tmp_path / "kernels", [lambda: fake])
    cubins.get("blur", "other code", ORIN)
    cubins.get("blur", "code", replace(ORIN, compute_capability="11.0"))
    cubins.get("blur", "code", replace(ORIN, cuda="12.8"))
    assert fake.asked == ["8.7", "8.7", "11.0", "8.7"]


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 100])
def test_a_damaged_file_is_made_again(tmp_path: Path, damage: bytes) -> None:
    fake = Fake()
    cubins = Cubins(tmp_path, [lambda: fake])
    cubins.get("blur", "code", ORIN)
    (path,) = tmp_path.glob("blur-*.cubin")
    path.write_bytes(damage)
    assert cubins.get("blur", "code", ORIN) == b"code for 8.7"
    assert len(fake.asked) == 2
    assert cubins.get("blur", "code", ORIN) == b"code for 8.7"
    assert len(fake.asked) == 2


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    fake = Fake()
    cubins = Cubins(tmp_path / "file" / "kernels", [lambda: fake])
    assert cubins.get("blur", "code", ORIN) == cubins.get("blur", "code", ORIN)
    assert len(fake.asked) == 2


def test_a_compiler_newer_than_the_driver_is_passed_over(tmp_path: Path) -> None:
    newer, fitting = Fake("13.0"), Fake("12.9")
    assert Cubins(tmp_path, [lambda: newer, lambda: fitting]).get("blur", "code", ORIN)
    assert (newer.asked, fitting.asked) == ([], ["8.7"])


def test_without_a_compiler_the_sentence_names_each(tmp_path: Path) -> None:
    def missing() -> Compiler:
        raise DependencyError("NVRTC is not installed")

    with pytest.raises(ModelError, match=r"for Orin: NVRTC is not installed; fake is newer than the driver"):
        Cubins(tmp_path, [missing, lambda: Fake("13.0")]).get("blur", "code", ORIN)


def test_a_library_that_is_no_nvrtc_is_not_used() -> None:
    with pytest.raises(DependencyError, match="NVRTC is not installed"):
        Nvrtc("libc.so.6")


def test_a_program_that_is_no_nvcc_is_not_used() -> None:
    with pytest.raises(DependencyError, match="no nvcc"):
        Nvcc("true")
    with pytest.raises(ModelError, match="nvcc cannot compile"):
        Nvcc("false")


@pytest.mark.parametrize("make", [Nvrtc, Nvcc], ids=["nvrtc", "nvcc"])
class TestReal:
    """NVIDIA's own compilers, which need no GPU."""

    def compiler(self, make: Callable[[], Compiler]) -> Compiler:
        try:
            return make()
        except DependencyError as error:
            pytest.skip(str(error))

    @pytest.mark.parametrize("capability", ["7.5", "8.7", "8.9", "9.0", "11.0"])
    def test_the_kernel_compiles(self, make: Callable[[], Compiler], capability: str) -> None:
        compiler = self.compiler(make)
        if capability == "11.0" and compiler.version.startswith("12."):
            pytest.skip("CUDA 12 does not know Thor as 11.0")
        code = compiler.compile(kernel_source(), capability)
        assert code.startswith(b"\x7fELF")
        assert b"letterbox" in code

    def test_a_mistake_is_told_as_the_compiler_tells_it(self, make: Callable[[], Compiler]) -> None:
        with pytest.raises(ModelError, match="speling"):
            self.compiler(make).compile("__global__ void f() { speling(); }", "8.7")
