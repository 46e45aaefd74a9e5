"""What one check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's report."""

    check: str
    """`driver`, `layout`, `frames`: what was looked at."""
    ok: bool
    said: str
    """What is there; or what is missing and how to have it."""
    figures: Mapping[str, object] = field(default_factory=dict)
    """Measured."""
