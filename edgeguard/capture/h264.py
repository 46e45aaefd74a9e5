"""What the headers of an H.264 stream say of each picture: its type, and how coarsely it is quantised."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.capture.bits import Bits

_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}
_P, _B, _I, _SP, _SI = range(5)
_IDR = 5


@dataclass(frozen=True, slots=True)
class Sps:
    """What of a sequence parameter set the slice header depends on."""

    chroma: int
    separate_planes: bool
    frame_num_bits: int
    poc_type: int
    poc_bits: int
    delta_pic_order_zero: bool
    frames_only: bool


@dataclass(frozen=True, slots=True)
class Pps:
    """What of a picture parameter set the slice header depends on."""

    sps_id: int
    cabac: bool
    bottom_field_order: bool
    refs: tuple[int, int]
    weighted: bool
    weighted_b: bool
    init_qp: int
    redundant: bool


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """The first slice of a picture."""

    type: int
    """0: P, 1: B, 2: I, 3: SP, 4: SI."""
    qp: int
    """Quantiser with which the slice begins; a step of 6 halves the bits."""


def read_sps(bits: Bits) -> tuple[int, Sps]:
    """The set and its id. Raises ValueError."""
    profile = bits.u(24) >> 16
    number = bits.ue()
    chroma, separate = 1, False
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate = chroma == 3 and bits.flag()
        bits.ue(), bits.ue(), bits.u(1)
        if bits.flag():
            _skip_scaling(bits, 12 if chroma == 3 else 8)
    frame_num_bits = bits.ue() + 4
    poc_type, poc_bits, zero = bits.ue(), 0, False
    if poc_type == 0:
        poc_bits = bits.ue() + 4
    elif poc_type == 1:
        zero = bits.flag()
        bits.se(), bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue(), bits.u(1), bits.ue(), bits.ue()
    return number, Sps(chroma, separate, frame_num_bits, poc_type, poc_bits, zero, bits.flag())


def read_pps(bits: Bits) -> tuple[int, Pps]:
    """The set and its id. Raises ValueError, also for slice groups, which no camera uses."""
    number, sps_id, cabac, bottom = bits.ue(), bits.ue(), bits.flag(), bits.flag()
    if bits.ue():
        raise ValueError("slice groups are not read")
    refs = bits.ue() + 1, bits.ue() + 1
    weighted, weighted_b = bits.flag(), bits.u(2) == 1
    init_qp = 26 + bits.se()
    bits.se(), bits.se(), bits.u(2)
    return number, Pps(sps_id, cabac, bottom, refs, weighted, weighted_b, init_qp, bits.flag())


def read_slice(
    nal_type: int, is_reference: bool, bits: Bits, sets: dict[int, tuple[Sps, Pps]]
) -> SliceHeader:
    """The header of a slice; `sets` has the parameter sets by PPS id. Raises ValueError or KeyError."""
    bits.ue()
    kind = bits.ue() % 5
    sps, pps = sets[bits.ue()]
    _skip_numbers(nal_type, bits, sps, pps)
    if kind == _B:
        bits.u(1)
    if kind in (_P, _SP, _B):
        refs = _references(kind, bits, pps)
        _skip_list_changes(kind, bits)
        if (kind == _B and pps.weighted_b) or (kind != _B and pps.weighted):
            _skip_weights(refs if kind == _B else refs[:1], bits, sps)
    if is_reference:
        _skip_marking(nal_type, bits)
    if pps.cabac and kind not in (_I, _SI):
        bits.ue()
    return SliceHeader(kind, pps.init_qp + bits.se())


def _skip_scaling(bits: Bits, lists: int) -> None:
    for number in range(lists):
        if not bits.flag():
            continue
        last = following = 8
        for _ in range(16 if number < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _skip_numbers(nal_type: int, bits: Bits, sps: Sps, pps: Pps) -> None:
    """Frame number, field, and picture order."""
    if sps.separate_planes:
        bits.u(2)
    bits.u(sps.frame_num_bits)
    field = not sps.frames_only and bits.flag()
    if field:
        bits.u(1)
    if nal_type == _IDR:
        bits.ue()
    both = pps.bottom_field_order and not field
    if sps.poc_type == 0:
        bits.u(sps.poc_bits)
        if both:
            bits.se()
    elif sps.poc_type == 1 and not sps.delta_pic_order_zero:
        bits.se()
        if both:
            bits.se()
    if pps.redundant:
        bits.ue()


def _references(kind: int, bits: Bits, pps: Pps) -> tuple[int, int]:
    if not bits.flag():
        return pps.refs
    first = bits.ue() + 1
    return first, bits.ue() + 1 if kind == _B else 1


def _skip_list_changes(kind: int, bits: Bits) -> None:
    for _ in range(2 if kind == _B else 1):
        if bits.flag():
            while bits.ue() != 3:
                bits.ue()


def _skip_weights(counts: tuple[int, ...], bits: Bits, sps: Sps) -> None:
    coloured = sps.chroma != 0 and not sps.separate_planes
    bits.ue()
    if coloured:
        bits.ue()
    for _ in range(sum(counts)):
        if bits.flag():
            bits.se(), bits.se()
        if coloured and bits.flag():
            bits.se(), bits.se(), bits.se(), bits.se()


def _skip_marking(nal_type: int, bits: Bits) -> None:
    if nal_type == _IDR:
        bits.u(2)
    elif bits.flag():
        while operation := bits.ue():
            for _ in range({1: 1, 2: 1, 3: 2, 4: 1, 6: 1}.get(operation, 0)):
                bits.ue()
