"""How a plagued guard is told what to do: datagrams of JSON between two processes of one machine."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from _programs import wait_for

from edgeguard.clock import SystemClock

ORDERS, OFFSET = "orders.sock", "clock_offset_ns"
"""In the folder of the guard's configuration: where it takes orders, and by how much its UTC is ahead."""
_ANSWER_S = 20.0


def give(folder: Path, kind: str, **more: object) -> int:
    """Have the guard do it; the monotonic time (ns) at which it took effect. Raises RuntimeError."""
    order = json.dumps({"kind": kind, "timeout_s": _ANSWER_S, **more}).encode()
    mine = folder / f"order-{SystemClock().monotonic_ns()}.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.bind(str(mine))
        door.settimeout(_ANSWER_S + 5)
        wait_for(lambda: _sent(door, order, folder / ORDERS), "the guard takes orders", 60)
        answer = json.loads(door.recv(4096))
    mine.unlink()
    if answer["took_ns"] is None:
        raise RuntimeError(f"the guard did not {kind} {more} within {_ANSWER_S:.0f} s")
    return int(answer["took_ns"])


def _sent(door: socket.socket, order: bytes, where: Path) -> bool:
    try:
        door.sendto(order, str(where))
    except OSError:
        return False
    return True
