"""A street that follows the machine's monotonic clock, so that every process knows who passes when.

Somebody sets out every `PERIOD_S`, crosses the line in the middle, and enters the gateway behind it. A
microphone there hears the street, and now and then nothing at all for some seconds, as if its cable were cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT, FPS = 320, 180, 10
PERIOD_S = 3.0
SOUND_HZ = 8000
_PACE_PX_S = 60.0
_BODY = (16, 44)
"""Width and height, px."""
_ROWS = (80, 105, 95)
"""Where the heads are, in turn."""
_LINE_X, _GATEWAY_X = 0.5, (0.6, 0.85)
_CUT_EVERY_S, _CUT_S = 12.0, 3.5
_CUT_TOLD_S = 1.6
"""A whole second of it, by the microphone's count of seconds, is over after 1 to 2 s."""
LINE, ZONE = "middle", "gateway"


@dataclass(frozen=True, slots=True)
class Passage:
    """Something that has to raise an alert of `rule` at `source`."""

    source: str
    rule: str
    begins_s: float
    """From here on it can be seen or heard, on the monotonic clock."""
    at_s: float
    """When it is due."""


@dataclass(frozen=True)
class Street:
    """As one camera sees it; `phase_s` shifts its people against those of other streets."""

    name: str
    phase_s: float = 0.0
    people: bool = True

    def picture(self, now_s: float) -> NDArray[np.uint8]:
        """(h, w, 3) BGR."""
        picture: NDArray[np.uint8] = self._ground.copy()
        if self.people:
            newest = int((now_s - self.phase_s) // PERIOD_S)
            for number in range(newest - 2, newest + 1):
                left = self._left_px(number, now_s)
                top = _ROWS[number % len(_ROWS)]
                cv2.rectangle(picture, (left, top), (left + _BODY[0], top + _BODY[1]), (30, 25, 20), -1)
        return picture

    def sound(self, begin_s: float, samples: int) -> NDArray[np.int16]:
        """From `begin_s` on, at `SOUND_HZ`."""
        times = begin_s + np.arange(samples) / SOUND_HZ
        noise = np.random.default_rng(round(begin_s * 1000)).normal(0, 300, samples)
        return np.where((times - self.phase_s) % _CUT_EVERY_S < _CUT_S, 0, noise).astype(np.int16)

    def passages(self, from_s: float, to_s: float) -> Iterator[Passage]:
        """What a camera has to tell that fell due in that time."""
        first = int((from_s - self.phase_s) // PERIOD_S) - 2
        for number in range(first, int((to_s - self.phase_s) // PERIOD_S) + 1):
            begins_s = number * PERIOD_S + self.phase_s
            for rule, x in ((f"{self.name}-line", _LINE_X), (f"{self.name}-in", _GATEWAY_X[0])):
                at_s = begins_s + (x * WIDTH + _BODY[0] / 2) / _PACE_PX_S
                if from_s <= at_s < to_s:
                    yield Passage(self.name, rule, begins_s, at_s)

    def cuts(self, microphone: str, from_s: float, to_s: float) -> Iterator[Passage]:
        """What a microphone has to tell that fell due in that time."""
        for number in range(int((from_s - self.phase_s) // _CUT_EVERY_S), int(to_s // _CUT_EVERY_S) + 1):
            begins_s = number * _CUT_EVERY_S + self.phase_s
            if from_s <= begins_s + _CUT_TOLD_S < to_s:
                yield Passage(microphone, f"{microphone}-dead", begins_s, begins_s + _CUT_TOLD_S)

    def camera(self, url: str, **other: Any) -> dict[str, Any]:
        """Its configuration."""
        (west, east), (top, bottom) = _GATEWAY_X, (0.3, 1.0)
        return {
            "url": url,
            "analyse_fps": FPS,
            "zones": {ZONE: {"polygon": [[west, top], [east, top], [east, bottom], [west, bottom]]}},
            "lines": {LINE: {"start": [_LINE_X, 1.0], "end": [_LINE_X, 0.3]}},
            "sanity": {"enabled": False},
            **other,
        }

    def rules(self) -> list[dict[str, Any]]:
        """By which everybody who passes raises two alerts."""
        common = {"camera": self.name, "cooldown_s": 0}
        return [
            {"kind": "line_crossed", "name": f"{self.name}-line", "line": LINE, **common},
            {"kind": "zone_entered", "name": f"{self.name}-in", "zone": ZONE, "severity": "alarm", **common},
        ]

    @cached_property
    def _ground(self) -> NDArray[np.uint8]:
        rng = np.random.default_rng(7)
        ground = cv2.GaussianBlur(rng.integers(110, 190, (HEIGHT, WIDTH, 3), np.uint8), (9, 9), 0)
        return np.asarray(ground, np.uint8)

    def _left_px(self, number: int, now_s: float) -> int:
        return round((now_s - self.phase_s - number * PERIOD_S) * _PACE_PX_S) - _BODY[0]
