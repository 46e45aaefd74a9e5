"""A camera's stream as it was encoded: the half of a camera that is connected."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from edgeguard.clock import Clock, slept_ns
from edgeguard.gst import Pipeline, Sample, ntp_utc_ns
from edgeguard.media import MediaOptions, SoundTap, check, connect_encoded, is_live
from edgeguard.types import Packet

_WAITING = 300
"""Packets that wait for their reader: ten seconds of a camera, after which the oldest are lost."""
_WAITING_AT_DEVICES = {"csi": 2, "v4l2": 4}
"""By scheme: each raw picture keeps a buffer of the device, which has few and stops when they are gone."""
_PARSERS = {
    "video/x-h264": ("h264parse", "video/x-h264,stream-format=byte-stream,alignment=au"),
    "video/x-h265": ("h265parse", "video/x-h265,stream-format=byte-stream,alignment=au"),
}
"""With every keyframe come the parameter sets that it needs, so that decoding can begin at any of them."""
_STAMPS_AT_CAPTURE = frozenset({"v4l2"})
"""Schemes whose pictures carry, as running time, the moment at which the driver took them."""
_CODECS = {"video/x-h264": "h264", "video/x-h265": "h265", "image/jpeg": "jpeg", "video/x-raw": "raw"}


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """What the packets of a camera are, until it changes."""

    caps: Any
    segment: Any
    codec: str
    """`h264`, `h265`, `jpeg`, `raw` or `csi`; any other as GStreamer calls it."""

    @property
    def is_independent(self) -> bool:
        """Each picture can be decoded without any other."""
        return self.codec in ("jpeg", "raw", "csi")

    def has_caps(self, caps: Any) -> bool:
        return hash(caps) == hash(self.caps) or bool(caps.is_equal(self.caps))

    def has_times(self, segment: Any) -> bool:
        mine = self.segment
        same = mine.start == segment.start and mine.base == segment.base and mine.offset == segment.offset
        return bool(same)


class Feed:
    """Connects to `url` and gives its packets in order; raw pictures of a device come like packets.

    `realtime` paces a file by its timestamps.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        realtime: bool,
        options: MediaOptions,
        tap: SoundTap | None = None,
    ) -> None:
        """Raises SourceError or DependencyError; `close` follows either way."""
        self._url = url
        self._clock = clock
        self._tap = tap
        self._scheme = urlsplit(url).scheme
        self.stream: Stream | None = None
        """That of the packet pulled last."""
        self._pipeline = Pipeline(f"camera-{name}")
        live = is_live(url)
        self._sink = self._pipeline.add_appsink(
            sync=realtime and not live,
            lossless=not live,
            buffers=_WAITING_AT_DEVICES.get(self._scheme, _WAITING),
            waits=False,
        )
        try:
            connect_encoded(self._pipeline, url, "video", self._onward, options, tap)
            self._pipeline.play()
        except Exception:
            self.close()
            raise

    def pull(self, timeout_s: float) -> tuple[Packet, Stream] | None:
        """The next packet, or None after `timeout_s`.

        Raises SourceError if the connection broke and EndOfStreamError at the end of a file.
        """
        pulled = self._next(timeout_s)
        if pulled is None:
            check(self._pipeline, self._url)
        return pulled

    def waiting(self) -> tuple[Packet, Stream] | None:
        """The next packet, if it is here; whether the connection broke behind it is not asked."""
        return self._next(0)

    def taken_ns(self, packet: Packet) -> int | None:
        """Monotonic time at which the camera took it, by its own clock; None if it does not tell."""
        if self._scheme in _STAMPS_AT_CAPTURE:
            taken_ns = self._pipeline.monotonic_ns(packet.running_ns)
            return None if taken_ns is None else taken_ns + slept_ns()
        if self._scheme not in ("rtsp", "rtsps"):
            return None
        utc_ns = ntp_utc_ns(packet.buffer)
        return None if utc_ns is None else utc_ns - self._clock.utc_ns() + self._clock.monotonic_ns()

    def ask_for_keyframe(self) -> None:
        """Ask the camera for one; not every camera listens."""
        self._sink.ask_for_keyframe()

    def close(self) -> None:
        """Raises SourceError if it hangs; it is left behind then."""
        if self._tap is not None:
            self._tap.detach()
        self._pipeline.stop()

    def _next(self, timeout_s: float) -> tuple[Packet, Stream] | None:
        sample = self._sink.pull(timeout_s)
        return None if sample is None else (self._packet(sample), self._stream_of(sample))

    def _packet(self, sample: Sample) -> Packet:
        return Packet(
            running_ns=sample.running_ns,
            dts_ns=sample.decoding_ns,
            arrived_ns=self._clock.monotonic_ns(),
            size=sample.size,
            keyframe=sample.is_keyframe,
            buffer=sample.buffer,
        )

    def _stream_of(self, sample: Sample) -> Stream:
        before, caps, segment = self.stream, sample.caps, sample.segment
        if before is None or not before.has_caps(caps):
            name = caps.get_structure(0).get_name()
            self.stream = Stream(caps, segment, _codec_of(caps, name))
        elif not before.has_times(segment):
            self.stream = replace(before, segment=segment)
        assert self.stream is not None
        return self.stream

    def _onward(self, caps: Any) -> Any:
        parser = caps and _PARSERS.get(caps.get_structure(0).get_name())
        if not parser:
            return self._sink.element
        element, wanted = parser
        parse = self._pipeline.add(element, config_interval=-1)
        self._pipeline.link(parse, self._pipeline.add_caps(wanted), self._sink.element)
        return parse


def _codec_of(caps: Any, name: str) -> str:
    """Raw pictures in a Jetson's own memory come from its camera ports."""
    if name == "video/x-raw" and caps.get_features(0).contains("memory:NVMM"):
        return "csi"
    return _CODECS.get(name, name)


def head(packet: Packet, size: int) -> bytes:
    """The first bytes of a packet, `size` at most."""
    buffer: Any = packet.buffer
    return bytes(buffer.extract_dup(0, size))
