"""A tier that fails at its first pictures: the camera goes on with the next, and says why."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from edgeguard.capture import GstFrameSource, tiers
from edgeguard.capture.frames import HostFrames, Stamp
from edgeguard.capture.surfaces import NvBufLibrary, NvmmFrames
from edgeguard.capture.tiers import HOST, Makers, Step, Tier, Tiers, host_only
from edgeguard.clock import SystemClock
from edgeguard.cuda.driver import GpuLostError
from edgeguard.cuda.ledger import Crossings, Ledger
from edgeguard.cuda.libcuda import CtypesCuda
from edgeguard.errors import ModelError, SourceError
from edgeguard.gst import Sample, available
from edgeguard.runtime.assembly.gear import Gear
from edgeguard.types import Frame, Memory
from tests.models.engines.conftest import cuda, gpu
from tests.support.clips import make_clip
from tests.support.gpu import FakeGpu

__all__ = ["cuda", "gpu"]
SOFTWARE = (Step("avdec_h264"), Step("videoconvert"))


@pytest.fixture
def clip(tmp_path: Path) -> str:
    return make_clip(tmp_path / "clip.mp4", seconds=4).as_uri()


def read(source: GstFrameSource, count: int = 5) -> list[Frame]:
    frames: list[Frame] = []
    source.open()
    try:
        for _ in range(200):
            if (frame := source.read(0.5)) is not None:
                frames.append(frame)
            if len(frames) == count:
                break
    finally:
        source.close()
    return frames


def test_pictures_that_are_no_surfaces_lead_to_the_cpu(
    monkeypatch: pytest.MonkeyPatch, clip: str, cuda: CtypesCuda
) -> None:
    """A software decoder stands in for the Jetson's: its buffers are no NvBufSurface, which is found out."""
    ways = ((Tier.NVMM, SOFTWARE, HOST), (Tier.CPU, SOFTWARE, HOST))
    monkeypatch.setattr(tiers, "_CHAINS", {**tiers._CHAINS, "h264": ways})
    ledger = Ledger()
    makers = Makers(
        available(tiers.ELEMENTS),
        {Tier.NVMM: partial(NvmmFrames, cuda, ledger, NvBufLibrary), Tier.CPU: HostFrames},
    )
    mine = Tiers("yard", lambda: makers, SystemClock(), ledger)
    source = GstFrameSource("yard", clip, SystemClock(), 30.0, realtime=False, tiers=mine)
    frames = read(source)
    assert [frame.memory for frame in frames] == [Memory.HOST] * 5
    told = source.counters()
    assert told["decoder"] == "cpu"
    assert str(told["decoder_reason"]).startswith("nvmm: the decoder's buffer has ")
    assert told["decoder_restarts"] == 1


def test_a_decoder_of_the_gpu_without_a_driver_is_not_tried(clip: str) -> None:
    """A container without the NVIDIA runtime: the elements are there, and nothing below them."""
    there = available(tiers.ELEMENTS) | {"nvv4l2decoder", "nvh264dec"}
    gear = Gear(SystemClock(), partial(CtypesCuda, "libcuda-that-is-not-there.so"), elements=lambda: there)
    source = GstFrameSource("yard", clip, SystemClock(), 30.0, realtime=False, tiers=gear.tiers("yard"))
    assert len(read(source, 2)) == 2
    told = source.counters()
    assert told["decoder"] == "cpu"
    assert "nvmm: no NVIDIA driver" in str(told["decoder_reason"])
    assert "nvcodec: no NVIDIA driver" in str(told["decoder_reason"])


def test_a_decoder_that_cannot_be_made_leads_to_the_next(clip: str, gpu: FakeGpu) -> None:
    """The driver answers, and the decoder that GStreamer promised is not there."""
    there = available(tiers.ELEMENTS) | {"nvv4l2decoder"}
    opened: list[CtypesCuda] = []

    def opener() -> CtypesCuda:
        opened.append(CtypesCuda(gpu.libcuda))
        return opened[-1]

    gear = Gear(SystemClock(), opener, elements=lambda: there)
    source = GstFrameSource("yard", clip, SystemClock(), 30.0, realtime=False, tiers=gear.tiers("yard"))
    assert len(read(source, 2)) == 2
    assert "nvv4l2decoder" in str(source.counters()["decoder_reason"])
    opened[0].close()


def test_what_no_tier_decodes_is_an_error_of_the_camera(tmp_path: Path) -> None:
    broken = tmp_path / "clip.mp4"
    broken.write_bytes(b"no clip at all")
    mine = Tiers("yard", lambda: host_only(available(tiers.ELEMENTS)), SystemClock())
    source = GstFrameSource("yard", broken.as_uri(), SystemClock(), realtime=False, tiers=mine)
    with pytest.raises(SourceError):
        read(source)


def test_a_decoder_ends_though_the_gpu_keeps_its_buffers(clip: str) -> None:
    class Clinging(HostFrames):
        def close(self) -> None:
            raise ModelError("cuEventSynchronize failed")

    makers = Makers(available(tiers.ELEMENTS), {Tier.CPU: Clinging})
    source = GstFrameSource(
        "yard", clip, SystemClock(), realtime=False, tiers=Tiers("yard", lambda: makers, SystemClock())
    )
    source.open()
    while source.read(0.5) is None:
        pass
    assert source._decoders is not None
    assert source._decoders._decoding is not None
    pipeline = source._decoders._decoding._pipeline._pipeline
    with pytest.raises(ModelError, match="cuEventSynchronize"):
        source.close()
    assert pipeline.current_state.value_nick == "null"


def test_the_ledgers_of_all_cameras_add_up() -> None:
    gear = Gear(SystemClock())
    for copied, camera in enumerate(("yard", "gate"), 1):
        gear.tiers(camera).ledger.count(frames=5, hits=5, d2h_bytes=copied)
    assert gear.crossed() == Crossings(frames=10, hits=10, d2h_bytes=3)


def test_a_camera_goes_on_without_a_gpu_that_is_lost(monkeypatch: pytest.MonkeyPatch, clip: str) -> None:
    class Lost(HostFrames):
        def frame(self, sample: Sample, stamp: Stamp) -> Frame:
            raise GpuLostError("the GPU is lost until the service restarts")

        def close(self) -> None:
            raise GpuLostError("the GPU is lost until the service restarts")

    ways = ((Tier.NVMM, SOFTWARE, HOST), (Tier.CPU, SOFTWARE, HOST))
    monkeypatch.setattr(tiers, "_CHAINS", {**tiers._CHAINS, "h264": ways})
    makers = Makers(available(tiers.ELEMENTS), {Tier.NVMM: Lost, Tier.CPU: HostFrames})
    mine = Tiers("yard", lambda: makers, SystemClock())
    frames = read(GstFrameSource("yard", clip, SystemClock(), 30.0, realtime=False, tiers=mine))
    assert [frame.memory for frame in frames] == [Memory.HOST] * 5
    assert (mine.tier, "the GPU is lost" in str(mine.reason)) == (Tier.CPU, True)
