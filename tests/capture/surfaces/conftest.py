"""A Jetson that must be left as it was found: nothing registered, nothing mapped, no buffer kept."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest

from edgeguard.anchor import Times
from edgeguard.capture.frames import Stamp
from edgeguard.capture.surfaces import NvBufLibrary, NvmmFrames, open_egl
from edgeguard.cuda.ledger import Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from tests.models.engines.conftest import cuda, gpu
from tests.support.surfaces import FakeJetson

__all__ = ["cuda", "gpu"]


@pytest.fixture
def jetson() -> Iterator[FakeJetson]:
    fake = FakeJetson()
    yield fake
    gc.collect()
    fake.clear()
    assert (fake.registered, fake.textures, fake.living) == (0, 0, 0)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def images(jetson: FakeJetson) -> NvBufLibrary:
    open_egl(jetson.egl)
    return NvBufLibrary([jetson.nvbuf])


@pytest.fixture
def make_frames(jetson: FakeJetson, cuda: CtypesCuda, ledger: Ledger) -> Iterator[Callable[[], NvmmFrames]]:
    made: list[NvmmFrames] = []

    def images() -> NvBufLibrary:
        open_egl(jetson.egl)
        return NvBufLibrary([jetson.nvbuf])

    def make() -> NvmmFrames:
        made.append(NvmmFrames(cuda, ledger, images))
        return made[-1]

    yield make
    for frames in made:
        frames.close()


@pytest.fixture
def frames(make_frames: Callable[[], NvmmFrames]) -> NvmmFrames:
    return make_frames()


def stamp(sequence: int = 0) -> Stamp:
    return Stamp("yard", sequence, Times(1, 2, 3), None)
