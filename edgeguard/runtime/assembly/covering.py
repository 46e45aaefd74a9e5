"""The book of blind time, and the rules on it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.source import Source
from edgeguard.coverage import Ledger
from edgeguard.runtime.blindness import Blindness, BlindRule
from edgeguard.runtime.bookkeeping import CoverageStage
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.coverage import Notices
from edgeguard.runtime.dailies import Committed, Dailies, Tell
from edgeguard.runtime.health import HealthBoard, Part
from edgeguard.runtime.heed import Unheeded
from edgeguard.runtime.nearby import Nearby
from edgeguard.runtime.stage import Stage
from edgeguard.types import Observation

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def coverage_folder(state_dir: Path) -> Path:
    return state_dir / "coverage"


class Covering:
    """From what the sources' threads say of themselves to the ledger, health and observations."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        board: HealthBoard,
        observations: Channel[Observation],
        unheeded: Unheeded,
        tell_day: Tell,
        committed_day: Committed,
    ) -> None:
        """`unheeded` names the sources that are not analysed now, and why."""
        self.nearby = Nearby(clock, config.health.blind_near_s)
        folder, zone = coverage_folder(config.state_dir), ZoneInfo(config.timezone)
        self.notices = Notices()
        self._board = board
        self._stage = CoverageStage(
            self.notices,
            observations,
            Blindness(_blind_rules(config), _clips(config)),
            Ledger(folder, config.health.coverage_days),
            self._parts(config),
            board.part("coverage"),
            clock,
            zone,
            _boot_id(),
            unheeded,
            self.nearby,
            Dailies(folder / "told", zone, tell_day, committed_day),
        )

    def thinkers(self) -> dict[str, Stage]:
        return {"coverage": self._stage}

    def refit(self, config: Config) -> None:
        """Keep the book by `config` from now on; for the stage's own thread."""
        self._stage.refit(self._parts(config), _blind_rules(config), _clips(config))

    def _parts(self, config: Config) -> dict[str, Part]:
        return {name: self._board.part(f"{kind}/{name}") for kind, name in _sources(config)}

    @property
    def idle(self) -> bool:
        return self._stage.idle


def _sources(config: Config) -> dict[tuple[str, str], Source]:
    """By kind and name."""
    both = [("camera", config.cameras), ("microphone", config.microphones)]
    return {(kind, name): source for kind, named in both for name, source in named.items() if source.enabled}


def _clips(config: Config) -> frozenset[str]:
    """Sources whose end is no loss."""
    sources = _sources(config).items()
    return frozenset(name for (_, name), source in sources if source.url.scheme in ("file", "scene"))


def _blind_rules(config: Config) -> list[BlindRule]:
    return [
        BlindRule(rule.name, None if rule.sources is None else frozenset(rule.sources), rule.after_s)
        for rule in config.rules
        if rule.enabled and isinstance(rule, kinds.Blind)
    ]


def _boot_id() -> str:
    with suppress(OSError):
        return _BOOT_ID.read_text().strip()
    return "unknown"
