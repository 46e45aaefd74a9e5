"""The configuration as a whole, with what follows from other keys filled in."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationInfo, field_validator

from edgeguard.config.cameras import Camera
from edgeguard.config.detector import Detector
from edgeguard.config.drill import Drill
from edgeguard.config.environment import local_timezone
from edgeguard.config.escalation import Escalation
from edgeguard.config.evidence import Evidence
from edgeguard.config.microphones import Microphone
from edgeguard.config.mqtt import Mqtt
from edgeguard.config.patterns import AnyPattern, Fusion, pattern_examples
from edgeguard.config.rules import AnyRule, examples
from edgeguard.config.schedules import Holiday, Period
from edgeguard.config.section import DERIVED, Distinct, Level, Location, Many, Named, Section, no_entries
from edgeguard.config.service import Health, Log, Models, Privacy
from edgeguard.config.sounds import Sounds
from edgeguard.config.speech import Speech
from edgeguard.config.tracker import Tracker


class Config(Section):
    """EdgeGuard's configuration."""

    site: Level = Field(examples=["harbour"])
    """Name of the place; a level of every MQTT topic."""
    device: Level = Field(examples=["guard-1"])
    """Name of this device, unique at its site; a level of every MQTT topic."""
    timezone: str = Field(default=DERIVED, validate_default=True)
    """Time zone of the schedules, such as Europe/Zurich. Without it: the machine's."""
    state_dir: Location = Path("/var/lib/edgeguard")
    """Folder for what must survive a restart (environment: EDGEGUARD_STATE_DIR)."""
    detector: Detector = Detector()
    """What finds things in pictures, for every camera that says nothing else."""
    tracker: Tracker = Tracker()
    """What follows them from picture to picture."""
    cameras: Named[Camera] = Field(default_factory=no_entries, examples=[{"gate": {}}])
    """Cameras by name."""
    microphones: Named[Microphone] = Field(default_factory=no_entries, examples=[{"gate-mic": {}}])
    """Microphones by name; no camera may have the same."""
    speech: Speech = Speech()
    """What understands speech."""
    sounds: Sounds = Sounds()
    """What knows sounds."""
    schedules: Named[Annotated[tuple[Period, ...], Field(strict=False, min_length=1)]] = Field(
        default_factory=no_entries, examples=[{"night": [{}]}]
    )
    """Lists of periods, by name. A rule with a schedule is armed in any of its periods."""
    holidays: Distinct[Holiday] = Field(default=(), examples=[["2026-12-24", "01-01"]])
    """Days on which the periods with the day `holiday` hold as well: 2026-12-24, or 01-01 for every year."""
    rules: Many[AnyRule] = Field(default=(), examples=[examples()])
    """What alerts are raised for."""
    patterns: Many[AnyPattern] = Field(default=(), examples=[pattern_examples()])
    """What several observations mean together: docs/patterns.md."""
    fusion: Fusion = Fusion()
    """How they are joined."""
    mqtt: Mqtt = Field(examples=[{}])
    """Where alerts go."""
    escalation: Escalation = Escalation()
    """What happens to alerts that nobody acknowledges."""
    evidence: Evidence = Field(default=Evidence(), validate_default=True)
    """What is kept to prove an alert."""
    privacy: Privacy = Privacy()
    """What is remembered about people."""
    health: Health = Health()
    """How the service tells that it is well."""
    drill: Drill = Drill()
    """How it is tried out whether alerts arrive."""
    models: Models = Models()
    """Where models are."""
    log: Log = Log()
    """What the service writes down while it runs."""

    @field_validator("device")
    @classmethod
    def _no_direction(cls, device: str) -> str:
        if device in ("up", "down"):
            raise ValueError("expected another name: up and down are directions in MQTT topics")
        return device

    @field_validator("timezone", mode="before")
    @classmethod
    def _known_zone(cls, name: Any) -> Any:
        if name is None:
            return local_timezone()
        if isinstance(name, str):
            try:
                ZoneInfo(name)
            except (ValueError, OSError, KeyError):
                raise ValueError("expected a time zone of the IANA database, such as Europe/Zurich") from None
        return name

    @field_validator("cameras")
    @classmethod
    def _complete_detectors(cls, cameras: Named[Camera], info: ValidationInfo) -> Named[Camera]:
        general = info.data.get("detector")
        if general is None:
            return cameras
        complete = {
            name: camera.model_copy(update={"detector": camera.detector.over(general)})
            for name, camera in cameras.items()
        }
        return MappingProxyType(complete)

    @field_validator("mqtt")
    @classmethod
    def _named_client(cls, mqtt: Mqtt, info: ValidationInfo) -> Mqtt:
        if mqtt.client_id is not None:
            return mqtt
        client_id = f"edgeguard-{info.data.get('site')}-{info.data.get('device')}"
        return mqtt.model_copy(update={"client_id": client_id})

    @field_validator("evidence")
    @classmethod
    def _placed(cls, evidence: Evidence, info: ValidationInfo) -> Evidence:
        if evidence.dir is not None or "state_dir" not in info.data:
            return evidence
        return evidence.model_copy(update={"dir": info.data["state_dir"] / "evidence"})
