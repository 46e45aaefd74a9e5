"""Being told when GStreamer frees a memory, and not when it merely goes back to its pool."""

from __future__ import annotations

from typing import Any

from edgeguard.gst import MappedBuffer, when_freed
from edgeguard.gst.binding import load
from edgeguard.gst.lifetime import forget


def buffer() -> Any:
    return load()[0].Buffer.new_wrapped(b"x" * 64)


def test_it_tells_once_and_only_at_the_end() -> None:
    told: list[str] = []
    kept = buffer()
    mapped = MappedBuffer(kept)
    when_freed(mapped.memory, lambda: told.append("freed"))
    del mapped
    assert told == []
    del kept
    assert told == ["freed"]


def test_a_buffer_that_goes_back_to_its_pool_is_not_freed() -> None:
    gst, told = load()[0], []
    pool = gst.BufferPool.new()
    config = pool.get_config()
    gst.BufferPool.config_set_params(config, None, 64, 1, 1)
    pool.set_config(config)
    pool.set_active(True)
    for number in range(5):
        _, one = pool.acquire_buffer(None)
        if not number:
            when_freed(MappedBuffer(one).memory, lambda: told.append("freed"))
        del one
    assert told == []
    pool.set_active(False)
    assert told == ["freed"]


def test_what_was_forgotten_is_not_told() -> None:
    told: list[str] = []
    kept = buffer()
    forget(when_freed(MappedBuffer(kept).memory, lambda: told.append("freed")))
    del kept
    assert told == []
