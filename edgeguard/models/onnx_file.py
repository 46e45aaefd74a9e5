"""A look into an ONNX file without a loader.

Loaders have followed a file's external tensors out of its folder again and again (CVE-2022-25882,
CVE-2024-27318, CVE-2026-27489, CVE-2026-34446), so a file that has any is refused before one sees it.
Field numbers are those of `onnx.proto3`; the encoding is that of Protocol Buffers.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeguard.errors import ModelError

_CHILDREN: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MAX_DEPTH = 100  # the limit of Protocol Buffers' own parsers


def refuse_external_data(data: bytes, path: Path) -> None:
    """ModelError if `data` is no ONNX model or keeps a tensor outside; `path` is for the message only."""
    try:
        external = _has_external(memoryview(data), "model", 0)
    except (ValueError, IndexError) as error:
        raise ModelError(f"{path} is not an ONNX file, or it is damaged: fetch it again") from error
    if external:
        raise ModelError(f"{path} keeps tensors in other files, which is refused: save it again as one file")


def _has_external(message: memoryview, kind: str, depth: int) -> bool:
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deep")
    children = _CHILDREN[kind]
    for field, value in _fields(message):
        if kind == "tensor" and (field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value != 0)):
            return True
        child = children.get(field)
        if child is not None and isinstance(value, memoryview) and _has_external(value, child, depth + 1):
            return True
    return False


def _fields(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Field numbers and values; a value of fixed width comes as 0. ValueError or IndexError if damaged."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        value: int | memoryview = 0
        wire = key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
        elif wire == _BYTES:
            size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        elif wire in (_FIXED32, _FIXED64):
            at += 4 if wire == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {wire}")
        if at > len(message):
            raise ValueError("cut short")
        yield key >> 3, value


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at `at` and where the next byte is."""
    value = 0
    for shift in range(0, 64, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("number too long")
