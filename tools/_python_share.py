"""How much CPU the daemon's threads take outside of decoding and inference, and for what."""

from __future__ import annotations

import importlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_PARTS = (
    ("edgeguard.runtime.sources", "SourceStage", "step", "camera_thread"),
    ("edgeguard.capture.gst_source", "GstFrameSource", "read", "capture"),
    ("edgeguard.capture.feed", "Feed", "pull", "packets"),
    ("edgeguard.capture.thinning", "Thinning", "spares", "thinning"),
    ("edgeguard.capture.gst_source", "GstFrameSource", "open", "beginning"),
    ("edgeguard.capture.decoding", "Decoding", "__init__", "beginning"),
    ("edgeguard.runtime.vision", "VisionStage", "open", "beginning"),
    ("edgeguard.capture.decoders", "Decoders", "push", "to_decoder"),
    ("edgeguard.capture.decoders", "Decoders", "pull", "from_decoder"),
    ("edgeguard.capture.decoders", "Decoders", "frame", "frame"),
    ("edgeguard.gst.inlet", "Inlet", "push", "decode"),
    ("edgeguard.gst.inlet", "Inlet", "begin", "decode"),
    ("edgeguard.gst.inlet", "Inlet", "end", "decode"),
    ("edgeguard.runtime.vision", "VisionStage", "step", "vision_thread"),
    ("edgeguard.runtime.views", "Views", "look", "tampering"),
    ("edgeguard.vision.network", "NetworkDetector", "detect", "boxes"),
    ("edgeguard.vision.letterbox", "Letterbox", "into", "letterbox"),
    ("onnxruntime", "InferenceSession", "run", "inference"),
    ("edgeguard.vision.tracker", "Tracker", "update", "tracker"),
    ("edgeguard.runtime.shelf", "Shelf", "put", "shelf"),
)
"""Module, class and method, and what its time is called; that of a part within another is its own alone."""
NOT_OURS = frozenset({"decode", "inference", "beginning"})
"""What any program would have to do, and what is done once and not for each picture."""


class Meter:
    """CPU time by part, each thread by its own clock, of all that happens within any part.

    It asks the clock twice a call, which costs about a microsecond: far less than a profiler would add.
    """

    def __init__(self) -> None:
        self._local = threading.local()
        self._lock = threading.Lock()
        self._books: list[Counter[str]] = []

    def used_ns(self) -> dict[str, int]:
        """Nanoseconds by part; call it when the threads rest."""
        with self._lock:
            return dict(sum(self._books, Counter()))

    def around(self, method: Callable[..., Any], part: str) -> Callable[..., Any]:
        """The same method, whose time is `part`'s."""

        def metered(*args: Any, **kwargs: Any) -> Any:
            book, stack = self._of_this_thread()
            now_ns = time.thread_time_ns()
            if stack:
                book[stack[-1][0]] += now_ns - stack[-1][1]
            stack.append([part, now_ns])
            try:
                return method(*args, **kwargs)
            finally:
                now_ns = time.thread_time_ns()
                part_ended, since_ns = stack.pop()
                book[part_ended] += now_ns - since_ns
                if stack:
                    stack[-1][1] = now_ns

        return metered

    def _of_this_thread(self) -> tuple[Counter[str], list[list[Any]]]:
        local = self._local
        if not hasattr(local, "book"):
            local.book, local.stack = Counter(), []
            with self._lock:
                self._books.append(local.book)
        return local.book, local.stack


@contextmanager
def metered() -> Iterator[Meter]:
    """Every part measured, until the end of the block."""
    meter = Meter()
    originals = []
    for module, name, method, part in _PARTS:
        owner = getattr(importlib.import_module(module), name)
        originals.append((owner, method, getattr(owner, method)))
        setattr(owner, method, meter.around(getattr(owner, method), part))
    try:
        yield meter
    finally:
        for owner, method, original in originals:
            setattr(owner, method, original)
