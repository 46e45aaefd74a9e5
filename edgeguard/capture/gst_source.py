"""Cameras and files through GStreamer: a feed, a ring of what it gave, a gate, and a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeguard.anchor import Anchor
from edgeguard.capture.backlog import Backlog
from edgeguard.capture.decoders import Decoders
from edgeguard.capture.feed import Feed, Stream
from edgeguard.capture.frames import Stamp
from edgeguard.capture.gate import Gate, OpenGate
from edgeguard.capture.ring import EncodedRing
from edgeguard.capture.source import RateGate
from edgeguard.capture.thinning import Thinning
from edgeguard.capture.tiers import ELEMENTS, Tiers, host_only
from edgeguard.capture.timeline import Timeline
from edgeguard.capture.watchdog import Watchdog
from edgeguard.capture.way import Way
from edgeguard.clock import Clock
from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.gst import Sample, available
from edgeguard.media import MediaOptions, SoundTap, is_live
from edgeguard.types import Frame, Packet, Showing

_BURST = 300
"""Packets that are taken at once: one that sends without a pause must not keep its thread from decoding."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a camera may give nothing, and how much of it is kept."""

    connect_s: float = 10.0
    stall_s: float = 10.0
    preroll_s: float = 10.0
    preroll_bytes: int = 32_000_000


class GstFrameSource:
    """Connects to `url`, keeps its packets, and decodes those that the gate admits.

    Frames are views on the decoder's own buffers, without a copy. `realtime` paces a file by its timestamps;
    otherwise every frame that the rate gate picks is given, as fast as it is read. Live sources always are in
    real time. Feed and decoder fail apart: one decoder may follow another while the camera stays connected.
    """

    def __init__(
        self,
        name: str,
        url: str,
        clock: Clock,
        analyse_fps: float = 5.0,
        *,
        realtime: bool = True,
        patience: Patience | None = None,
        options: MediaOptions | None = None,
        gate: Gate | None = None,
        tiers: Tiers | None = None,
        tap: SoundTap | None = None,
    ) -> None:
        """`tap` gets the sound of the same connection."""
        self.name = name
        self._url = url
        self._clock = clock
        self._fps = analyse_fps
        self._live = is_live(url)
        self._realtime = realtime or self._live
        self._patience = patience or Patience()
        self._options = options or MediaOptions()
        self._gate = gate or OpenGate()
        self._tiers = tiers
        self._tap = tap
        self._sequence = self._pixels = self._spared = 0
        self._beyond_rate = self._gated = 0
        """Pictures that nobody looked at: more than are wanted, and those that the gate left out."""
        self._last_pts_ns: int | None = None
        self._timeline = Timeline()
        self._way = Way()
        self._backlog = Backlog(self._live)
        self.ring = EncodedRing(self._patience.preroll_bytes, self._patience.preroll_s)
        self._feed: Feed | None = None
        self._decoders: Decoders | None = None

    def open(self) -> None:
        self.close()
        if self._tiers is None:
            makers = host_only(available(ELEMENTS))
            self._tiers = Tiers(self.name, lambda: makers, self._clock)
        if self._decoders is None:
            self._decoders = Decoders(self.name, self._tiers)
        patience = self._patience
        self._stream: Stream | None = None
        self._thinned: Stream | None = None
        self._anchor = Anchor(self._clock, self._live, self._next_pts_ns())
        self._rate = RateGate(self._fps)
        self._watchdog = Watchdog(self._url, self._clock, patience.connect_s, patience.stall_s)
        self._ended = False
        self._way.clear()
        self.ring.clear()
        self._feed = Feed(self.name, self._url, self._clock, self._realtime, self._options, self._tap)

    def read(self, timeout_s: float) -> Frame | None:
        if self._feed is None or self._decoders is None:
            raise SourceError(f"camera {self.name} is not open")
        deadline_ns = self._clock.monotonic_ns() + round(timeout_s * 1e9)
        self._take_waiting(self._feed, self._decoders)
        while True:
            frame = self._next_frame(self._decoders)
            left_ns = deadline_ns - self._clock.monotonic_ns()
            if frame is not None or left_ns <= 0:
                return frame
            self._advance(self._feed, self._decoders, left_ns / 1e9)

    def close(self) -> None:
        feed, self._feed = self._feed, None
        self._backlog.clear()
        try:
            if self._decoders is not None:
                self._decoders.close()
        finally:
            if feed is not None:
                feed.close()

    def counters(self) -> dict[str, int | float | str]:
        """What health tells of it."""
        return {
            "ring_s": round(self.ring.seconds, 1),
            "ring_bytes": self.ring.bytes,
            "overload_skips": self._backlog.skipped,
            "frames_rate": self._beyond_rate + self._spared,
            "frames_gate": self._gated,
            "decoder_restarts": 0 if self._decoders is None else self._decoders.restarts,
            "decodes_spared": self._spared,
            "timestamp_stops": self._timeline.stopped,
            **({} if self._tiers is None else self._tiers.counters()),
            **self._gate.counters(),
        }

    def _next_pts_ns(self) -> int | None:
        """A file that is played again goes on where it ended: read fast, it is ahead of the clock."""
        if self._live or self._last_pts_ns is None:
            return None
        return self._last_pts_ns + round(1e9 / self._fps)

    def _advance(self, feed: Feed, decoders: Decoders, timeout_s: float) -> None:
        """Take what the camera sent into ring and backlog."""
        if self._ended:
            raise EndOfStreamError("end of stream")
        try:
            pulled = feed.pull(timeout_s)
        except EndOfStreamError:
            self._ended = True
            decoders.end()
            return
        if pulled is not None:
            self._take(decoders, *pulled)
            self._take_waiting(feed, decoders)
        self._watchdog.check()
        if self._watchdog.wants_keyframe():
            feed.ask_for_keyframe()

    def _take_waiting(self, feed: Feed, decoders: Decoders) -> None:
        """A live camera's packets are taken as they come, also while the decoder is behind: what counts is
        when they arrived, not when it was their turn."""
        for _ in range(_BURST if self._live else 0):
            pulled = feed.waiting()
            if pulled is None:
                return
            self._take(decoders, *pulled)

    def _take(self, decoders: Decoders, packet: Packet, stream: Stream) -> None:
        if stream is not self._stream:
            self._begin_stream(stream)
        self._watchdog.packet(packet.keyframe, packet.arrived_ns)
        if packet.running_ns is not None:
            self._anchor.follow(packet.running_ns, packet.arrived_ns)
        admitted: Sequence[Packet] = (packet,)
        if stream.codec not in ("raw", "csi"):  # raw pictures are too large to be kept, and need no decoder
            self.ring.put(packet)
            admitted = self._gate.admit(packet, self.ring)
        if admitted:
            self._backlog.add(admitted, stream, packet.arrived_ns)
        else:
            self._gated += 1
            if not len(self._backlog):  # else it still needs what it holds
                decoders.rest()

    def _begin_stream(self, stream: Stream) -> None:
        if self._stream is None or stream.caps is not self._stream.caps:
            self.ring.clear()
            self._gate.begin(stream.codec)
        self._stream = stream

    def _next_frame(self, decoders: Decoders) -> Frame | None:
        """Decode until there is a frame to give, or nothing to decode."""
        while True:
            while (sample := decoders.pull()) is not None:
                self._watchdog.decoded()
                if (frame := self._look(decoders, sample)) is not None:
                    return frame
            taken = self._backlog.take(self._clock.monotonic_ns())
            if taken is None:
                return None
            self._decode(decoders, *taken)

    def _decode(self, decoders: Decoders, packet: Packet, stream: Stream) -> None:
        if stream.is_independent and not self._in_time(self._running(packet.running_ns)):
            return  # the decoder need not do what nobody looks at
        if stream is not self._thinned:
            self._thinned, self._thinning = stream, Thinning(self._rate, stream)
        if self._thinning.spares(packet):
            self._spared += 1
            return
        taken_ns = None if self._feed is None else self._feed.taken_ns(packet)
        self._way.note(packet.running_ns, packet.arrived_ns, taken_ns)
        if decoders.push(packet, stream) or packet.keyframe:
            self._watchdog.fed(packet.arrived_ns)
        else:
            self._watchdog.starved(packet.arrived_ns)

    def _running(self, running_ns: int | None) -> int | None:
        """The time of a picture, if it can be believed."""
        return self._timeline.running(running_ns, self._clock.monotonic_ns()) if self._live else running_ns

    def _in_time(self, running_ns: int | None) -> bool:
        passes = self._rate.passes(self._clock.monotonic_ns() if running_ns is None else running_ns)
        self._beyond_rate += not passes
        return passes

    def _look(self, decoders: Decoders, sample: Sample) -> Frame | None:
        """The frame, if this picture is one to be analysed."""
        running_ns = sample.running_ns
        showing = self._gate.look(running_ns, self._sequence, self._pixels)
        if showing is None:
            return None
        running_ns = self._running(running_ns)  # not before: one that is decoded again is no time that stands
        if showing is not Showing.GLANCE and not decoders.is_independent and not self._in_time(running_ns):
            return None
        return self._frame(decoders, sample, running_ns, showing)

    def _frame(
        self, decoders: Decoders, sample: Sample, running_ns: int | None, showing: Showing
    ) -> Frame | None:
        times = self._anchor.times(running_ns)
        media_ns = None if self._live else sample.media_ns
        passed = self._way.of(sample.running_ns)
        frame = decoders.frame(sample, Stamp(self.name, self._sequence, times, media_ns, *passed))
        if frame is None:
            return None
        self._sequence += 1
        self._pixels = frame.width * frame.height
        self._last_pts_ns = times.pts_ns
        return frame if showing is Showing.LIVE else replace(frame, showing=showing)
