"""From a URL to a decoded stream: the half of a pipeline that capture and audio share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from edgeguard.errors import EndOfStreamError, SourceError
from edgeguard.gst import AppSink, Pipeline, one_thread, trust_only

Media = Literal["video", "audio"]
_SECRET = re.compile(r"(?i)(pass(?:word|wd)?|pwd|token|secret|api_?key|auth)=[^&;/\s]*")
_USB_CAPS = "image/jpeg; video/x-raw"
"""Best first: over USB raw pictures come small or slowly, and of JPEG only what is looked at is decoded."""
_CSI_CAPS = "video/x-raw(memory:NVMM),format=(string)NV12"
_SOUND_WAITING = 200
"""Packets of sound that wait for their microphone: a few seconds."""
_TCP_TIMEOUT_US = 5_000_000
_TELL_SENDERS_TIME = "add-reference-timestamp-meta"
"""Since GStreamer 1.22."""


@dataclass(frozen=True, slots=True)
class MediaOptions:
    """How to reach a source."""

    username: str | None = None
    password: str | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    latency_ms: int = 200
    """RTSP jitter buffer."""
    ca_file: Path | None = None
    """rtsps:// only: the certificates to trust."""


class SoundTap:
    """Where a camera's connection leaves its sound, encoded, for the microphone at the same address: many
    cameras allow few connections. The camera's thread sets it, the microphone's reads it."""

    def __init__(self) -> None:
        self.sink: AppSink | None = None
        """None while the camera is not connected, or has given no sound yet."""

    def attach(self, pipeline: Pipeline) -> Any:
        """An element that takes the sound; if nobody listens, the oldest is lost."""
        self.sink = pipeline.add_appsink(sync=False, lossless=False, buffers=_SOUND_WAITING, waits=False)
        return self.sink.element

    def detach(self) -> None:
        self.sink = None


def connect(pipeline: Pipeline, url: str, media: Media, into: Any, options: MediaOptions) -> None:
    """Add what turns `url` into raw `media` and link it to the element `into`.

    Raises SourceError for a scheme that has no reader.
    """
    _read(pipeline, url, media, _Onward(into, lambda _caps: decode(pipeline, media, into)), options)


def connect_encoded(
    pipeline: Pipeline,
    url: str,
    media: Media,
    onward: Callable[[Any], Any],
    options: MediaOptions,
    tap: SoundTap | None = None,
) -> None:
    """Add what turns `url` into `media` as it was encoded, one picture per buffer, and link it to what
    `onward(caps)` gives; a device gives what it has, raw pictures perhaps, with caps None. The sound of an
    RTSP stream goes to `tap`.

    Raises SourceError for a scheme that has no reader.
    """
    stream = _Onward(None, lambda _caps: _parse(pipeline, media, onward), onward, tap)
    _read(pipeline, url, media, stream, options)


@dataclass(frozen=True, slots=True)
class _Onward:
    """Where a reader leads to."""

    into: Any
    stream: Callable[[Any], Any]
    """The element for an encoded stream with these caps."""
    device_stream: Callable[[Any], Any] | None = None
    tap: SoundTap | None = None

    def device(self) -> Any:
        """The element for what a device gives, raw or encoded."""
        return self.stream(None) if self.device_stream is None else self.device_stream(None)


def _read(pipeline: Pipeline, url: str, media: Media, onward: _Onward, options: MediaOptions) -> None:
    scheme = urlsplit(url).scheme
    reader = _READERS.get(scheme)
    if reader is None:
        raise SourceError(f"cannot read {scheme}:// sources; known are {', '.join(sorted(_READERS))}")
    reader(pipeline, url, media, onward, options)


def check(pipeline: Pipeline, url: str) -> None:
    """Raise SourceError if the stream from `url` broke, EndOfStreamError if a file was read to its end.

    A live source has no end: one that says so was cut off, and may come back.
    """
    try:
        pipeline.check()
    except EndOfStreamError:
        if not is_live(url):
            raise
        raise SourceError(f"{shown(url)} ended the stream") from None
    except SourceError as error:
        raise _told(error, url) from error


def _told(error: SourceError, url: str) -> SourceError:
    """The error with the way out, where it is known."""
    scheme = urlsplit(url).scheme
    if error.cause == "refused_login" or "Unauthorized" in str(error):
        return SourceError(
            f"{shown(url)} refused the login: correct its `username` and the password in its `password_file`",
            "refused_login",
        )
    if error.cause == "no_stream" or "No supported stream" in str(error):
        return SourceError(
            f"{shown(url)} has no such stream ({error}): correct the path in its `url`", "no_stream"
        )
    if scheme == "rtsps" and "Failed to connect" in str(error):
        return SourceError(
            f"cannot connect to {shown(url)} ({error}): nobody is there, or its certificate is not valid for "
            "that host; put the camera's own into a file and name it in `ca_file`",
            "unreachable",
        )
    if error.cause == "broken" and scheme in ("rtsp", "rtsps") and "onnect" in str(error):
        return SourceError(str(error), "unreachable")
    if error.cause == "broken" and is_live(url):
        return SourceError(f"the connection to {shown(url)} broke: {error}")
    return error


def is_live(url: str) -> bool:
    """Whether the source sets the pace itself."""
    return urlsplit(url).scheme not in {"file", "scene"}


def shown(url: str) -> str:
    """The URL for messages and logs: without user and password, wherever it hides them."""
    parts = urlsplit(url)
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return _SECRET.sub(r"\1=***", bare)


def _file(pipeline: Pipeline, url: str, media: Media, onward: _Onward, _options: MediaOptions) -> None:
    source = pipeline.add("filesrc", location=unquote(urlsplit(url).path))
    parse = pipeline.add("parsebin")
    pipeline.link(source, parse)
    # what it gives is parsed already
    pipeline.link_later(parse, media, onward.device_stream or onward.stream)


def _rtsp(pipeline: Pipeline, url: str, media: Media, onward: _Onward, options: MediaOptions) -> None:
    parts = urlsplit(url)
    source = pipeline.add(
        "rtspsrc",
        location=parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(),
        protocols=options.transport,
        latency=options.latency_ms,
        buffer_mode="none",  # the others bend the times of streams with B-frames; Anchor follows the drift
        tcp_timeout=_TCP_TIMEOUT_US,
        timeout=_TCP_TIMEOUT_US,
    )
    if source.find_property(_TELL_SENDERS_TIME):
        source.set_property(_TELL_SENDERS_TIME, True)
    if options.ca_file is not None:
        trust_only(source, options.ca_file)
    username = options.username or unquote(parts.username or "")
    if username:
        source.set_property("user-id", username)
        source.set_property("user-pw", options.password or unquote(parts.password or ""))
    tap = onward.tap
    also = {} if tap is None else {"audio": lambda _caps: tap.attach(pipeline)}
    chosen = {media, *also}
    pipeline.connect(source, "select-stream", lambda _source, _n, caps: pipeline.media_of(caps) in chosen)
    pipeline.link_later(source, media, onward.stream, also)


def _v4l2(pipeline: Pipeline, url: str, _media: Media, onward: _Onward, _options: MediaOptions) -> None:
    source = pipeline.add("v4l2src", device=unquote(urlsplit(url).path))
    pipeline.link(source, pipeline.add_caps(_USB_CAPS), onward.device())


def _csi(pipeline: Pipeline, url: str, _media: Media, onward: _Onward, _options: MediaOptions) -> None:
    port = urlsplit(url).netloc
    if not port.isdecimal():
        raise SourceError(f"expected the number of a camera port, as in csi://0, not csi://{port}")
    source = pipeline.add("nvarguscamerasrc", sensor_id=int(port))
    pipeline.link(source, pipeline.add_caps(_CSI_CAPS), onward.device())


def _alsa(pipeline: Pipeline, url: str, _media: Media, onward: _Onward, _options: MediaOptions) -> None:
    device = unquote(url.partition("://")[2])
    pipeline.link(pipeline.add("alsasrc", device=device or "default"), onward.into)


def _parse(pipeline: Pipeline, media: Media, onward: Callable[[Any], Any]) -> Any:
    """From the packets of a network to one picture per buffer, whatever the codec."""
    parse = pipeline.add("parsebin")
    pipeline.connect(parse, "deep-element-added", lambda _bin, _sub, element: _ask_for_keyframes(element))
    pipeline.link_later(parse, media, onward)
    return parse


def _ask_for_keyframes(element: Any) -> None:
    """After a loss, ask the camera for a keyframe rather than wait for the next."""
    if element.find_property("request-keyframe"):
        element.set_property("request-keyframe", True)


def decode(pipeline: Pipeline, media: Media, into: Any) -> Any:
    """A decoder for whatever comes; software decoders get one thread, which costs the least CPU in all."""
    decoder = pipeline.add("decodebin")
    pipeline.connect(decoder, "element-added", lambda _bin, element: one_thread(element))
    pipeline.link_later(decoder, media, lambda _caps: into)
    return decoder


_READERS: dict[str, Callable[[Pipeline, str, Media, _Onward, MediaOptions], None]] = {
    "alsa": _alsa,
    "csi": _csi,
    "file": _file,
    "rtsp": _rtsp,
    "rtsps": _rtsp,
    "v4l2": _v4l2,
}
