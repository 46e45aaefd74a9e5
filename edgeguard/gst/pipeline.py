"""Elements, their links and their life; the bus is polled, so no GLib main loop runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from edgeguard.errors import DependencyError, EndOfStreamError, SourceError
from edgeguard.gst.binding import c, load, video_meta_type
from edgeguard.gst.sample import Sample

SECOND_NS = 1_000_000_000
_STOP_NS = 5 * SECOND_NS
_PACKAGES = {
    "rtspsrc": "gstreamer1.0-plugins-good",
    "v4l2src": "gstreamer1.0-plugins-good",
    "nvarguscamerasrc": "nvidia-l4t-gstreamer, which exists for Jetson only",
    "alsasrc": "gstreamer1.0-alsa",
}
_RESOURCE, _STREAM = "gst-resource-error-quark", "gst-stream-error-quark"
_CAUSES = {
    (_RESOURCE, 3): "no_stream",  # not found
    (_RESOURCE, 5): "unreachable",  # open
    (_RESOURCE, 6): "unreachable",
    (_RESOURCE, 7): "unreachable",
    (_RESOURCE, 15): "refused_login",
    (_STREAM, 4): "undecodable",  # unknown type
    (_STREAM, 5): "undecodable",  # not the expected type
    (_STREAM, 6): "undecodable",  # no decoder
    (_STREAM, 7): "undecodable",  # decoding
    (_STREAM, 9): "undecodable",  # taking the file apart
    (_STREAM, 11): "undecodable",  # format
}


class AppSink:
    """The end of a pipeline, from which samples are pulled."""

    def __init__(self, element: Any) -> None:
        self.element = element

    def pull(self, timeout_s: float) -> Sample | None:
        """The next sample, or None after `timeout_s` or at the end."""
        sample = self.element.try_pull_sample(round(timeout_s * SECOND_NS))
        return None if sample is None else Sample(sample)

    def ask_for_keyframe(self) -> None:
        """Ask whatever encodes for a keyframe."""
        gst, _, video = load()
        event = video.video_event_new_upstream_force_key_unit(gst.CLOCK_TIME_NONE, True, 0)
        self.element.send_event(event)


class Pipeline:
    """Elements, their links and their life; every failure is a SourceError in plain words."""

    def __init__(self, name: str) -> None:
        self._gst, self._app, self._video = load()
        self._pipeline = self._gst.Pipeline.new(name)
        self._failure: SourceError | DependencyError | None = None
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

    def add_appsink(self, *, sync: bool, lossless: bool, buffers: int = 1, waits: bool = True) -> AppSink:
        """An appsink holding the newest `buffers` (0: any number), or if `lossless` the next ones in order.

        Without `waits` the pipeline plays before the first sample has come.
        """
        element = self.add("appsink", sync=sync, max_buffers=buffers, drop=not lossless, wait_on_eos=False)
        self._set(element, "async", waits)
        pad = element.get_static_pad("sink")
        probe = pad.add_probe(self._gst.PadProbeType.QUERY_DOWNSTREAM, self._offer_video_meta)
        self._undo.append(lambda: pad.remove_probe(probe))
        return AppSink(element)

    def link(self, *elements: Any) -> None:
        """Link in order; an element with pads that come later is linked when they come."""
        for upstream, downstream in pairwise(elements):
            if not upstream.link(downstream):
                raise SourceError(f"cannot link {upstream.get_name()} to {downstream.get_name()}")

    def link_later(
        self,
        upstream: Any,
        media: str,
        connect: Callable[[Any], Any],
        also: Mapping[str, Callable[[Any], Any]] = MappingProxyType({}),
    ) -> None:
        """When `upstream` shows its first pad of `media` (`video`, `audio`), link it to `connect(caps)`.

        `also` has other media that are linked likewise, if they come.
        """
        taken: list[str] = []
        wanted = {media: connect, **also}

        def on_pad(_element: Any, pad: Any) -> None:
            caps = pad.get_current_caps() or pad.query_caps(None)
            found = self.media_of(caps)
            if found in taken or found not in wanted:
                self._discard(pad)
                return
            taken.append(found)
            try:
                pad.link(wanted[found](caps).get_static_pad("sink"))
            except (DependencyError, SourceError) as error:
                self._failure = error

        def on_no_more(_element: Any) -> None:
            if media not in taken:
                self._failure = SourceError(f"there is no {media} in it", "no_stream")

        self.connect(upstream, "pad-added", on_pad)
        self.connect(upstream, "no-more-pads", on_no_more)
        if upstream.get_factory().get_name() == "parsebin":  # which does not say the former
            self.connect(upstream, "drained", on_no_more)

    def add_decoder(self, caps: Any) -> Any:
        """The best decoder for `caps`; a software decoder gets one thread, which costs the least in all.

        Raises DependencyError where there is none.
        """
        kinds = self._gst.ElementFactory
        known = kinds.list_get_elements(self._gst.ELEMENT_FACTORY_TYPE_DECODER, self._gst.Rank.MARGINAL)
        fit = kinds.list_filter(known, caps, self._gst.PadDirection.SINK, caps.is_fixed())
        if not fit:
            codec = caps.get_structure(0).get_name()
            raise DependencyError(f"GStreamer has no decoder for {codec}; install gstreamer1.0-libav")
        best = max(fit, key=lambda factory: int(factory.get_rank()))
        decoder = self.add(best.get_name())
        one_thread(decoder)
        return decoder

    def connect(self, element: Any, signal: str, handler: Callable[..., object]) -> None:
        """Connect a signal until the pipeline stops."""
        number = element.connect(signal, handler)
        self._undo.append(lambda: element.disconnect(number))

    def play(self) -> None:
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            self.check()
            raise SourceError("the pipeline did not start")

    def monotonic_ns(self, running_ns: int | None) -> int | None:
        """The time of the machine's monotonic clock that a running time stands for.

        None unless the pipeline plays by that clock.
        """
        clock = self._pipeline.get_clock()
        if running_ns is None or clock is None or clock.__gtype__.name != "GstSystemClock":
            return None
        if clock.get_property("clock-type") != self._gst.ClockType.MONOTONIC:
            return None
        return int(self._pipeline.get_base_time()) + running_ns

    def check(self) -> None:
        """Raise SourceError if an element failed, EndOfStreamError if the stream ended."""
        if self._failure:
            raise self._failure
        types = self._gst.MessageType
        while message := self._pipeline.get_bus().pop_filtered(types.ERROR | types.EOS):
            if message.type == types.EOS:
                raise EndOfStreamError("end of stream")
            error, detail = message.parse_error()
            raise SourceError(_plain(error.message, detail), _cause(error))

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
        c().gst_query_add_allocation_meta(pointer, video_meta_type(), None)
        return self._gst.PadProbeReturn.HANDLED


def one_thread(element: Any) -> None:
    """Let a software decoder decode on one thread."""
    if element.find_property("max-threads"):
        element.set_property("max-threads", 1)


def _cause(error: Any) -> str:
    """The word for an error of GStreamer's, by its domain and number."""
    return _CAUSES.get((error.domain, error.code), "broken")


def _plain(message: str, detail: str | None) -> str:
    """GStreamer's message with the last line of its debug text, which often holds the cause."""
    last = (detail or "").strip().splitlines()[-1:] or [""]
    cause = last[0].split(": ", 1)[-1].strip()
    return message if not cause or cause in message else f"{message.rstrip('.')} ({cause})"
