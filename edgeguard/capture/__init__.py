"""Eyes: from a camera's URL to the newest frame.

Belongs here: frame sources, their timestamps, their choice of frames to analyse.
Does not belong here: what is in the picture (vision); retry and threads (runtime).
May import: types, gst, media, anchor, cuda, clock, errors.
Called by: runtime.
To add one, copy `scene_source.py`; the contract tests run on every source.
"""

from edgeguard.capture.activity_gate import ActivityGate, KeyframeGate
from edgeguard.capture.feed import head
from edgeguard.capture.gate import Gate, OpenGate
from edgeguard.capture.gst_source import GstFrameSource, Patience
from edgeguard.capture.ring import EncodedRing
from edgeguard.capture.scene_source import SceneFrameSource
from edgeguard.capture.source import FrameSource

__all__ = [
    "ActivityGate",
    "EncodedRing",
    "FrameSource",
    "Gate",
    "GstFrameSource",
    "KeyframeGate",
    "OpenGate",
    "Patience",
    "SceneFrameSource",
    "head",
]
