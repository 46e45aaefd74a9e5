"""A TCP proxy on loopback that does what networks do: delay, drip, swallow, reset, lose a message."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from _mqtt_simulator import PUBLISH, PacketCutter, packet, publish_head

_PUBACK = 0x40
_CHUNK = 4096
_DRIP_EVERY_S = 0.02
_NO_LINGER = struct.pack("ii", 1, 0)


class FaultProxy:
    """Stands between clients and the broker on `target_port`; a fault concerns open connections as well.

    Attributes may be set at any time from any thread.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.latency_s = 0.0
        """Each way."""
        self.bytes_per_s: float | None = None
        """Each way; what is more waits, a little at a time."""
        self.swallow = False
        """A black hole: nothing comes through, nothing ends, and new connections are taken. What was sent
        meanwhile comes through afterwards, where the connection still stands."""
        self.refuse = False
        """New connections are reset at once."""
        self.loses: Callable[[str], bool] = lambda _topic: False
        """Which of the broker's messages the client never sees although the broker believes it does."""
        self.lost = 0
        """How many these were."""
        self.connections = 0
        """How many there have been."""
        self._target_port = target_port
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def reset(self) -> None:
        """Every open connection ends with a reset, at both ends."""
        self._do(self._end_all(_reset))

    def half_close(self) -> None:
        """Every open connection is closed in both directions for writing, as if the peer had gone."""
        self._do(self._end_all(_write_eof))

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        server = self._do(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._shut_down())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _shut_down(self) -> None:
        mine = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await self._end_all(_reset)

    async def _end_all(self, end: Callable[[asyncio.StreamWriter], object]) -> None:
        for writer in list(self._open):
            end(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self.refuse:
            _reset(writer)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            _reset(writer)
            return
        both = {writer, up_writer}
        self._open |= both
        try:
            await asyncio.gather(
                self._pump(reader, up_writer, lambda data: data),
                self._pump(up_reader, writer, self._filter(up_writer)),
            )
        except OSError:
            pass
        finally:
            self._open -= both
            for one in both:
                one.close()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        what_is_left: Callable[[bytes], bytes],
    ) -> None:
        """One direction; ends when it was closed and all was passed on."""
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(1000)
        writing = asyncio.create_task(self._write(late, writer, what_is_left))
        try:
            data = b"-"
            while data and not writing.done():
                data = await reader.read(_CHUNK)
                await late.put((self._loop.time() + self.latency_s, data))
            await writing
        finally:
            writing.cancel()

    async def _write(
        self,
        late: asyncio.Queue[tuple[float, bytes]],
        writer: asyncio.StreamWriter,
        what_is_left: Callable[[bytes], bytes],
    ) -> None:
        while True:
            due_s, data = await late.get()
            await asyncio.sleep(due_s - self._loop.time())
            while self.swallow:
                await asyncio.sleep(_DRIP_EVERY_S)
            if not data:
                _write_eof(writer)
                return
            await self._drip(what_is_left(data), writer)

    async def _drip(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        while data:
            rate = self.bytes_per_s
            size = len(data) if rate is None else max(1, int(rate * _DRIP_EVERY_S))
            piece, data = data[:size], data[size:]
            writer.write(piece)
            await writer.drain()
            if rate is not None:
                await asyncio.sleep(len(piece) / rate)

    def _filter(self, broker: asyncio.StreamWriter) -> Callable[[bytes], bytes]:
        """What of the broker's bytes goes on to the client; what is lost is acknowledged in its place."""
        cutter = PacketCutter()

        def pass_on(data: bytes) -> bytes:
            return b"".join(
                packet(first, body)
                for first, body in cutter.feed(data)
                if not self._lose(first, body, broker)
            )

        return pass_on

    def _lose(self, first: int, body: bytes, broker: asyncio.StreamWriter) -> bool:
        if first >> 4 != PUBLISH:
            return False
        topic, packet_id, _ = publish_head(first, body)
        if not self.loses(topic):
            return False
        if packet_id is not None:
            broker.write(packet(_PUBACK, packet_id))
        self.lost += 1
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


def _write_eof(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        writer.write_eof()
