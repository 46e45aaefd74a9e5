"""What a configuration lets be kept, and for how long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.errors import ConfigError, ModelError
from edgeguard.evidence import BelievedTime, EvidenceStore, Transcripts
from edgeguard.models import default_root
from edgeguard.models.spent import spent
from edgeguard.runtime.config_store import ConfigStore
from edgeguard.runtime.journal import surplus
from edgeguard.runtime.retention import Kept


def believed_time(config: Config, clock: Clock) -> BelievedTime:
    """What ages are counted to."""
    return BelievedTime(config.state_dir / "believed-time", clock)


def evidence_store(config: Config, clock: Clock) -> EvidenceStore:
    evidence = config.evidence
    bounds = (evidence.max_bytes, evidence.max_days, evidence.reserve_bytes)
    return EvidenceStore(evidence.dir, clock, *bounds, believed_time(config, clock))


def transcripts_folder(config: Config) -> Path:
    return config.state_dir / "transcripts"


def transcripts(config: Config, clock: Clock) -> Transcripts:
    """What was said, also where nothing more is written down."""
    ages_to = believed_time(config, clock).utc_ns
    return Transcripts(transcripts_folder(config), clock, config.privacy.transcripts_days, ages_to)


def kept(config: Config, clock: Clock) -> list[Kept]:
    """Also of what is switched off now: it was kept once."""
    observations = config.state_dir / "observations"
    ages_to = believed_time(config, clock).utc_ns
    bounds = (config.log.observations_days, config.log.observations_max_bytes)
    return [
        Kept("evidence", config.evidence.dir, evidence_store(config, clock).surplus),
        Kept("transcripts", transcripts_folder(config), transcripts(config, clock).surplus),
        Kept("observations", observations, lambda: surplus(observations, ages_to(), *bounds)),
        *_models(config, clock),
    ]


def _models(config: Config, clock: Clock) -> list[Kept]:
    """None where the machine's store is closed to us."""
    try:
        root = config.models.dir or default_root()
    except ModelError:
        return []
    return [Kept("models", root, partial(_spent, root, config, clock))]


def _spent(root: Path, config: Config, clock: Clock) -> Sequence[Path]:
    in_use = {model for one in (config, *_running(config)) for model in _detectors(one)}
    return spent(root, in_use, believed_time(config, clock).utc_ns(), config.models.unused_engines_days)


def _running(config: Config) -> Iterator[Config]:
    """What the guard may run instead of the file: cameras and detectors can be sent to it."""
    store = ConfigStore(config.state_dir)
    for found in (store.good(), store.pending()):
        if found is not None:
            with suppress(ConfigError):  # of an older version, or with files that are gone
                yield found.proposal.config()


def _detectors(config: Config) -> set[str]:
    return {camera.detector.model for camera in config.cameras.values()} | {config.detector.model}
