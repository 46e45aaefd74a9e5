"""Exercises: does an intrusion reach a subscriber?"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.secrets import read_secret
from edgeguard.config.section import Location, Name, Section, Text


class Drill(Section):
    """A drawn intrusion, played through the running service up to a subscriber: `edgeguard drill`."""

    enabled: bool = True
    """Whether drills can be held here."""
    every_h: float | None = Field(default=None, ge=1, le=8760, examples=[24.0])
    """Hours between the drills of the timer (`edgeguard-drill.timer`); where none passed for half as long
    again, health says so. null: only when somebody asks for one."""
    schedule: Name | None = None
    """Name of the schedule in which the timer holds them; null: at any time."""
    timeout_s: float = Field(default=60.0, ge=20, le=600)
    """Seconds within which its alerts must reach the subscriber; the intrusion itself takes fifteen."""
    username: Text | None = None
    """User of the subscriber at the broker, of the role `drills`; null: this device's own."""
    password_file: Location | None = Field(default=None, validate_default=True)
    """File whose first line is that user's password; chmod 600: refused if others can read it."""

    cert_file: Location | None = None
    """PEM file with that user's certificate, where the certificate is the login; null: this device's own."""
    key_file: Location | None = Field(default=None, validate_default=True)
    """PEM file with the certificate's private key; chmod 600: refused if others can read or change it."""

    def password(self) -> str | None:
        """The subscriber's password, read now. Raises ConfigError."""
        return None if self.password_file is None else read_secret(self.password_file)

    @field_validator("password_file")
    @classmethod
    def _goes_with_the_user(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("username", "") is None:
            raise ValueError("expected `username` as well")
        return value

    @field_validator("key_file")
    @classmethod
    def _goes_with_the_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if "cert_file" in info.data and (info.data["cert_file"] is None) != (value is None):
            raise ValueError("expected both cert_file and key_file, or neither")
        return value
