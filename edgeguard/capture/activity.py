"""Whether something moves, told by the sizes of encoded pictures alone."""

from __future__ import annotations

from math import inf, log2
from statistics import median

from edgeguard.capture.pictures import Picture

_LEARN, _LEARN_GOPS = 6, 3
"""Pictures of a kind, and keyframes meanwhile, after which its baseline is known."""
_FOLLOW = 0.02
"""How far a baseline follows with each quiet picture, in its own spreads."""
_FOLLOW_DOWN, _MUCH = 0.1, 3.0
"""The same where pictures take much less than usual: what was learnt as usual was something moving."""
_HEADER_BYTES = 64
"""Sizes below that say nothing: a few bytes more or less are chance."""
_LEAST_SPREAD = 0.12
"""In powers of two: what encoders waver by even where nothing is."""
_SLACK = 1.0
_HIGHEST, _LOWEST = 5.0, -2.0
_WAVER = 2.0
"""Spreads."""
_BEGIN, _END = 7.0, 1.0
"""Surplus at which activity begins, and at which it is over."""


class Baseline:
    """What pictures of one kind take while nothing moves: a median and a spread that follow slowly.

    The values are logarithms, so that the surplus of a small stream counts as that of a large one.
    """

    def __init__(self) -> None:
        self._first: list[float] = []
        self._keyframes: set[int] = set()
        self.known = False
        self._middle = 0.0
        self._spread = 0.0
        self._bytes = 0.0

    def surplus(self, value: float) -> float:
        """How far above the median, in spreads."""
        return (value - self._middle) / self._spread

    @property
    def waver_bytes(self) -> float:
        """How many bytes the pictures waver by where nothing moves: less motion than that cannot be told."""
        return float(self._bytes * (2 ** (_WAVER * self._spread) - 1))

    def learn(self, value: float, size: int, keyframe: int) -> None:
        """Take a quiet picture into account, of the `keyframe`th group."""
        self._bytes += (size - self._bytes) * (_FOLLOW if self.known else 1 / (len(self._first) + 1))
        if not self.known:
            self._begin(value, keyframe)
            return
        off = value - self._middle
        follow = _FOLLOW if off > -_MUCH * self._spread else _FOLLOW_DOWN
        self._middle += follow * max(-_MUCH * self._spread, min(self._spread, off))
        wide = 1.25 * min(abs(off), 3 * self._spread)
        self._spread = max(self._spread + _FOLLOW * (wide - self._spread), _LEAST_SPREAD)

    def _begin(self, value: float, keyframe: int) -> None:
        self._first.append(value)
        self._keyframes.add(keyframe)
        if len(self._first) < _LEARN or len(self._keyframes) < _LEARN_GOPS:
            return
        self._middle = median(self._first)
        off = median(abs(one - self._middle) for one in self._first)
        self._spread = max(1.5 * off, _LEAST_SPREAD)
        self.known = True
        self._first.clear()
        self._keyframes.clear()


class ActivityMeter:
    """Follows one stream, picture by picture, in the order of the stream.

    A picture's kind is its type and about how far from the keyframe it is, as coarseness is mended after one.
    Each picture that is larger than its kind usually is adds to a sum, each that is not takes from it
    (CUSUM): two or three large pictures suffice, and so do many that are a little too large. Where the
    quantiser is known, it is what the picture would take at a fixed one that counts: a camera that keeps to a
    bit rate pays for motion in quality rather than in bytes.
    """

    def __init__(self) -> None:
        self._baselines: dict[object, Baseline] = {}
        self._keyframes = 0
        self._since_keyframe = 0
        self._sum = 0.0
        self.active = False

    @property
    def ready(self) -> bool:
        """Whether it can tell: pictures between keyframes are known."""
        return any(baseline.known for kind, baseline in self._baselines.items() if kind != "keyframe")

    @property
    def waver_bytes(self) -> float:
        """How many bytes pictures waver by while nothing moves; infinite as long as it is not ready."""
        known = [one for kind, one in self._baselines.items() if kind != "keyframe" and one.known]
        return median(one.waver_bytes for one in known) if known else inf

    @property
    def surplus(self) -> float:
        """How much has come together; activity begins at 7."""
        return self._sum

    def add(self, picture: Picture, size: int, keyframe: bool) -> bool:
        """Take the next picture, of `size` bytes; whether the stream is active now."""
        self._since_keyframe = 0 if keyframe else self._since_keyframe + 1
        self._keyframes += keyframe
        value = log2(size + _HEADER_BYTES) + (0 if picture.qp is None else picture.qp / 6)
        baseline = self._baselines.setdefault(self._kind(picture, keyframe), Baseline())
        if baseline.known and not keyframe:  # a keyframe says how much there is, not what has changed
            step = max(_LOWEST, min(_HIGHEST, baseline.surplus(value))) - _SLACK
            self._sum = max(0.0, min(self._sum + step, 2 * _BEGIN))
        self.active = self._sum >= (_END if self.active else _BEGIN)
        if not self.active:
            baseline.learn(value, size, self._keyframes)
        return self.active

    def forget(self) -> None:
        """Begin anew: what is now is what is usual."""
        self._baselines.clear()
        self._sum = 0.0
        self.active = False

    def _kind(self, picture: Picture, keyframe: bool) -> object:
        if keyframe:
            return "keyframe"
        return picture.kind, picture.qp is None, int(2 * log2(self._since_keyframe))
