"""Whether GStreamer has what the sources need, and decoders that leave their pictures on the GPU."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from edgeguard.capture.tiers import ELEMENTS, Tier
from edgeguard.errors import DependencyError
from edgeguard.gst import available
from edgeguard.runtime.assembly.gear import DECODERS
from edgeguard.runtime.doctor.finding import Finding, fault, fine, warning

_PACKAGES = {
    Tier.NVMM: "install nvidia-l4t-gstreamer on a Jetson; start a container with the NVIDIA runtime",
    Tier.NVCODEC: "install gstreamer1.0-plugins-bad, and a driver that brings libnvcuvid.so.1",
}
_GOOD, _BAD, _LIBAV = "gstreamer1.0-plugins-good", "gstreamer1.0-plugins-bad", "gstreamer1.0-libav"
_READERS: Mapping[str, Mapping[str, str]] = {
    "rtsp": {"rtspsrc": _GOOD, "rtph264depay": _GOOD, "rtph265depay": _GOOD},
    "rtsps": {"rtspsrc": _GOOD, "rtph264depay": _GOOD, "rtph265depay": _GOOD},
    "v4l2": {"v4l2src": _GOOD, "jpegdec": _GOOD},
    "csi": {"nvarguscamerasrc": "nvidia-l4t-gstreamer"},
    "alsa": {"alsasrc": "gstreamer1.0-alsa"},
    "file": {"qtdemux": _GOOD},
}
"""By scheme: what reads it, and the package that has it."""
_VIDEO: Mapping[str, Mapping[str, str]] = {
    "H.264": {"h264parse": _BAD, "avdec_h264": _LIBAV, "openh264dec": _BAD, "nvv4l2decoder": _LIBAV},
    "H.265": {"h265parse": _BAD, "avdec_h265": _LIBAV, "nvv4l2decoder": _LIBAV},
}
"""By codec: one of these decodes it, `…parse` apart."""
CHECK = "decoder"


def decoders(schemes: Iterable[str], *, pictures: bool) -> Iterator[Finding]:
    """What GStreamer lacks for sources of these schemes; `pictures`: cameras are among them."""
    asked = {name for wanted in (*_READERS.values(), *_VIDEO.values()) for name in wanted}
    try:
        there = available(asked | ELEMENTS)
    except DependencyError as error:
        yield fault(
            CHECK, "GStreamer cannot be used", str(error), "tools/setup or deploy/install.sh installs it"
        )
        return
    lacking = False
    for scheme in sorted(set(schemes) & _READERS.keys()):
        missing = {name: package for name, package in _READERS[scheme].items() if name not in there}
        lacking = lacking or bool(missing)
        if missing:
            yield _missing(f"{scheme}:// sources cannot be read", missing)
    for codec, ways in _VIDEO.items() if pictures else ():
        found = [name for name in ways if name in there and not name.endswith("parse")]
        if found:
            continue
        lacking = True
        yield warning(
            CHECK,
            f"{codec} cannot be decoded here",
            f"GStreamer has none of {', '.join(name for name in ways if not name.endswith('parse'))}",
            f"sudo apt install {_LIBAV} {_BAD}",
            codec,
        )
    if not lacking:
        yield fine(CHECK, "GStreamer reads and decodes what the sources send")


def elements() -> list[Finding]:
    """One finding per tier on the GPU."""
    try:
        there = available(ELEMENTS.union(*DECODERS.values()))
    except DependencyError as error:
        return [
            fault("gstreamer", str(error), "its Python bindings are missing", "tools/setup installs them")
        ]
    return [_tier(tier, sorted(there & decoders), sorted(decoders)) for tier, decoders in DECODERS.items()]


def _tier(tier: Tier, mine: list[str], all_of_it: list[str]) -> Finding:
    check = f"elements-{tier.value}"
    if mine:
        return fine(check, ", ".join(mine))
    return warning(
        check,
        f"none of {', '.join(all_of_it)}",
        "GStreamer has no such decoder here, as on a box with another kind of GPU or none",
        _PACKAGES[tier],
    )


def _missing(problem: str, missing: Mapping[str, str]) -> Finding:
    return fault(
        CHECK,
        problem,
        f"GStreamer lacks {', '.join(sorted(missing))}",
        f"sudo apt install {' '.join(sorted(set(missing.values())))}",
    )
