"""A network camera that freezes, dies and comes back, as picture and as sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgeguard.audio import GstAudioSource
from edgeguard.capture import GstFrameSource, Patience
from edgeguard.clock import SystemClock
from edgeguard.errors import EndOfStreamError, SourceError
from tests.support.clips import make_clip
from tests.support.rtsp_process import RtspProcess

Source = Any
SOURCES: dict[str, Callable[[str], Source]] = {
    "picture": lambda url: GstFrameSource("gate", url, SystemClock(), 60, patience=Patience(stall_s=1.0)),
    "sound": lambda url: GstAudioSource("gate", url, SystemClock(), stall_s=1.0),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=3, tone_hz=440)


@pytest.fixture
def server(clip: Path) -> Iterator[RtspProcess]:
    with RtspProcess(clip) as server:
        yield server


@pytest.fixture(params=list(SOURCES))
def source(request: pytest.FixtureRequest, server: RtspProcess) -> Iterator[Source]:
    made = SOURCES[request.param](server.url)
    made.open()
    yield made
    made.close()


def read(source: Source, count: int) -> None:
    while count:
        count -= source.read(0.25) is not None


def test_one_that_freezes_is_missed_after_a_while(server: RtspProcess, source: Source) -> None:
    read(source, 8)
    server.freeze()
    with pytest.raises(SourceError, match=f"no .* from {server.url} for 1 s"):
        read(source, 10_000)


def test_one_that_dies_has_not_ended_and_can_be_opened_again(server: RtspProcess, source: Source) -> None:
    read(source, 8)
    server.kill9()
    with pytest.raises(SourceError) as caught:
        read(source, 10_000)
    assert not isinstance(caught.value, EndOfStreamError)
    source.close()
    server.start()
    source.open()
    read(source, 1)
