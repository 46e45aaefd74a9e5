"""Ears."""

from __future__ import annotations

from pydantic import Field

from edgeguard.config.section import Name
from edgeguard.config.source import Source
from edgeguard.config.url import MicrophoneUrl


class Microphone(Source):
    """One microphone, or the sound of a network camera."""

    url: MicrophoneUrl = Field(examples=["alsa://default"])
    """Where the sound comes from: alsa://default or alsa://plughw:1,0 (sound card), rtsp:// or rtsps://
    (network camera), file:// (a recording, relative to this file), scene:// (composed)."""
    camera: Name | None = None
    """The camera beside it, whose picture goes with what is heard; null: none."""
    speech: bool = True
    """Whether speech is recognised here."""
    transcripts: bool = False
    """Whether whole sentences are kept as text, with their numbers taken out. Without it only the words that
    raised an alert are kept. Ask what the law says where people talk."""
    sounds: bool = True
    """Whether sounds are recognised here."""
