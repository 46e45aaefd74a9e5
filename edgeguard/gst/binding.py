"""GStreamer itself: the Python binding, and the few C functions that the binding does not do well.

Buffers are mapped with the C function: the binding copies in some versions and loses map flags in all.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

from edgeguard.errors import DependencyError

_M_ARENA_MAX, _ARENAS = -8, 4
_DEVICE_DECODERS = ("nvv4l2decoder", "nvh264dec", "nvh265dec", "nvjpegdec")

_GST_TYPES = (
    *("Buffer", "BufferFlags", "Bus", "Caps", "CapsFeatures", "Context", "Element", "ElementFactory"),
    *("Event", "FlowReturn", "Format", "Memory", "Message", "MessageType", "Pad", "PadDirection"),
    *("PadLinkReturn", "PadProbeInfo", "PadProbeReturn", "PadProbeType", "Pipeline", "Query", "QueryType"),
    *("Rank", "Registry", "Sample", "Segment", "State", "StateChangeReturn", "Structure"),
)
_VIDEO_TYPES = (
    *("VideoColorMatrix", "VideoColorRange", "VideoColorimetry", "VideoFormat", "VideoFormatInfo"),
    *("VideoInfo", "VideoMeta"),
)


class MapInfo(ctypes.Structure):
    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("maxsize", ctypes.c_size_t),
        ("user_data", ctypes.c_void_p * 4),
        ("_reserved", ctypes.c_void_p * 4),
    )


Notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


def _keep_exceptions_safe() -> None:
    """GStreamer brings libunwind, whose unwinder would take over C++ exceptions of every library that is
    loaded: the next refusal inside ONNX Runtime would end the process. The first one loaded wins."""
    with suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)


def _share_memory() -> None:
    """Each connection of a camera brings new threads, and glibc would give each an arena that it never quite
    gives back: memory grew with every reconnection until there were eight for each core."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, _ARENAS)


def _leave_out(gst: Any) -> None:
    """Decoders on a device are chosen by name, where their memory can be used, and never by themselves."""
    for name in _DEVICE_DECODERS:
        feature = gst.Registry.get().lookup_feature(name)
        if feature is not None:
            feature.set_rank(gst.Rank.NONE)


def _make_types(gst: Any, app: Any, video: Any) -> None:
    """The binding makes a type when it is first asked for, and another thread that asks meanwhile may find it
    half made: cameras that started together did."""
    for module, names in ((gst, _GST_TYPES), (app, ("AppSink", "AppSrc")), (video, _VIDEO_TYPES)):
        for name in names:
            getattr(module, name)


@cache
def load() -> tuple[Any, Any, Any]:
    _keep_exceptions_safe()
    _share_memory()
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
        _leave_out(Gst)
    _make_types(Gst, GstApp, GstVideo)
    return Gst, GstApp, GstVideo


@cache
def gio() -> Any:
    """GLib's I/O library, which holds certificates."""
    load()
    from gi.repository import Gio

    return Gio


@cache
def c() -> Any:
    """libgstreamer itself, with the calls we make typed; ctypes releases the GIL around them."""
    library = ctypes.CDLL("libgstreamer-1.0.so.0")
    library.gst_buffer_map.argtypes = [ctypes.c_void_p, ctypes.POINTER(MapInfo), ctypes.c_int]
    library.gst_buffer_map.restype = ctypes.c_int
    library.gst_buffer_unmap.argtypes = [ctypes.c_void_p, ctypes.POINTER(MapInfo)]
    library.gst_buffer_unmap.restype = None
    library.gst_buffer_peek_memory.argtypes = [ctypes.c_void_p, ctypes.c_uint]
    library.gst_buffer_peek_memory.restype = ctypes.c_void_p
    library.gst_mini_object_weak_ref.argtypes = [ctypes.c_void_p, Notify, ctypes.c_void_p]
    library.gst_mini_object_weak_ref.restype = None
    library.gst_element_set_context.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    library.gst_element_set_context.restype = None
    library.gst_mini_object_unref.argtypes = [ctypes.c_void_p]
    library.gst_mini_object_unref.restype = None
    library.gst_query_add_allocation_meta.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    library.gst_query_add_allocation_meta.restype = None
    return library


@cache
def video_meta_type() -> int:
    library = ctypes.CDLL("libgstvideo-1.0.so.0")
    library.gst_video_meta_api_get_type.restype = ctypes.c_size_t
    return int(library.gst_video_meta_api_get_type())


def available(names: Iterable[str]) -> frozenset[str]:
    """Those of the elements that GStreamer has here. Raises DependencyError."""
    registry = load()[0].Registry.get()
    return frozenset(name for name in names if registry.lookup_feature(name) is not None)


def start() -> str:
    """Load GStreamer, which must happen once and on one thread; returns its version.

    Raises DependencyError.
    """
    return str(load()[0].version_string())
