"""The fakes themselves: each forbidden order ends the process, so that a passing test proves something."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.surfaces import fake_jetson_folder

ROOT = Path(__file__).resolve().parents[3]
BEGIN = """
from edgeguard.capture.surfaces import NvBufLibrary, open_egl
from edgeguard.capture.surfaces.surface import read_surface
from edgeguard.cuda.libcuda import CtypesCuda
from tests.support.gpu import FakeGpu
from tests.support.surfaces import FakeJetson, SurfaceSpec, noise, sample_of
jetson, cuda = FakeJetson(), CtypesCuda(FakeGpu().libcuda)
open_egl(jetson.egl)
images = NvBufLibrary([jetson.nvbuf])
buffer = jetson.buffer(SurfaceSpec(noise()))
mapped = sample_of(buffer).map()
surface = read_surface(mapped.address, mapped.size)
image = images.map_egl(surface, mapped.size)
with cuda.current():
    resource = cuda.register_egl(image)
    texture = cuda.make_texture(cuda.egl_frame(resource).planes[0])
"""
CRIMES = {
    "a buffer is mapped twice": "    images.map_egl(surface, mapped.size)",
    "an EGL image is registered twice": "    cuda.register_egl(image)",
    "an EGL image is unmapped while CUDA has it registered": "    images.unmap_egl(surface.address)",
    "a resource is unregistered while a texture reads it": "    cuda.unregister(resource)",
    "a texture is destroyed twice": "    cuda.destroy_texture(texture); cuda.destroy_texture(texture)",
    "a resource is unregistered twice": (
        "    cuda.destroy_texture(texture); cuda.unregister(resource); cuda.unregister(resource)"
    ),
    "a frame is asked of a resource that is not registered": (
        "    cuda.destroy_texture(texture); cuda.unregister(resource); cuda.egl_frame(resource)"
    ),
    "a buffer is freed while its EGL image is mapped": "    del mapped, buffer",
}


def run(crime: str) -> subprocess.CompletedProcess[str]:
    fake_jetson_folder()
    command = [sys.executable, "-c", BEGIN + crime]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("said", CRIMES)
def test_an_illegal_order_ends_the_process(said: str) -> None:
    ended = run(CRIMES[said])
    assert ended.returncode < 0
    assert said in ended.stderr


def test_the_legal_order_does_not() -> None:
    ended = run(
        "    cuda.destroy_texture(texture); cuda.unregister(resource); images.unmap_egl(surface.address)"
    )
    assert (ended.returncode, ended.stderr) == (0, "")
