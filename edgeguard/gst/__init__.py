"""The one door to GStreamer: pipelines built element by element, samples that are pulled.

Belongs here: elements, links, samples, mapped buffers; every failure as a SourceError in plain words.
Does not belong here: which elements a camera needs (media, capture, audio); retry and threads (runtime).
May import: errors; gi and libgstreamer.
Called by: media, capture, audio, evidence, runtime.
To add one, copy `sample.py`.
"""

from edgeguard.gst.binding import available, start
from edgeguard.gst.inlet import Inlet
from edgeguard.gst.lifetime import when_freed
from edgeguard.gst.pipeline import AppSink, Pipeline, one_thread
from edgeguard.gst.sample import MappedBuffer, Sample, VideoLayout, ntp_utc_ns
from edgeguard.gst.tls import trust_only

__all__ = [
    "AppSink",
    "Inlet",
    "MappedBuffer",
    "Pipeline",
    "Sample",
    "VideoLayout",
    "available",
    "ntp_utc_ns",
    "one_thread",
    "start",
    "trust_only",
    "when_freed",
]
