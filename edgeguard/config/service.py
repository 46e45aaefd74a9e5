"""How the service itself behaves: privacy, health, models, log."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edgeguard.config.section import Location, Many, Section


class Privacy(Section):
    """What is remembered about people. Pictures are covered by the cameras' `masks`."""

    transcripts_days: float = Field(default=7.0, gt=0, le=3650)
    """Days for which sentences of microphones with `transcripts` are kept, in `state_dir`/transcripts."""


class Health(Section):
    """How the service tells that it is well."""

    interval_s: float = Field(default=10.0, ge=1, le=3600)
    """Seconds between health messages."""
    prove_s: float = Field(default=60.0, ge=5, le=3600)
    """Seconds within which all that a change of the configuration touches must do as well as before it; else
    the one before is put in effect again."""
    coverage_days: float = Field(default=31.0, gt=0, le=3650)
    """Days for which it is kept when nobody watched (`edgeguard coverage`)."""
    blind_near_s: float = Field(default=60.0, ge=0, le=86_400)
    """An alert names the times at which nobody watched its sources, if they were over at most so many seconds
    before it began, or came since."""
    http_port: int = Field(default=8642, ge=0, le=65_535)
    """TCP port for GET /health and GET /metrics (Prometheus), on 127.0.0.1 only; 0: none."""


class Models(Section):
    """Where models are."""

    dir: Location | None = None
    """Folder for models (environment: EDGEGUARD_MODELS); null: the usual place."""
    mirrors: Many[Location] = Field(default=(), examples=[["/media/usb/models"]])
    """Folders with copies of models (environment: EDGEGUARD_MIRROR), asked before the internet."""
    unused_engines_days: float = Field(default=30.0, gt=0, le=3650)
    """Days after its last build for which the engine of a model is kept that no camera uses
    (`edgeguard prune`); it can be built again."""


class LogLines(Section):
    """What a service writes to standard error while it runs."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least important level that goes to standard error."""
    format: Literal["text", "json"] = "text"
    """`text` for people, `json` for machines, one object a line."""


class Log(LogLines):
    """What the service writes down while it runs."""

    observations: bool = False
    """Whether everything that is noticed is written down as well, a file a day in `state_dir`/observations,
    for `edgeguard replay`. What was said is in it only as far as alerts have it: whole sentences are not."""
    observations_days: float = Field(default=14.0, gt=0, le=3650)
    """Days for which they are kept."""
    observations_max_bytes: int = Field(default=500_000_000, ge=1_000_000)
    """Bytes of all of them; the oldest day gives way."""
