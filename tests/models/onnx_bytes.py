"""Small ONNX files, encoded by hand, so that the tests need no library to build them.

Field numbers are those of `onnx.proto3`.
"""

from __future__ import annotations

import struct

FLOAT = 1


def number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def part(field: int, content: bytes | str) -> bytes:
    """A string or a message inside a message."""
    data = content.encode() if isinstance(content, str) else content
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def tensor(name: str, values: list[float], *extra: bytes) -> bytes:
    raw = struct.pack(f"<{len(values)}f", *values)
    return number(1, len(values)) + number(2, FLOAT) + part(8, name) + part(9, raw) + b"".join(extra)


def external_tensor(name: str) -> bytes:
    """A tensor whose values lie in another file."""
    entry = part(1, "location") + part(2, "../../etc/passwd")
    return number(1, 3) + number(2, FLOAT) + part(8, name) + part(13, entry) + number(14, 1)


def node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    names = b"".join(part(1, name) for name in inputs)
    return names + part(2, output) + part(4, kind) + b"".join(part(5, item) for item in attributes)


def value(name: str, shape: list[int | str]) -> bytes:
    dims = b"".join(part(1, number(1, d) if isinstance(d, int) else part(2, d)) for d in shape)
    return part(1, name) + part(2, part(1, number(1, FLOAT) + part(2, dims)))


def graph(*fields: bytes) -> bytes:
    return b"".join(fields)


def model(main: bytes, *extra: bytes) -> bytes:
    opset = part(8, part(1, "") + number(2, 13))
    return number(1, 8) + opset + part(7, main) + b"".join(extra)


def adder(shape: list[int | str] | None = None, weights: bytes | None = None) -> bytes:
    """y = x + (1, 2, 3)."""
    return model(
        graph(
            part(1, node("Add", ["x", "w"], "y")),
            part(2, "adder"),
            part(5, weights or tensor("w", [1.0, 2.0, 3.0])),
            part(11, value("x", shape or [1, 3])),
            part(12, value("y", shape or [1, 3])),
        )
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
