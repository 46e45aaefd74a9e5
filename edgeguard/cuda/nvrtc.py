"""NVRTC: NVIDIA's compiler as a library. It needs no GPU, and comes with every JetPack."""

from __future__ import annotations

import ctypes as c
import sys
from pathlib import Path

from edgeguard.errors import DependencyError, ModelError

LIBRARIES = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")
_FOLDERS = ("/usr/local/cuda/lib64", "/usr/local/cuda/targets/aarch64-linux/lib")
_IN_PACKAGES = ("nvidia/cu13/lib", "nvidia/cuda_nvrtc/lib")
"""Where the wheels of NVIDIA put it, below a folder of packages."""

_P, _OUT, _SIZE = c.c_void_p, c.POINTER(c.c_void_p), c.POINTER(c.c_size_t)
_TEXTS = c.POINTER(c.c_char_p)
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "nvrtcVersion": (c.POINTER(c.c_int), c.POINTER(c.c_int)),
    "nvrtcCreateProgram": (_OUT, c.c_char_p, c.c_char_p, c.c_int, _TEXTS, _TEXTS),
    "nvrtcCompileProgram": (_P, c.c_int, _TEXTS),
    "nvrtcGetProgramLogSize": (_P, _SIZE),
    "nvrtcGetProgramLog": (_P, c.c_char_p),
    "nvrtcGetCUBINSize": (_P, _SIZE),
    "nvrtcGetCUBIN": (_P, c.c_char_p),
    "nvrtcDestroyProgram": (_OUT,),
}


class Nvrtc:
    """DependencyError if none is installed."""

    def __init__(self, library: str | None = None) -> None:
        self._library = _load([library] if library else _places())
        major, minor = c.c_int(), c.c_int()
        self._call("nvrtcVersion", c.byref(major), c.byref(minor))
        self.version = f"{major.value}.{minor.value}"
        """Of CUDA, e.g. `12.6`."""

    @property
    def name(self) -> str:
        return f"nvrtc {self.version}"

    def compile(self, source: str, compute_capability: str) -> bytes:
        """A cubin for GPUs of that capability, e.g. `8.7`; ModelError with what the compiler said."""
        program = c.c_void_p()
        self._call("nvrtcCreateProgram", c.byref(program), source.encode(), b"edgeguard.cu", 0, None, None)
        try:
            options = [f"--gpu-architecture=sm_{compute_capability.replace('.', '')}".encode(), b"-std=c++14"]
            result = self._library.nvrtcCompileProgram(program, len(options), (c.c_char_p * 2)(*options))
            if result:
                said = self._text(program, "nvrtcGetProgramLog").decode(errors="replace").strip("\0\n ")
                raise ModelError(
                    f"{self.name} cannot compile for a GPU of capability {compute_capability}: "
                    f"{said or f'error {result}'}"
                )
            return self._text(program, "nvrtcGetCUBIN")
        finally:
            self._library.nvrtcDestroyProgram(c.byref(program))

    def _text(self, program: c.c_void_p, name: str) -> bytes:
        size = c.c_size_t()
        self._call(f"{name}Size", program, c.byref(size))
        text = c.create_string_buffer(size.value)
        self._call(name, program, text)
        return text.raw

    def _call(self, name: str, *arguments: object) -> None:
        result = getattr(self._library, name)(*arguments)
        if result:
            raise ModelError(f"{name} failed with error {result}")


def _places() -> list[str]:
    packages = [Path(folder) / below for folder in sys.path for below in _IN_PACKAGES]
    folders = [folder for folder in (*map(Path, _FOLDERS), *packages) if folder.is_dir()]
    return [*LIBRARIES, *(str(folder / name) for folder in folders for name in LIBRARIES)]


def _load(places: list[str]) -> c.CDLL:
    for place in places:
        try:
            library = c.CDLL(place)
            for name, arguments in _SIGNATURES.items():
                entry = getattr(library, name)
                entry.argtypes, entry.restype = arguments, c.c_int
        except (OSError, AttributeError):
            continue
        return library
    raise DependencyError(
        "NVRTC is not installed: it comes with CUDA (on a Jetson `apt install cuda-nvrtc-12-6`, "
        "elsewhere `pip install nvidia-cuda-nvrtc-cu12`)"
    )
