"""The small copy that the GPU makes, by the very kernel on a CPU, against OpenCV."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeguard.cuda.cubins import Cubins
from edgeguard.cuda.ledger import Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.runtime.assembly.pacing import Downloads
from edgeguard.types import Colour, Memory, PixelFormat
from edgeguard.vision.glimpse import glimpse
from edgeguard.vision.miniature import Miniature
from edgeguard.vision.motion import small_luma
from tests.models.engines.conftest import cuda, gpu
from tests.support.kernel import cpu_cubins, on_device
from tests.support.pictures import noise

__all__ = ["cuda", "gpu"]


@pytest.mark.parametrize("memory", [Memory.CUDA_PITCH, Memory.CUDA_ARRAY], ids=str)
@pytest.mark.parametrize("size", [(1920, 1080), (641, 359), (360, 640)], ids=str)
def test_it_is_what_the_host_would_have_made_of_the_whole_picture(
    cuda: CtypesCuda, tmp_path: Path, size: tuple[int, int], memory: Memory
) -> None:
    ledger = Ledger()
    miniature = Miniature(cuda, cpu_cubins(tmp_path), ledger)
    picture = noise(*size, PixelFormat.NV12, Colour.BT709_LIMITED)
    with on_device(picture, memory) as frame:
        small = miniature.small(frame)
    miniature.close()
    luma, chroma = (plane.astype(int) for plane in small.planes)
    assert (small.memory, small.hold, small.colour) == (Memory.HOST, None, picture.colour)
    assert np.abs(luma - small_luma(picture)).max() <= 1
    shape = chroma.shape[1::-1]
    assert np.abs(chroma - cv2.resize(picture.planes[1], shape, interpolation=cv2.INTER_AREA)).max() <= 1
    assert ledger.read().d2h_bytes == luma.size + chroma.size < 160_000
    found, expected = glimpse(small), glimpse(picture)
    np.testing.assert_allclose(found.luma, expected.luma, atol=1.5)
    assert found.colour == pytest.approx(expected.colour, rel=0.15)


def test_who_looks_at_the_view_gets_it_small_and_whole_where_there_is_no_kernel(
    cuda: CtypesCuda, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture = noise(640, 480, PixelFormat.NV12, Colour.BT709_LIMITED)
    for cubins, width in ((cpu_cubins(tmp_path), 320), (Cubins(tmp_path / "none", []), 640)):
        downloads = Downloads(Ledger(), cubins, lambda: cuda)
        with on_device(picture) as frame:
            for _ in range(2):
                small = downloads.to_small(frame)
                assert (small.width, small.memory) == (width, Memory.HOST)
            assert downloads.to_host(frame).width == 640
        assert downloads.to_small(picture) is picture
        if downloads._miniature is not None:
            downloads._miniature.close()
    assert caplog.text.count("whole pictures of the GPU") == 1
