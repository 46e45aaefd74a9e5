"""A Jetson's camera ports, as far as that goes without one."""

from __future__ import annotations

import pytest

from edgeguard import media
from edgeguard.capture import GstFrameSource
from edgeguard.capture.feed import Feed, Stream, _codec_of
from edgeguard.capture.tiers import CODECS, ELEMENTS, Makers, Step, Tier, Tiers, host_only
from edgeguard.clock import ManualClock, SystemClock
from edgeguard.errors import DependencyError, SourceError
from edgeguard.gst import Pipeline, available
from edgeguard.gst.binding import load
from edgeguard.media import is_live
from edgeguard.runtime.assembly.sources import pause


@pytest.mark.parametrize(
    ("caps", "codec"),
    [
        ("video/x-raw(memory:NVMM),format=NV12", "csi"),
        ("video/x-raw,format=NV12", "raw"),
        ("image/jpeg", "jpeg"),
        ("video/x-vp9", "video/x-vp9"),
    ],
)
def test_raw_pictures_in_the_jetsons_memory_are_told_from_others(caps: str, codec: str) -> None:
    parsed = load()[0].Caps.from_string(caps)
    assert _codec_of(parsed, parsed.get_structure(0).get_name()) == codec
    assert (codec in CODECS) == ("/" not in codec)
    assert Stream(parsed, None, codec).is_independent == (codec in ("csi", "raw", "jpeg"))


def test_they_need_no_decoder_on_the_gpu_and_a_converter_without() -> None:
    makers = Makers(ELEMENTS, dict.fromkeys(Tier, lambda: None))  # type: ignore[arg-type]
    assert Tiers("yard", lambda: makers, ManualClock()).chain("csi").steps == ()
    alone = Tiers("yard", lambda: host_only(ELEMENTS), ManualClock()).chain("csi")
    assert (alone.tier, alone.steps) == (Tier.CPU, (Step("nvvidconv"),))


def test_a_box_without_such_ports_is_told() -> None:
    if "nvarguscamerasrc" in available(["nvarguscamerasrc"]):
        pytest.skip("this box is a Jetson")
    source = GstFrameSource("yard", "csi://0", SystemClock())
    with pytest.raises(DependencyError, match=r"no element `nvarguscamerasrc`.*Jetson only"):
        source.open()
    source.close()


def test_a_port_is_a_number() -> None:
    source = GstFrameSource("yard", "csi://left", SystemClock())
    with pytest.raises(SourceError, match="number of a camera port"):
        source.open()
    source.close()
    assert is_live("csi://0")


def test_few_pictures_wait_for_a_reader_that_is_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them keeps a buffer of the sensor's; a test picture stands in for the sensor."""

    def sensor(pipeline: Pipeline, _url: str, _media: str, onward: media._Onward, _options: object) -> None:
        source = pipeline.add("videotestsrc", is_live=True)
        rate = pipeline.add_caps("video/x-raw,format=NV12,width=64,height=32,framerate=50/1")
        pipeline.link(source, rate, onward.device())

    monkeypatch.setitem(media._READERS, "csi", sensor)
    feed = Feed("yard", "csi://0", SystemClock(), True, media.MediaOptions())
    try:
        assert feed.pull(5.0) is not None
        pause(0.6)
        waited = 0
        while feed.pull(0) is not None:
            waited += 1
        assert waited <= 3, "two, and one that came meanwhile"
    finally:
        feed.close()
