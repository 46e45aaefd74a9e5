"""Which decoder reads a camera: the best that this box has, and the next one where that fails.

nvmm: a Jetson's decoder or DeepStream's; nvcodec: a desktop GPU's decoder; cpu: anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from edgeguard.capture.frames import FrameMaker, HostFrames
from edgeguard.clock import Clock
from edgeguard.cuda.ledger import Ledger
from edgeguard.errors import DependencyError

log = logging.getLogger(__name__)

RETRY_NS = 600_000_000_000
"""How long a tier that failed is left alone; then the next rebuild of the camera tries it again."""
HOST = "video/x-raw,format=(string){I420,NV12}"
NVMM = "video/x-raw(memory:NVMM),format=(string)NV12"
CUDA_MEMORY = "video/x-raw(memory:CUDAMemory),format=(string)NV12"


class Tier(str, Enum):
    """Where a camera's pictures are decoded and lie."""

    NVMM = "nvmm"
    NVCODEC = "nvcodec"
    CPU = "cpu"


@dataclass(frozen=True, slots=True)
class Step:
    """One element of a chain."""

    element: str
    optional: Mapping[str, object] = field(default_factory=dict)
    """Properties to set where the element has them: they came and went with versions."""


@dataclass(frozen=True, slots=True)
class Chain:
    """From what a camera sends to samples: these elements in order, then an appsink that takes `caps`."""

    tier: Tier
    steps: tuple[Step, ...]
    caps: str
    share: Callable[[object], object] = lambda _element: None
    """Call it with each element before it starts: a decoder on the GPU is given our context."""


_ONE_THREAD = {"max-threads": 1}  # costs the least CPU in all
_FAST = {"enable-max-performance": True, "mjpeg": False}
_CHAINS: Mapping[str, tuple[tuple[Tier, tuple[Step, ...], str], ...]] = {
    "h264": (
        (Tier.NVMM, (Step("h264parse"), Step("nvv4l2decoder", _FAST)), NVMM),
        (Tier.NVCODEC, (Step("h264parse"), Step("nvh264dec")), CUDA_MEMORY),
        (Tier.CPU, (Step("avdec_h264", _ONE_THREAD), Step("videoconvert")), HOST),
        (Tier.CPU, (Step("h264parse"), Step("openh264dec"), Step("videoconvert")), HOST),
    ),
    "h265": (
        (Tier.NVMM, (Step("h265parse"), Step("nvv4l2decoder", _FAST)), NVMM),
        (Tier.NVCODEC, (Step("h265parse"), Step("nvh265dec")), CUDA_MEMORY),
        (Tier.CPU, (Step("avdec_h265", _ONE_THREAD), Step("videoconvert")), HOST),
    ),
    "jpeg": (
        (Tier.NVMM, (Step("nvv4l2decoder", {**_FAST, "mjpeg": True}),), NVMM),
        (Tier.CPU, (Step("jpegdec"), Step("videoconvert")), HOST),
    ),
    "csi": ((Tier.NVMM, (), NVMM), (Tier.CPU, (Step("nvvidconv"),), HOST)),
    "raw": ((Tier.CPU, (Step("videoconvert"),), HOST),),
}
CODECS = frozenset(_CHAINS)
ELEMENTS = frozenset(step.element for ways in _CHAINS.values() for _, steps, _ in ways for step in steps)


@dataclass(frozen=True, slots=True)
class Makers:
    """What this box has, found once for all cameras."""

    elements: frozenset[str]
    """Those of `ELEMENTS` that GStreamer has here."""
    makers: Mapping[Tier, Callable[[], FrameMaker]]
    """The tiers whose memory can be used; what one lacks is in `lacking`."""
    lacking: Mapping[Tier, str] = field(default_factory=dict)
    share: Mapping[Tier, Callable[[object], object]] = field(default_factory=dict)


def host_only(elements: frozenset[str]) -> Makers:
    """A box without a GPU."""
    return Makers(elements, {Tier.CPU: HostFrames})


class Tiers:
    """The tiers of one camera; asked and told by the thread that reads it."""

    def __init__(
        self, camera: str, makers: Callable[[], Makers], clock: Clock, ledger: Ledger | None = None
    ) -> None:
        """`makers` is asked when the camera is opened: it may load GStreamer."""
        self.ledger = ledger or Ledger()
        self._asked = makers
        self._found: Makers | None = None
        self._camera = camera
        self._clock = clock
        self._failed: dict[Tier, tuple[int, str]] = {}
        self.tier: Tier | None = None
        """In use now, or last."""

    @property
    def reason(self) -> str | None:
        """Why it is no better one; None if it is the best that this box has."""
        lacking = [f"{tier.value}: {why}" for tier, why in self._makers().lacking.items()]
        return "; ".join([*lacking, *(reason for _, reason in self._failed.values())]) or None

    def chain(self, codec: str) -> Chain:
        """How to decode `h264`, `h265` or `jpeg`, or to take `raw` or `csi` pictures, as well as can be now.

        Raises DependencyError if nothing here can.
        """
        now_ns = self._clock.monotonic_ns()
        for tier in [tier for tier, (at_ns, _) in self._failed.items() if now_ns - at_ns > RETRY_NS]:
            del self._failed[tier]
        for tier, steps, caps in _CHAINS[codec]:
            if tier not in self._failed and self._has(tier, steps):
                self.tier = tier
                return Chain(tier, steps, caps, self._makers().share.get(tier, lambda _element: None))
        wanted = sorted(
            {step.element for tier, steps, _ in _CHAINS[codec] if tier is Tier.CPU for step in steps}
        )
        raise DependencyError(
            f"GStreamer cannot decode {codec} here: it has none of {', '.join(wanted)}; install "
            "gstreamer1.0-plugins-good and gstreamer1.0-libav"
        )

    def make(self, chain: Chain) -> FrameMaker:
        """What turns the samples of `chain` into frames. Raises SurfaceError if the tier cannot be used."""
        return self._makers().makers[chain.tier]()

    def failed(self, error: Exception) -> bool:
        """The tier in use did not decode or give its memory: whether there is another to try at once."""
        if self.tier is None or self.tier is Tier.CPU:
            return False
        self._failed[self.tier] = (self._clock.monotonic_ns(), f"{self.tier.value}: {error}")
        log.warning("camera %s is decoded without %s from now on: %s", self._camera, self.tier.value, error)
        return True

    def counters(self) -> dict[str, int | float | str]:
        """What health tells: the decoder, why it is no better one, and what crossed between host and GPU."""
        if self.tier is None:
            return {}
        told: dict[str, int | float | str] = {"decoder": self.tier.value}
        if self.reason is not None:
            told["decoder_reason"] = self.reason
        crossed = self.ledger.read()
        if crossed.frames > crossed.host_maps:
            told |= {f"gpu_{name}": number for name, number in crossed.as_measures().items()}
        return told

    def _makers(self) -> Makers:
        if self._found is None:
            self._found = self._asked()
        return self._found

    def _has(self, tier: Tier, steps: tuple[Step, ...]) -> bool:
        makers = self._makers()
        return tier in makers.makers and all(step.element in makers.elements for step in steps)
