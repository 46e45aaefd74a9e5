"""How long each stage takes, as health tells it: the median, and what 5 % and 1 % exceed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from edgeguard.clock import Clock
from edgeguard.runtime.health import Part, State
from edgeguard.types import Stages

Note = Callable[[str, int], object]
"""Called with the name of a stage and the nanoseconds that it took."""
FRAME_STAGES = ("sensor", "decode", "wait", "infer", "rule", "listen_wait", "listen")
"""Of every picture that is analysed, and of every round of sound."""
ALERT_STAGES = ("decide", "commit", "publish", "confirm", "alert")
"""Of every alert."""
_PERCENTILES = (50, 95, 99)
_MOST = 1000
_FRAME_WINDOW_NS, _ALERT_WINDOW_NS = 600_000_000_000, 86_400_000_000_000


def unnoted(_stage: str, _took_ns: int) -> None:
    """Nobody wants to know."""


class Latency:
    """Of each stage the newest thousand: of pictures and sound of ten minutes, of alerts of a day.

    Any thread may note; one sums up.
    """

    def __init__(self, part: Part, clock: Clock) -> None:
        self._part = part
        self._clock = clock
        self._took: dict[str, deque[tuple[int, int]]] = {
            name: deque(maxlen=_MOST) for name in (*FRAME_STAGES, *ALERT_STAGES)
        }
        part.set(State.OK)

    def note(self, stage: str, took_ns: int) -> None:
        self._took[stage].append((self._clock.monotonic_ns(), took_ns))

    def refresh(self) -> None:
        """Bring it into health; a stage that did nothing in its window is left out."""
        now_ns = self._clock.monotonic_ns()
        figures: dict[str, float] = {}
        for name, noted in self._took.items():
            since_ns = now_ns - (_FRAME_WINDOW_NS if name in FRAME_STAGES else _ALERT_WINDOW_NS)
            took_ns = sorted(took for at_ns, took in tuple(noted) if at_ns >= since_ns)
            if took_ns:
                figures |= {f"{name}_p{share}_ms": _percentile(took_ns, share) for share in _PERCENTILES}
                figures[f"{name}_samples"] = len(took_ns)
        self._part.counters = figures


def passed(stages: Stages) -> Iterator[tuple[str, int]]:
    """How long a picture took from stage to stage, as far as it passed them."""
    marks = (
        ("sensor", stages.sensor_ns, stages.received_ns),
        ("decode", stages.received_ns, stages.arrived_ns),
        ("wait", stages.arrived_ns, stages.infer_start_ns),
        ("infer", stages.infer_start_ns, stages.infer_end_ns),
        ("rule", stages.infer_end_ns, stages.ruled_ns),
    )
    return ((name, end - begin) for name, begin, end in marks if begin is not None and end is not None)


def _percentile(rising_ns: list[int], share: int) -> float:
    """In milliseconds; the nearest rank, so that it is one that was measured."""
    rank = -(-share * len(rising_ns) // 100)
    return round(rising_ns[rank - 1] / 1e6, 3)
