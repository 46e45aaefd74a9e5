"""What a configuration lets be kept, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.errors import ModelError
from edgeguard.evidence import EvidenceStore, Transcripts
from edgeguard.models import default_root
from edgeguard.models.spent import spent
from edgeguard.runtime.journal import surplus
from edgeguard.runtime.retention import Kept


def kept(config: Config, clock: Clock) -> list[Kept]:
    """Also of what is switched off now: it was kept once."""
    observations = config.state_dir / "observations"
    bounds = (config.log.observations_days, config.log.observations_max_bytes)
    transcripts = Transcripts(config.state_dir / "transcripts", clock, config.privacy.transcripts_days)
    evidence = config.evidence
    store = EvidenceStore(evidence.dir, clock, evidence.max_bytes, evidence.max_days, evidence.reserve_bytes)
    return [
        Kept("evidence", evidence.dir, store.surplus),
        Kept("transcripts", config.state_dir / "transcripts", transcripts.surplus),
        Kept("observations", observations, lambda: surplus(observations, clock.utc_ns(), *bounds)),
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
    in_use = {camera.detector.model for camera in config.cameras.values()} | {config.detector.model}
    return spent(root, in_use, clock.utc_ns(), config.models.unused_engines_days)
