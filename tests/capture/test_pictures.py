"""Kinds and quantisers of encoded pictures, beside what other readers say of real streams."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.capture.bits import Bits
from edgeguard.capture.pictures import Picture, PictureReader, nal_units
from edgeguard.gst import Pipeline

SECONDS, FPS, GOP = 4, 10, 10
X264 = f"x264enc key-int-max={GOP} speed-preset=fast"
STREAMS = {
    "plain": ("h264", f"{X264} bframes=0 pass=quant quantizer=30"),
    "b-frames": ("h264", f"{X264} bframes=2 b-adapt=false pass=quant quantizer=30 weightb=true"),
    "baseline": (
        "h264",
        f"{X264} bframes=0 cabac=false pass=quant quantizer=24 ! video/x-h264,profile=baseline",
    ),
    "openh264": ("h264", f"openh264enc gop-size={GOP} rate-control=off"),
    "h265": (
        "h265",
        f"x265enc key-int-max={GOP} speed-preset=ultrafast option-string=bframes=2:keyint={GOP}",
    ),
}


def packets(folder: Path, name: str, stream_format: str = "byte-stream") -> list[tuple[bool, bytes]]:
    """Whether it is a keyframe, and the bytes, of each packet of a made stream."""
    codec, encoder = STREAMS[name]
    path = folder / f"{name}.mkv"
    picture = f"video/x-raw,format=I420,width=320,height=240,framerate={FPS}/1"
    line = (
        f"gst-launch-1.0 -q videotestsrc pattern=ball num-buffers={SECONDS * FPS} ! {picture} ! {encoder} ! "
        f"{codec}parse ! matroskamux ! filesink location={path}"
    )
    subprocess.run(line.split(), check=True, timeout=60)
    pipeline = Pipeline("packets")
    sink = pipeline.add_appsink(sync=False, lossless=True)
    demux = pipeline.add("matroskademux")
    parse = pipeline.add(f"{codec}parse")
    caps = pipeline.add_caps(f"video/x-{codec},stream-format={stream_format},alignment=au")
    pipeline.link(pipeline.add("filesrc", location=str(path)), demux)
    pipeline.link(parse, caps, sink.element)
    demux.connect("pad-added", lambda _demux, pad: pad.link(parse.get_static_pad("sink")))
    pipeline.play()
    found = []
    while (sample := sink.pull(5.0)) is not None:
        found.append((_is_keyframe(sample.buffer), sample.map().bytes().tobytes()))
    pipeline.stop()
    return found


def _is_keyframe(buffer: Any) -> bool:
    return not int(buffer.mini_object.flags) & (1 << 13)


@pytest.mark.parametrize("name", ["plain", "b-frames", "baseline", "openh264"])
def test_h264_types_and_quantisers_are_what_the_stream_has(name: str, tmp_path: Path) -> None:
    read = PictureReader("h264")
    pictures = [(key, read.read(data[:4096])) for key, data in packets(tmp_path, name)]
    assert len(pictures) >= SECONDS * FPS - 2
    assert {picture.kind[0] for key, picture in pictures if key} == {"i"}
    assert {picture.kind[0] for key, picture in pictures if not key} <= set("pb")
    assert any(picture.discardable for _, picture in pictures) == (name == "b-frames")
    wanted = {"plain": {30}, "b-frames": {30, 31, 32}, "baseline": {24}, "openh264": {26}}[name]
    assert {picture.qp for key, picture in pictures if not key} == wanted


def test_both_stream_formats_say_the_same(tmp_path: Path) -> None:
    kinds = []
    for stream_format in ("byte-stream", "avc"):
        read = PictureReader("h264")
        kinds.append(
            [read.read(data).kind.rstrip("-") for _, data in packets(tmp_path, "b-frames", stream_format)]
        )
    assert kinds[0] == kinds[1]


def test_h265_tells_what_no_other_picture_needs(tmp_path: Path) -> None:
    read = PictureReader("h265")
    pictures = [(key, read.read(data)) for key, data in packets(tmp_path, "h265")]
    assert {picture.kind for key, picture in pictures if key} == {"i"}
    assert {picture.discardable for key, picture in pictures if not key} == {True, False}


def test_another_codec_has_no_kinds() -> None:
    assert PictureReader("jpeg").read(b"\xff\xd8\xff") == Picture("?")


@given(st.sampled_from(["h264", "h265"]), st.lists(st.binary(max_size=200), max_size=4))
def test_nothing_that_comes_over_the_network_breaks_the_reader(codec: str, chunks: list[bytes]) -> None:
    read = PictureReader(codec)
    for chunk in chunks:
        for prefix in (b"", b"\x00\x00\x00\x01", b"\x00\x00\x00\x01\x67", b"\x00\x00\x00\x01\x68\xce"):
            picture = read.read(prefix + chunk)
            assert re.fullmatch(r"\?|(i|p|b|s|p\d)-?", picture.kind)
            assert read.read(b"\x00\x00\x00\x01\x41" + chunk).kind


@given(st.integers(0, 2**32 - 2), st.integers(-(2**20), 2**20))
def test_exponential_golomb_numbers_are_read_back(unsigned: int, signed: int) -> None:
    def code(number: int) -> str:
        digits = f"{number + 1:b}"
        return "0" * (len(digits) - 1) + digits

    text = code(unsigned) + code(2 * signed - 1 if signed > 0 else -2 * signed)
    text += "1" + "0" * (-(len(text) + 1) % 8)
    raw = int(text, 2).to_bytes(len(text) // 8, "big")
    bits = Bits(re.sub(rb"\x00\x00(?=[\x00-\x03])", b"\x00\x00\x03", raw))
    assert bits.ue() == unsigned
    assert bits.se() == signed


def test_lengths_that_lie_end_the_packet() -> None:
    assert list(nal_units(b"\xff\xff\xff\xff\x65\x88")) == [b"\x65\x88"]
