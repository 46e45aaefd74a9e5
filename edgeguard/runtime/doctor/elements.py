"""Whether GStreamer has decoders that leave their pictures on the GPU."""

from __future__ import annotations

from edgeguard.capture.tiers import ELEMENTS, Tier
from edgeguard.errors import DependencyError
from edgeguard.gst import available
from edgeguard.runtime.assembly.gear import DECODERS
from edgeguard.runtime.doctor.finding import Finding

_PACKAGES = {
    Tier.NVMM: "on a Jetson they come with nvidia-l4t-gstreamer; a container needs the NVIDIA runtime",
    Tier.NVCODEC: "gstreamer1.0-plugins-bad has them where the driver brings libnvcuvid.so.1",
}


def elements() -> list[Finding]:
    """One finding per tier on the GPU."""
    try:
        there = available(ELEMENTS.union(*DECODERS.values()))
    except DependencyError as error:
        return [Finding("gstreamer", False, str(error))]
    found = []
    for tier, decoders in DECODERS.items():
        mine = sorted(there & decoders)
        said = ", ".join(mine) if mine else f"none of {', '.join(sorted(decoders))}: {_PACKAGES[tier]}"
        found.append(Finding(f"elements-{tier.value}", bool(mine), said))
    return found
