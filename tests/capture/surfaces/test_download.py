"""Pictures that are fetched from the GPU are the same, and are counted."""

from __future__ import annotations

import numpy as np
import pytest

from edgeguard.capture.surfaces import Download, NvmmFrames
from edgeguard.cuda.ledger import Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.types import Memory
from tests.capture.surfaces.conftest import stamp
from tests.support.surfaces import FakeJetson, SurfaceSpec, noise, sample_of


@pytest.mark.parametrize("block_linear", [True, False])
def test_the_planes_are_those_of_the_decoder(
    jetson: FakeJetson, frames: NvmmFrames, cuda: CtypesCuda, ledger: Ledger, block_linear: bool
) -> None:
    pixels = noise()
    frame = frames.frame(sample_of(jetson.buffer(SurfaceSpec(pixels, block_linear=block_linear))), stamp(7))
    host = Download(cuda, ledger).to_host(frame)
    assert (host.memory, host.device, host.hold, host.sequence) == (Memory.HOST, (), None, 7)
    luma, chroma = host.planes
    assert np.array_equal(luma, pixels[:32, :64])
    assert np.array_equal(chroma.reshape(16, 64), pixels[32:, :64])
    assert not luma.flags.writeable
    assert ledger.read().d2h_bytes == 64 * 32 * 3 // 2
    assert not ledger.read().is_zero_copy


def test_a_frame_of_the_host_is_left_alone(
    jetson: FakeJetson, frames: NvmmFrames, cuda: CtypesCuda, ledger: Ledger
) -> None:
    download = Download(cuda, ledger)
    host = download.to_host(
        frames.frame(sample_of(jetson.buffer(SurfaceSpec(noise(), block_linear=False))), stamp())
    )
    before = ledger.read()
    assert download.to_host(host) is host
    assert ledger.read() == before
