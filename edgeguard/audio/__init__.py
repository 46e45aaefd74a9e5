"""Ears: from a microphone's URL to a steady row of 16 kHz mono chunks.

Belongs here: audio sources, resampling, chunking, their timestamps.
Does not belong here: what is heard (speech); retry and threads (runtime).
May import: types, gst, media, anchor, clock, errors.
Called by: runtime.
To add one, copy `scene_source.py`; the contract tests run on every source.
"""

from edgeguard.audio.gst_source import GstAudioSource
from edgeguard.audio.scene_source import SceneAudioSource
from edgeguard.audio.shared_source import SharedAudioSource
from edgeguard.audio.source import AudioSource

__all__ = ["AudioSource", "GstAudioSource", "SceneAudioSource", "SharedAudioSource"]
