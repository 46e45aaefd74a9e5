"""Values that cross rooms: frozen, slotted, and ignorant of threads, files and models.

Belongs here: one small value per hop, with shape and unit under each field.
Does not belong here: behaviour beyond arithmetic on its own fields; any I/O.
May import: numpy.
Called by: every room.
To add one, copy `audio.py`.
"""

from edgeguard.types.alert import Alert, AlertState, ClipRef, ModelRef, Severity
from edgeguard.types.audio import AudioChunk
from edgeguard.types.blind import BlindTime, CoverageDay, SourceDay
from edgeguard.types.counts import Counts
from edgeguard.types.detections import Detections, Tracks
from edgeguard.types.frame import Colour, DevicePlane, Frame, Hold, Memory, PixelFormat, Showing
from edgeguard.types.geometry import Line, Point, Polygon
from edgeguard.types.observation import EVERYWHERE, Joined, Measure, Observation, Phase, Stages
from edgeguard.types.packet import Packet
from edgeguard.types.speech import SoundTag, Utterance

__all__ = [
    "EVERYWHERE",
    "Alert",
    "AlertState",
    "AudioChunk",
    "BlindTime",
    "ClipRef",
    "Colour",
    "Counts",
    "CoverageDay",
    "Detections",
    "DevicePlane",
    "Frame",
    "Hold",
    "Joined",
    "Line",
    "Measure",
    "Memory",
    "ModelRef",
    "Observation",
    "Packet",
    "Phase",
    "PixelFormat",
    "Point",
    "Polygon",
    "Severity",
    "Showing",
    "SoundTag",
    "SourceDay",
    "Stages",
    "Tracks",
    "Utterance",
]
