"""Server-sent events: every revision of every alert, in the order of commits, from where the listener was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool

from edgeguard.collector.reading import Answer, Reader
from edgeguard.errors import StorageError

_AT_ONCE = 200
_LOOK_S = 0.5
_SIGN_OF_LIFE_LOOKS = 30


async def events(
    reader: Reader, position: int, wanted: Callable[[Answer], bool], is_over: Callable[[], bool]
) -> AsyncIterator[str]:
    """Text of the event stream; ends when `is_over`, or the database is away: the listener comes back."""
    yield "retry: 2000\n\n"
    quiet = 0
    while not is_over():
        try:
            revisions = await run_in_threadpool(reader.revisions_after, position, _AT_ONCE)
        except StorageError:
            return
        for number, message in revisions:
            position = number
            if wanted(message):
                yield _event(position, message)
                quiet = 0
        if len(revisions) < _AT_ONCE:
            quiet += 1
            await asyncio.sleep(_LOOK_S)
        if quiet >= _SIGN_OF_LIFE_LOOKS:
            quiet = 0
            yield f": {position}\n\n"


def _event(position: int, message: Answer) -> str:
    return f"id: {position}\nevent: alert\ndata: {json.dumps(message, separators=(',', ':'))}\n\n"
