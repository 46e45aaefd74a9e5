"""The one door to GStreamer: pipelines built element by element, samples that are pulled.

Belongs here: elements, links, samples, mapped buffers; every failure as a SourceError in plain words.
Does not belong here: which elements a camera needs (media, capture, audio); retry and threads (runtime).
May import: errors; gi and libgstreamer.
Called by: media, capture, audio, evidence, runtime.
To add one, copy `sample.py`.
"""

from edgeguard.gst.binding import available, start
from edgeguard.gst.pipeline import AppSink, Pipeline
from edgeguard.gst.sample import MappedBuffer, Sample, VideoLayout

__all__ = ["AppSink", "MappedBuffer", "Pipeline", "Sample", "VideoLayout", "available", "start"]
