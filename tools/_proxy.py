"""A TCP proxy on loopback between a client and a camera or a broker, which does what bad networks do."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

_CHUNK = 65_536
_LOOK_S = 0.05
_NO_LINGER = struct.pack("ii", 1, 0)
_Connection = tuple[asyncio.StreamWriter, asyncio.StreamWriter]


class Proxy:
    """Leads to `target` on loopback. Attributes may be set at any time by any thread."""

    def __init__(self, target: int, seed: int = 0) -> None:
        self.port = 0
        self.target = target
        """Port to which new connections lead."""
        self.refuse = False
        """New connections are reset at once."""
        self.corruption = 0.0
        """Share of the pieces from the server in which bytes are changed, some lengths among them."""
        self.mute = False
        """Nothing passes and nothing ends, and new connections are taken, as by a peer that fell silent."""
        self._random = random.Random(seed)  # noqa: S311 - faults, no secret
        self._open: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def reset(self) -> None:
        """Every connection is reset, at both ends."""
        self._do(self._end_all(_reset))

    def end(self) -> None:
        """Every connection is closed in order, as a server does that restarts."""
        self._do(self._end_all(lambda writer: writer.close()))

    def __enter__(self) -> Proxy:
        self._thread.start()
        server = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.refuse = True
        self.reset()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _end_all(self, end: Callable[[asyncio.StreamWriter], object]) -> None:
        for writer in [writer for both in self._open for writer in both]:
            end(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            _reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            _reset(writer)
            return
        both = (writer, up_writer)
        self._open.add(both)
        try:
            pumps = [
                asyncio.ensure_future(self._pump(reader, up_writer, lambda data: data)),
                asyncio.ensure_future(self._pump(up_reader, writer, self._spoil)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        finally:
            self._open.discard(both)
            for one in both:
                one.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, change: Callable[[bytes], bytes]
    ) -> None:
        while data := await reader.read(_CHUNK):
            while self.mute:
                await asyncio.sleep(_LOOK_S)
            writer.write(change(data))
            await writer.drain()

    def _spoil(self, data: bytes) -> bytes:
        if self._random.random() >= self.corruption:
            return data
        spoilt = bytearray(data)
        for _ in range(8):
            spoilt[self._random.randrange(len(spoilt))] = self._random.randrange(256)
        return bytes(spoilt)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.close()
