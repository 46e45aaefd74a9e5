"""How long certificates in a PEM file hold, read from their DER without a library for it.

A certificate is SEQUENCE { tbs SEQUENCE { [0] version?, serial, algorithm, issuer, validity SEQUENCE {
notBefore, notAfter }, ... }, ... } (RFC 5280, section 4.1); times are UTCTime or GeneralizedTime, in UTC.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from datetime import datetime, timezone

_BLOCK = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION, _UTC_TIME = 0xA0, 0x17


@dataclass(frozen=True, slots=True)
class Validity:
    """From and until, both included."""

    begins: datetime
    ends: datetime


def validities(text: str) -> list[Validity]:
    """Of each certificate in `text`, in order. ValueError for one that is damaged."""
    return [validity(ssl.PEM_cert_to_DER_cert(block)) for block in _BLOCK.findall(text)]


def validity(der: bytes) -> Validity:
    """Of one certificate. ValueError for what is none."""
    try:
        rest = _inside(_inside(der))
        if rest[0] == _VERSION:
            rest = _after(rest)
        times = _inside(_after(_after(_after(rest))))
        return Validity(_time(times), _time(_after(times)))
    except IndexError:
        raise ValueError("the certificate is cut off") from None


def _frame(data: bytes) -> tuple[int, int]:
    """Where the first element's content begins and ends."""
    size, start = data[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(data[2:start], "big")
    if start + size > len(data):
        raise ValueError("the certificate is cut off")
    return start, start + size


def _inside(data: bytes) -> bytes:
    start, end = _frame(data)
    return data[start:end]


def _after(data: bytes) -> bytes:
    return data[_frame(data)[1] :]


def _time(data: bytes) -> datetime:
    """RFC 5280: years of two digits are 1950 to 2049."""
    text = _inside(data).decode("ascii")
    if data[0] == _UTC_TIME:
        text = f"{'19' if int(text[:2]) >= 50 else '20'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=timezone.utc)
