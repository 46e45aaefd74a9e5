"""The one door to GStreamer.

Pipelines are built element by element, never parsed from a string; samples are pulled, never pushed by a
callback; the bus is polled, so no GLib main loop runs. Buffers are mapped with the C function itself, because
the Python binding copies in some versions and loses map flags in all.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeguard.errors import DependencyError, SourceError

SECOND_NS = 1_000_000_000
_STOP_NS = 5 * SECOND_NS
_MAP_READ = 1
_FULL_RANGE = 1
_PACKAGES = {
    "avdec": "gstreamer1.0-libav",
    "rtspsrc": "gstreamer1.0-plugins-good",
    "v4l2src": "gstreamer1.0-plugins-good",
    "alsasrc": "gstreamer1.0-alsa",
}


class EndOfStreamError(SourceError):
    """The source has nothing more to give."""


class _MapInfo(ctypes.Structure):
    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("maxsize", ctypes.c_size_t),
        ("user_data", ctypes.c_void_p * 4),
        ("_reserved", ctypes.c_void_p * 4),
    )


def _keep_exceptions_safe() -> None:
    """GStreamer brings libunwind, whose unwinder would take over C++ exceptions of every library that is
    loaded: the next refusal inside ONNX Runtime would end the process. The first one loaded wins."""
    with suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)


@cache
def _load() -> tuple[Any, Any, Any]:
    _keep_exceptions_safe()
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        gi.require_version("GstVideo", "1.0")
        from gi.repository import Gst, GstApp, GstVideo
    except (ImportError, ValueError) as error:
        raise DependencyError(
            f"GStreamer's Python bindings are missing ({error}); install them with "
            "`apt-get install python3-gi python3-gst-1.0 gir1.2-gst-plugins-base-1.0` and use a virtual "
            "environment made with --system-site-packages (tools/setup does both)"
        ) from error
    if not Gst.is_initialized():
        Gst.init(None)
    return Gst, GstApp, GstVideo


@cache
def _c() -> Any:
    """libgstreamer itself, with the calls we make typed; ctypes releases the GIL around them."""
    library = ctypes.CDLL("libgstreamer-1.0.so.0")
    library.gst_buffer_map.argtypes = [ctypes.c_void_p, ctypes.POINTER(_MapInfo), ctypes.c_int]
    library.gst_buffer_map.restype = ctypes.c_int
    library.gst_buffer_unmap.argtypes = [ctypes.c_void_p, ctypes.POINTER(_MapInfo)]
    library.gst_buffer_unmap.restype = None
    library.gst_query_add_allocation_meta.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    library.gst_query_add_allocation_meta.restype = None
    return library


@cache
def _video_meta_type() -> int:
    library = ctypes.CDLL("libgstvideo-1.0.so.0")
    library.gst_video_meta_api_get_type.restype = ctypes.c_size_t
    return int(library.gst_video_meta_api_get_type())


def start() -> str:
    """Load GStreamer, which must happen once and on one thread; returns its version.

    Raises DependencyError.
    """
    return str(_load()[0].version_string())


class MappedBuffer:
    """A buffer mapped for reading until the last array made from it is gone."""

    def __init__(self, buffer: Any) -> None:
        self._buffer = buffer
        self._info = _MapInfo()
        self._pointer = hash(buffer)  # PyGObject hashes a boxed value to its address
        self._mapped = bool(_c().gst_buffer_map(self._pointer, ctypes.byref(self._info), _MAP_READ))
        if not self._mapped:
            raise SourceError("GStreamer could not map a buffer for reading")

    def __del__(self) -> None:
        if self._mapped:
            _c().gst_buffer_unmap(self._pointer, ctypes.byref(self._info))

    @property
    def size(self) -> int:
        return int(self._info.size)

    def bytes(self) -> NDArray[np.uint8]:
        """(size,) read-only view, which keeps the buffer mapped as long as it or a view on it lives."""
        if not self.size:
            return np.zeros(0, np.uint8)
        memory: Any = (ctypes.c_uint8 * self.size).from_address(self._info.data)
        memory.owner = self
        view: NDArray[np.uint8] = np.frombuffer(memory, np.uint8)
        view.flags.writeable = False
        return view


class Sample:
    """One buffer from an appsink, with its times and format."""

    def __init__(self, sample: Any) -> None:
        self._sample = sample
        self.buffer = sample.get_buffer()
        self.caps = sample.get_caps()

    @property
    def media_ns(self) -> int | None:
        """Time in the file or stream; None if the source does not stamp."""
        gst = _load()[0]
        time = self._sample.get_segment().to_stream_time(gst.Format.TIME, self.buffer.pts)
        return None if time == gst.CLOCK_TIME_NONE else int(time)

    @property
    def running_ns(self) -> int | None:
        """Time since the pipeline began to play; None if the source does not stamp."""
        gst = _load()[0]
        time = self._sample.get_segment().to_running_time(gst.Format.TIME, self.buffer.pts)
        return None if time == gst.CLOCK_TIME_NONE else int(time)

    def map(self) -> MappedBuffer:
        return MappedBuffer(self.buffer)

    def video_layout(self) -> VideoLayout:
        """Size, format and plane positions of a raw picture."""
        return VideoLayout(self.caps, self.buffer)


class VideoLayout:
    """Where the planes of a raw picture lie in its buffer."""

    def __init__(self, caps: Any, buffer: Any) -> None:
        _, _, gst_video = _load()
        info = gst_video.VideoInfo.new_from_caps(caps)
        meta = gst_video.buffer_get_video_meta(buffer)
        self.width = int(info.width)
        self.height = int(info.height)
        self.format = str(info.finfo.name)
        self.offsets = [int(value) for value in (meta.offset if meta else info.offset)]
        self.strides = [int(value) for value in (meta.stride if meta else info.stride)]
        self.is_bt709 = info.colorimetry.matrix == gst_video.VideoColorMatrix.BT709
        self.is_full_range = int(info.colorimetry.range) == _FULL_RANGE

    def plane(
        self, data: NDArray[np.uint8], index: int, shape: tuple[int, ...], pixel_bytes: int = 1
    ) -> NDArray[np.uint8]:
        """A view of plane `index` as (rows, columns[, channels]) with the buffer's stride."""
        strides = (self.strides[index], pixel_bytes, 1)[: len(shape)]
        return np.lib.stride_tricks.as_strided(data[self.offsets[index] :], shape, strides, writeable=False)


class AppSink:
    """The end of a pipeline, from which samples are pulled."""

    def __init__(self, element: Any) -> None:
        self.element = element

    def pull(self, timeout_s: float) -> Sample | None:
        """The next sample, or None after `timeout_s` or at the end."""
        sample = self.element.try_pull_sample(round(timeout_s * SECOND_NS))
        return None if sample is None else Sample(sample)


class Pipeline:
    """Elements, their links and their life; every failure is a SourceError in plain words."""

    def __init__(self, name: str) -> None:
        self._gst, self._app, self._video = _load()
        self._pipeline = self._gst.Pipeline.new(name)
        self._failure: str | None = None
        self._undo: list[Callable[[], object]] = []

    def add(self, factory: str, **properties: object) -> Any:
        """Make an element, set its properties (`max_buffers` means `max-buffers`) and add it."""
        element = self._gst.ElementFactory.make(factory, None)
        if element is None:
            package = _PACKAGES.get(factory, "gstreamer1.0-plugins-base, -good, -bad or -libav")
            raise DependencyError(f"GStreamer has no element `{factory}`; install the package {package}")
        for key, value in properties.items():
            self._set(element, key.replace("_", "-"), value)
        self._pipeline.add(element)
        element.sync_state_with_parent()
        return element

    def add_caps(self, caps: str) -> Any:
        """A filter that lets only `caps` through."""
        return self.add("capsfilter", caps=self._gst.Caps.from_string(caps))

    def add_appsink(self, *, sync: bool, lossless: bool, buffers: int = 1) -> AppSink:
        """An appsink holding the newest `buffers`, or if `lossless` the next ones in order."""
        element = self.add("appsink", sync=sync, max_buffers=buffers, drop=not lossless, wait_on_eos=False)
        pad = element.get_static_pad("sink")
        probe = pad.add_probe(self._gst.PadProbeType.QUERY_DOWNSTREAM, self._offer_video_meta)
        self._undo.append(lambda: pad.remove_probe(probe))
        return AppSink(element)

    def link(self, *elements: Any) -> None:
        """Link in order; an element with pads that come later is linked when they come."""
        for upstream, downstream in pairwise(elements):
            if not upstream.link(downstream):
                raise SourceError(f"cannot link {upstream.get_name()} to {downstream.get_name()}")

    def link_later(self, upstream: Any, media: str, connect: Callable[[], Any]) -> None:
        """When `upstream` shows its first pad of `media` (`video`, `audio`), link it to `connect()`."""
        taken: list[str] = []

        def on_pad(_element: Any, pad: Any) -> None:
            caps = pad.get_current_caps() or pad.query_caps(None)
            if taken or media != self.media_of(caps):
                self._discard(pad)
                return
            taken.append(media)
            try:
                pad.link(connect().get_static_pad("sink"))
            except (DependencyError, SourceError) as error:
                self._failure = str(error)

        self.connect(upstream, "pad-added", on_pad)

    def connect(self, element: Any, signal: str, handler: Callable[..., object]) -> None:
        """Connect a signal until the pipeline stops."""
        number = element.connect(signal, handler)
        self._undo.append(lambda: element.disconnect(number))

    def play(self) -> None:
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            self.check()
            raise SourceError("the pipeline did not start")

    def check(self) -> None:
        """Raise SourceError if an element failed, EndOfStreamError if the stream ended."""
        if self._failure:
            raise SourceError(self._failure)
        types = self._gst.MessageType
        while message := self._pipeline.get_bus().pop_filtered(types.ERROR | types.EOS):
            if message.type == types.EOS:
                raise EndOfStreamError("end of stream")
            error, detail = message.parse_error()
            raise SourceError(_plain(error.message, detail))

    def stop(self) -> None:
        """Stop everything and give the memory back; safe to call twice.

        Some elements hang for ever as they stop (rtspsrc, when its server died just as it began to play), so
        GStreamer does it on a thread of its own. A pipeline that hangs is left behind: SourceError says so.
        """
        stopped = self._gst.Bus.new()
        self._pipeline.call_async(self._halt, stopped)
        hangs = stopped.timed_pop(_STOP_NS) is None
        self._pipeline.get_bus().set_flushing(True)
        while self._undo:  # a handler that refers to its own pipeline would keep it alive for ever
            self._undo.pop()()
        if hangs:
            raise SourceError(f"{self._pipeline.get_name()} hangs in GStreamer and is left behind")

    @staticmethod
    def media_of(caps: Any) -> str:
        """What a pad carries: `video`, `audio` or another first half of a media type."""
        structure = caps.get_structure(0)
        media = str(structure.get_string("media") or structure.get_name()).partition("/")[0]
        return "video" if media == "image" else media

    def _halt(self, pipeline: Any, stopped: Any) -> None:
        pipeline.set_state(self._gst.State.NULL)
        stopped.post(self._gst.Message.new_application(None, self._gst.Structure.new_empty("stopped")))

    def _set(self, element: Any, key: str, value: object) -> None:
        if isinstance(value, str) and element.find_property(key).value_type.name != "gchararray":
            self._gst.util_set_object_arg(element, key, value)  # flags and enumerations by name
        else:
            element.set_property(key, value)

    def _discard(self, pad: Any) -> None:
        sink = self.add("fakesink", sync=False)
        pad.link(sink.get_static_pad("sink"))

    def _offer_video_meta(self, _pad: Any, info: Any) -> Any:
        """Tell decoders that we read strides from the buffer, so that they need not copy."""
        query = info.get_query()
        if query.type != self._gst.QueryType.ALLOCATION:
            return self._gst.PadProbeReturn.OK
        pointer = hash(query)
        del query  # GStreamer lets nobody write to a query that Python holds too
        _c().gst_query_add_allocation_meta(pointer, _video_meta_type(), None)
        return self._gst.PadProbeReturn.HANDLED


def _plain(message: str, detail: str | None) -> str:
    """GStreamer's message with the last line of its debug text, which often holds the cause."""
    last = (detail or "").strip().splitlines()[-1:] or [""]
    cause = last[0].split(": ", 1)[-1].strip()
    return message if not cause or cause in message else f"{message.rstrip('.')} ({cause})"
