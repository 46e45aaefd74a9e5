"""What kind of picture an encoded packet holds, read from its first bytes without decoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgeguard.capture.bits import Bits
from edgeguard.capture.h264 import Pps, Sps, read_pps, read_slice, read_sps

_SLICE_BYTES = 96
_H264_SLICES = {1, 5}
_H264_SPS, _H264_PPS = 7, 8
_H265_LAST_SLICE, _H265_FIRST_KEY, _H265_LAST_DISCARDABLE = 31, 16, 14


@dataclass(frozen=True, slots=True)
class Picture:
    """What is known of an encoded picture."""

    kind: str
    """Pictures of one kind are about as large as one another: `i`, `p`, `b`, with layer and use."""
    discardable: bool = False
    """No other picture is predicted from this one."""
    qp: int | None = None
    """Quantiser; None if it is not known."""


class PictureReader:
    """Reads the pictures of one stream in order; what it cannot read is a Picture of the kind `?`."""

    def __init__(self, codec: str) -> None:
        """`codec` is h264 or h265; any other gives `?` for every packet."""
        self._read = {"h264": self._h264, "h265": _h265}.get(codec)
        self._sps: dict[int, Sps] = {}
        self._pps: dict[int, Pps] = {}

    def read(self, head: bytes) -> Picture:
        """`head` is the packet or its first 4096 bytes: a byte stream, or with lengths of four bytes."""
        if self._read is not None:
            for nal in nal_units(head):
                if nal and (picture := self._read(nal)) is not None:
                    return picture
        return Picture("?")

    def _h264(self, nal: bytes) -> Picture | None:
        nal_type, reference = nal[0] & 31, bool(nal[0] & 0x60)
        try:
            if nal_type == _H264_SPS:
                self._keep(self._sps, *read_sps(Bits(nal[1:])))
            elif nal_type == _H264_PPS:
                self._keep(self._pps, *read_pps(Bits(nal[1:])))
            elif nal_type in _H264_SLICES:
                return self._h264_slice(nal_type, reference, nal)
        except ValueError:
            return Picture("?") if nal_type in _H264_SLICES else None
        return None

    def _h264_slice(self, nal_type: int, reference: bool, nal: bytes) -> Picture:
        sets = {n: (self._sps[pps.sps_id], pps) for n, pps in self._pps.items() if pps.sps_id in self._sps}
        head = nal[1:_SLICE_BYTES]
        try:
            header = read_slice(nal_type, reference, Bits(head), sets)
        except KeyError:
            bits = Bits(head)
            bits.ue()
            return Picture("pbips"[bits.ue() % 5], not reference)
        kind = "pbips"[header.type]
        return Picture(kind if reference else f"{kind}-", not reference, header.qp)

    @staticmethod
    def _keep(sets: dict[int, Sps] | dict[int, Pps], number: int, one: Sps | Pps) -> None:
        if number < 256:
            sets[number] = one  # type: ignore[assignment]


def _h265(nal: bytes) -> Picture | None:
    if len(nal) < 2:
        return None
    nal_type, layer = nal[0] >> 1 & 63, nal[1] & 7
    if nal_type > _H265_LAST_SLICE:
        return None
    if nal_type >= _H265_FIRST_KEY:
        return Picture("i")
    discardable = nal_type <= _H265_LAST_DISCARDABLE and nal_type % 2 == 0
    return Picture(f"p{layer}{'-' if discardable else ''}", discardable)


def nal_units(packet: bytes) -> Iterator[bytes]:
    """The NAL units; the last may be cut off."""
    if packet.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01")):
        yield from (unit.rstrip(b"\x00") for unit in packet.split(b"\x00\x00\x01")[1:])
        return
    at = 0
    while at + 4 < len(packet):
        length = int.from_bytes(packet[at : at + 4], "big")
        yield packet[at + 4 : at + 4 + length]
        at += 4 + length
