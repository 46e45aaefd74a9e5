"""What was heard."""

from __future__ import annotations

from dataclasses import dataclass

from edgeguard.types.observation import Phase


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said without a long pause: partial while it grows, then final once."""

    source: str
    """Microphone name."""
    text: str
    """Empty only in a final one that takes a partial one back."""
    tokens: tuple[str, ...]
    """As the model spells them; a leading space begins a word."""
    token_pts_ns: tuple[int, ...]
    """Monotonic time of each token."""
    confidence: float | None
    """0..1; None where the model gives none."""
    final: bool
    start_pts_ns: int
    """Monotonic time of the first token."""
    end_pts_ns: int
    """Monotonic time of the last token."""
    utc_ns: int
    """UTC time of `start_pts_ns`."""
    settled: bool = False
    """A partial after which nothing followed for so long that its last word is over."""

    def __post_init__(self) -> None:
        if len(self.tokens) != len(self.token_pts_ns):
            raise ValueError(f"{len(self.tokens)} tokens have {len(self.token_pts_ns)} times")


@dataclass(frozen=True, slots=True)
class SoundTag:
    """One sound, such as breaking glass, as it begins, goes on or ends."""

    tag: str
    """`glass`, `siren`, ..."""
    phase: Phase
    """Never INSTANT."""
    confidence: float
    """0..1: of the latest window; of the surest one when it ends."""
    threshold: float
    """What the confidence was compared with."""
    start_pts_ns: int
    """Monotonic time at which the first window with the sound starts."""
    end_pts_ns: int
    """Monotonic time at which the latest window with the sound ends."""
