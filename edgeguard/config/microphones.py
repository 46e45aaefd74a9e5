"""Ears."""

from __future__ import annotations

from pydantic import Field

from edgeguard.config.section import Name, Section
from edgeguard.config.source import Source
from edgeguard.config.url import MicrophoneUrl


class Checks(Section):
    """Whether the microphone is sound; what is wrong is observed as `microphone_fault`."""

    enabled: bool = True
    """Whether it is checked at all."""
    silent_dbfs: float = Field(default=-80, ge=-120, le=0)
    """Level of a second (dB below full scale) at and below which it is silent. Digital silence is `dead`,
    whatever is set here."""
    clipped_share: float = Field(default=0.01, gt=0, le=1)
    """Share of a second's samples at full scale, from which it is clipping."""
    dc_offset: float = Field(default=0.1, gt=0, le=1)
    """Mean of a second's samples, in parts of full scale, from which it is off centre."""
    after_s: float = Field(default=10, ge=1, le=3600)
    """Seconds that a fault lasts before it is told; six times as long for silence, as it may be night."""
    clear_s: float = Field(default=5, ge=1, le=3600)
    """Seconds that it is gone before its end is told."""


class Microphone(Source):
    """One microphone, or the sound of a network camera."""

    url: MicrophoneUrl = Field(examples=["alsa://default"])
    """Where the sound comes from: alsa://default or alsa://plughw:1,0 (sound card), rtsp:// or rtsps://
    (network camera), file:// (a recording, relative to this file), scene:// (composed)."""
    camera: Name | None = None
    """The camera beside it, whose picture goes with what is heard; null: none."""
    sync_limit_ms: int = Field(default=500, ge=0, le=2500)
    """Milliseconds that this sound may be before or behind the picture of `camera`, measured where both are
    lively; beyond it `sync_drift` is observed. 0: not measured."""
    speech: bool = True
    """Whether speech is recognised here."""
    transcripts: bool = False
    """Whether whole sentences are kept as text, with their numbers taken out. Without it only the words that
    raised an alert are kept. Ask what the law says where people talk."""
    sounds: bool = True
    """Whether sounds are recognised here."""
    checks: Checks = Checks()
    """Whether the microphone is dead, silent, clipping or off centre."""
