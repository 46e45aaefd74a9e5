"""Lets a quiet camera's decoder rest: keyframes only, until something moves or is seen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from edgeguard.capture.activity import ActivityMeter
from edgeguard.capture.pictures import Picture, PictureReader
from edgeguard.capture.ring import EncodedRing
from edgeguard.types import Packet, Showing

_SECOND_NS = 1_000_000_000
_ANSWER_NS = 2 * _SECOND_NS
"""How long a glance may be unanswered before nothing waits for it any longer."""
_LONGEST_GOP_NS = 4_250_000_000
"""A camera with fewer keyframes than that is decoded: there would be too few glances at it."""
_AUDIBLE_BITS = 0.02
"""Motion that takes so many bits per pixel of the picture must be told from the stream's wavering."""
_GLANCE_NS = 1_400_000_000
"""Keyframes that are nearer to the last glance than that are let by."""
_NEAR_NS = 300_000_000
"""A frame that is no later than that behind the newest packet is no catching up."""
_GIVE_UP_NS = 10 * _SECOND_NS
_BACK_NS = _SECOND_NS
"""Times that go back by more are no pictures out of order: the camera's clock has jumped."""


class Waiting(str, Enum):
    """Why the decoder gets every packet."""

    LEARNING = "learns what is usual"
    MOVING = "something moves"
    SEEN = "something is seen"
    INDEPENDENT = "each picture is encoded by itself"
    NO_TIMES = "the camera stamps no times"
    FEW_KEYFRAMES = "keyframes are too far apart"
    SHORT_RING = "the ring does not reach back to the keyframe before: more preroll_s or preroll_bytes"
    DEAF = "the stream's sizes do not tell motion, and keyframes are far apart"


@dataclass(slots=True)
class GateCounts:
    """What a gate did so far."""

    packets: int = 0
    decoded: int = 0
    """Packets that the decoder got; one that it gets again counts again."""
    glances: int = 0
    wakes_moved: int = 0
    wakes_seen: int = 0


@dataclass(frozen=True, slots=True)
class _Keyframe:
    running_ns: int
    arrived_ns: int


class ActivityGate:
    """Keyframes only, unless something moves or is seen.

    Closed, it lets keyframes through, each a glance that vision answers. It opens when the sizes of the
    packets tell that something moves, or when a glance shows something new: then the decoder gets everything
    from the last picture on that vision has dealt with, out of the ring. It closes at a keyframe, once
    nothing has moved and nothing new was seen for `hold_s`.

    Where the sizes do not tell motion (a constant bit rate that is spent on noise), it closes only if
    keyframes are no further apart than `blind_s`, because then only glances open it. `saw` may be called by
    another thread than the rest.
    """

    def __init__(
        self,
        head: Callable[[Packet], bytes],
        hold_s: float = 5.0,
        blind_s: float = 2.0,
        restless_s: float = 30.0,
    ) -> None:
        """`head` gives the first bytes of a packet. After `restless_s` of motion in which vision saw nothing,
        that motion is taken for usual: rain, or leaves, or a noisy night."""
        self._head = head
        self._hold_ns = round(hold_s * _SECOND_NS)
        self._blind_ns = round(blind_s * _SECOND_NS)
        self._restless_ns = round(restless_s * _SECOND_NS)
        self._codec = ""
        self._pixels = 0
        self._meter = ActivityMeter()
        self._answers: deque[tuple[int, bool]] = deque()
        self.counts = GateCounts()
        self.begin("")

    def begin(self, codec: str) -> None:
        """A stream begins. What is usual is kept if the codec is the same: most likely the camera is."""
        if codec != self._codec:
            self._meter.forget()
        self._codec = codec
        self._reader = PictureReader(codec)
        self._answers.clear()
        self._glances: dict[int, int] = {}
        """Running times by sequence, of glances that are not answered."""
        self._asked: deque[int] = deque(maxlen=64)
        """Running times of glances that were not decoded yet."""
        self._keyframes: deque[_Keyframe] = deque(maxlen=8)
        self._gop_ns = 0
        self._dealt_ns: int | None = None
        """Running time of the newest frame that vision has dealt with."""
        self._newest_ns: int | None = None
        self._stirred_ns: int | None = None
        self._seen_ns: int | None = None
        self._behind_ns = self._glanced_ns = 0
        self._restless_since_ns: int | None = None
        self.closed = False
        self.waiting: Waiting | None = Waiting.LEARNING
        """Why it is open; None while it is closed."""

    def admit(self, packet: Packet, ring: EncodedRing) -> Sequence[Packet]:
        self.counts.packets += 1
        admitted = self._admit(packet, ring)
        self.counts.decoded += len(admitted)
        return admitted

    def look(self, running_ns: int | None, sequence: int, pixels: int) -> Showing | None:
        """What a decoded frame is for; None: vision has seen it. `sequence` will be its number."""
        self._pixels = pixels
        if running_ns is None or self.waiting is Waiting.NO_TIMES:
            return Showing.LIVE
        if running_ns in self._asked:
            self._asked.remove(running_ns)
            self._glances[sequence] = running_ns
            return Showing.GLANCE
        if self._newest_ns is not None and running_ns - self._newest_ns > _BACK_NS:
            return Showing.LIVE  # a decoder lets no time go back: it gives the last one again and again
        if self._dealt_ns is not None and running_ns <= self._dealt_ns:
            return None
        self._dealt_ns = running_ns
        return self._lateness(running_ns)

    def saw(self, sequence: int, news: bool) -> None:
        """Vision has looked at that frame. It does not track a glance that has news: the gate opens then."""
        self._answers.append((sequence, news))

    def counters(self) -> dict[str, int | float | str]:
        """What health tells of it."""
        counts = self.counts
        return {
            "gate": f"open: {self.waiting.value}" if self.waiting else "closed",
            "gate_decoded": round(counts.decoded / max(counts.packets, 1), 3),
            "gate_glances": counts.glances,
            "gate_wakes_moved": counts.wakes_moved,
            "gate_wakes_seen": counts.wakes_seen,
        }

    def _admit(self, packet: Packet, ring: EncodedRing) -> Sequence[Packet]:
        now_ns = packet.running_ns
        if now_ns is None or now_ns == self._newest_ns:
            self.closed, self.waiting, self._dealt_ns = False, Waiting.NO_TIMES, None
            return (packet,)
        if self._jumped(now_ns):
            self.begin(self._codec)
        self._newest_ns = now_ns
        self._listen(packet, now_ns)
        seen = self._hear_answers(now_ns)
        if packet.keyframe:
            self._note_keyframe(packet, now_ns)
        if self.closed:
            return self._while_closed(packet, ring, now_ns, seen)
        if packet.keyframe and self._may_close(now_ns, ring):
            self.closed, self.waiting = True, None
            return self._glance(packet, now_ns)
        return (packet,)

    def _jumped(self, now_ns: int) -> bool:
        return self._newest_ns is not None and not -_BACK_NS <= now_ns - self._newest_ns <= _GIVE_UP_NS

    def _listen(self, packet: Packet, now_ns: int) -> None:
        picture = self._reader.read(self._head(packet)) if self._codec else Picture("?")
        if self._meter.add(picture, packet.size, packet.keyframe):
            self._stirred_ns = now_ns
        if self.waiting is not Waiting.MOVING:
            self._restless_since_ns = None
        elif self._restless_since_ns is None:
            self._restless_since_ns = now_ns
        elif now_ns - max(self._restless_since_ns, self._seen_ns or 0) > self._restless_ns:
            self._meter.forget()
            self._restless_since_ns = None

    def _hear_answers(self, now_ns: int) -> bool:
        """Take in what vision said; whether it saw something new."""
        seen = False
        while self._answers:
            sequence, news = self._answers.popleft()
            glance_ns = self._glances.pop(sequence, None)
            seen |= news
            if glance_ns is not None and not news:
                self._dealt_ns = max(self._dealt_ns or glance_ns, glance_ns)
        if seen:
            self._seen_ns = now_ns
        return seen

    def _note_keyframe(self, packet: Packet, now_ns: int) -> None:
        if self._keyframes:
            self._gop_ns = now_ns - self._keyframes[-1].running_ns
        self._keyframes.append(_Keyframe(now_ns, packet.arrived_ns))

    def _while_closed(self, packet: Packet, ring: EncodedRing, now_ns: int, seen: bool) -> Sequence[Packet]:
        if seen:
            self.counts.wakes_seen += 1
            return self._open(ring, Waiting.SEEN)
        if self._meter.active and not self._unanswered(now_ns):
            self.counts.wakes_moved += 1
            return self._open(ring, Waiting.MOVING)
        return self._glance(packet, now_ns) if packet.keyframe and self._is_due(now_ns) else ()

    def _is_due(self, now_ns: int) -> bool:
        return now_ns - self._glanced_ns >= _GLANCE_NS

    def _unanswered(self, now_ns: int) -> bool:
        """Whether a glance is on its way through decoder and vision: what it shows decides where to begin."""
        waiting = [*self._glances.values(), *self._asked]
        return any(now_ns - glance_ns < _ANSWER_NS for glance_ns in waiting)

    def _open(self, ring: EncodedRing, reason: Waiting) -> Sequence[Packet]:
        self.closed, self.waiting = False, reason
        self._asked.clear()
        self._glances.clear()
        self._behind_ns = _GIVE_UP_NS
        return ring.since(self._begin_at())

    def _begin_at(self) -> int:
        """When the keyframe came from which on vision has not seen everything."""
        dealt_ns = self._dealt_ns or 0
        earlier = [one.arrived_ns for one in self._keyframes if one.running_ns <= dealt_ns]
        return earlier[-1] if earlier else 0

    def _glance(self, packet: Packet, now_ns: int) -> Sequence[Packet]:
        self.counts.glances += 1
        self._glanced_ns = now_ns
        self._asked.append(now_ns)
        return (packet,)

    def _may_close(self, now_ns: int, ring: EncodedRing) -> bool:
        self.waiting = self._why_open(now_ns, ring)
        return self.waiting is None

    def _why_open(self, now_ns: int, ring: EncodedRing) -> Waiting | None:
        if self._codec in ("jpeg", "raw"):
            return Waiting.INDEPENDENT
        if not self._meter.ready or not self._gop_ns or not self._pixels:
            return Waiting.LEARNING
        if self._gop_ns > _LONGEST_GOP_NS:
            return Waiting.FEW_KEYFRAMES
        if not ring.reaches_back(self._keyframes[-2].arrived_ns, max(self._gop_ns, _GLANCE_NS) + _ANSWER_NS):
            return Waiting.SHORT_RING
        if self._gop_ns > self._blind_ns and 8 * self._meter.waver_bytes > _AUDIBLE_BITS * self._pixels:
            return Waiting.DEAF
        for last_ns, reason in ((self._stirred_ns, Waiting.MOVING), (self._seen_ns, Waiting.SEEN)):
            if last_ns is not None and now_ns - last_ns < self._hold_ns:
                return reason
        return None

    def _lateness(self, running_ns: int) -> Showing:
        """After an opening, frames are late until they have caught up; then newer ones may replace them."""
        late_ns = 0 if self._newest_ns is None else self._newest_ns - running_ns
        if not _NEAR_NS < late_ns < self._behind_ns:
            self._behind_ns = 0
            return Showing.LIVE
        return Showing.CATCH_UP


class KeyframeGate:
    """Keyframes only, whatever happens."""

    def __init__(self) -> None:
        self.counts = GateCounts()

    def admit(self, packet: Packet, ring: EncodedRing) -> Sequence[Packet]:  # noqa: ARG002
        self.counts.packets += 1
        self.counts.decoded += packet.keyframe
        return (packet,) if packet.keyframe else ()

    def counters(self) -> dict[str, int | float | str]:
        """What health tells of it."""
        counts = self.counts
        return {"gate": "keyframes", "gate_decoded": round(counts.decoded / max(counts.packets, 1), 3)}

    def look(self, running_ns: int | None, sequence: int, pixels: int) -> Showing:  # noqa: ARG002
        """There are so few that each counts."""
        return Showing.CATCH_UP

    def begin(self, codec: str) -> None:
        """Nothing to forget."""
