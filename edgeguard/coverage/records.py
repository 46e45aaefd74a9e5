"""One line of the ledger: what happened, and what both clocks said then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_END_NS = 1 << 63
"""Clocks end there, in 2262."""


class What(str, Enum):
    BEGIN = "begin"
    """A run or a file begins: which sources are watched, and which of them are lost."""
    LOST = "lost"
    BACK = "back"
    BEAT = "beat"
    """Nothing new: the service runs."""
    STOP = "stop"
    """The service ended on purpose."""


@dataclass(frozen=True, slots=True)
class Record:
    """Monotonic times compare only within one boot."""

    what: What
    utc_ns: int
    mono_ns: int
    source: str = ""
    """LOST, BACK: whose."""
    cause: str = ""
    """LOST: why."""
    at_ns: int = 0
    """LOST, BACK: since when (monotonic), which may be before it was noticed."""
    run: str = ""
    """BEGIN: new at every start of the service."""
    boot: str = ""
    """BEGIN: new at every start of the machine."""
    sources: tuple[str, ...] = ()
    """BEGIN: what is watched from now on."""
    lost: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """BEGIN: cause and since when (monotonic) for each source that is lost."""

    def line(self) -> str:
        """One JSON object and a line break; what is empty is left out."""
        return json.dumps(self._fields(), separators=(",", ":"), ensure_ascii=False) + "\n"

    def _fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = {"what": self.what.value, "utc_ns": self.utc_ns, "mono_ns": self.mono_ns}
        match self.what:
            case What.LOST:
                fields |= {"source": self.source, "cause": self.cause, "at_ns": self.at_ns}
            case What.BACK:
                fields |= {"source": self.source, "at_ns": self.at_ns}
            case What.BEGIN:
                lost = {name: list(state) for name, state in self.lost.items()}
                fields |= {"run": self.run, "boot": self.boot, "sources": self.sources, "lost": lost}
        return fields


def parse(line: str) -> Record | None:
    """The record of a line; None for one that is torn or is none."""
    try:
        return _record(json.loads(line))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def _record(fields: dict[str, Any]) -> Record:
    what = What(fields["what"])
    utc_ns, mono_ns = int(fields["utc_ns"]), int(fields["mono_ns"])
    if not (0 <= utc_ns < _END_NS and 0 <= mono_ns < _END_NS):
        raise ValueError("no time that a clock has said")
    match what:
        case What.LOST:
            cause = str(fields["cause"])
            return Record(what, utc_ns, mono_ns, str(fields["source"]), cause, int(fields["at_ns"]))
        case What.BACK:
            return Record(what, utc_ns, mono_ns, str(fields["source"]), at_ns=int(fields["at_ns"]))
        case What.BEGIN:
            return Record(
                what,
                utc_ns,
                mono_ns,
                run=str(fields["run"]),
                boot=str(fields["boot"]),
                sources=tuple(map(str, fields["sources"])),
                lost={str(name): (str(cause), int(at)) for name, (cause, at) in fields["lost"].items()},
            )
    return Record(what, utc_ns, mono_ns)
