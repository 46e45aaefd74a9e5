"""The choice of a decoder: the best first, the next where it fails, the best again after a while."""

from __future__ import annotations

import pytest

from edgeguard.capture.frames import HostFrames, SurfaceError
from edgeguard.capture.tiers import ELEMENTS, RETRY_NS, Makers, Tier, Tiers, host_only
from edgeguard.clock import ManualClock
from edgeguard.errors import DependencyError
from edgeguard.gst import available

ALL = dict.fromkeys(Tier, HostFrames)


def tiers(elements: frozenset[str] = ELEMENTS, clock: ManualClock | None = None) -> Tiers:
    return Tiers("yard", lambda: Makers(elements, ALL), clock or ManualClock())


@pytest.mark.parametrize("codec", ["h264", "h265", "jpeg", "csi"])
def test_the_jetsons_decoder_comes_first(codec: str) -> None:
    chain = tiers().chain(codec)
    assert (chain.tier, "memory:NVMM" in chain.caps) == (Tier.NVMM, True)


def test_each_failure_leads_one_tier_down_and_says_why() -> None:
    mine = tiers()
    seen = [mine.chain("h264").tier]
    while mine.failed(SurfaceError(f"no {seen[-1].value}")):
        seen.append(mine.chain("h264").tier)
    assert seen == [Tier.NVMM, Tier.NVCODEC, Tier.CPU]
    assert mine.reason == "nvmm: no nvmm; nvcodec: no nvcodec"


def test_a_failed_tier_is_tried_again_later() -> None:
    clock = ManualClock()
    mine = tiers(clock=clock)
    mine.chain("h264")
    mine.failed(SurfaceError("once"))
    assert mine.chain("h264").tier is Tier.NVCODEC
    clock.advance(RETRY_NS / 1e9 + 1)
    assert (mine.chain("h264").tier, mine.reason) == (Tier.NVMM, None)


def test_a_decoder_without_a_use_for_its_memory_is_left_alone() -> None:
    assert Tiers("yard", lambda: host_only(ELEMENTS), ManualClock()).chain("h264").tier is Tier.CPU


def test_the_second_best_decoder_of_a_tier_stands_in() -> None:
    steps = tiers(frozenset({"h264parse", "openh264dec", "videoconvert"})).chain("h264").steps
    assert [step.element for step in steps] == ["h264parse", "openh264dec", "videoconvert"]


def test_without_any_decoder_the_sentence_names_the_package() -> None:
    with pytest.raises(DependencyError, match=r"cannot decode h265.*avdec_h265.*gstreamer1.0-libav"):
        tiers(frozenset()).chain("h265")


def test_this_box_decodes_everything_on_the_cpu() -> None:
    mine = Tiers("yard", lambda: host_only(available(ELEMENTS)), ManualClock())
    assert {mine.chain(codec).tier for codec in ("h264", "h265", "jpeg", "raw")} == {Tier.CPU}
