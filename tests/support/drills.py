"""A drill's thread without its thread, for tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from edgeguard.clock import ManualClock
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.drill_book import HEARD, Act, DrillBook
from edgeguard.runtime.drill_folder import DrillFolder, DrillRequest, Verdict
from edgeguard.runtime.drill_stage import DrillStage, Script
from edgeguard.runtime.health import Part
from edgeguard.types import Observation, Phase, Stages, drill
from tests.support.alerts import alert

SECOND, HOUR = 10**9, 3600 * 10**9
INTRUSION = Act("intrusion", drill.INTRUSION, drill.CAMERA)
CALL = Act("call", drill.CALL, drill.MICROPHONE, HEARD)
UTC_NS = 1_800_000_000 * SECOND


class Bench:
    """A stage without a thread, and the book that the rest of the daemon would write."""

    def __init__(
        self, folder: Path, every_h: float | None = None, acts: tuple[Act, ...] = (INTRUSION,)
    ) -> None:
        self.clock = ManualClock(utc_offset_ns=UTC_NS)
        self.book = DrillBook()
        self.folder = DrillFolder(folder)
        self.observations: Channel[Observation] = Channel(100)
        self.part = Part("drill", self.clock)
        self.why: dict[str, str] = {}
        self.changed = False
        script = Script(
            acts,
            {"noise": "no microphone here listens for sounds"},
            {"intrusion": "a model"},
            lambda: not self.changed,
        )
        self.stage = DrillStage(
            *(self.book, self.folder, lambda: script, self.why.get, self.observations, self.part, self.clock),
            every_h,
            wait_s=0,
        )
        self.stage.open()

    def step(self, after_s: float = 0.25) -> None:
        self.clock.advance(after_s)
        self.stage.step()

    def ask(self, drill_id: str = "one", timeout_s: float = 40.0, *, subscriber: bool = True) -> None:
        self.folder.ask(DrillRequest(drill_id, timeout_s, self.clock.utc_ns(), subscriber))
        self.step()

    def pass_on(self, until: str, act: Act = INTRUSION, alert_id: str = "a") -> None:
        """Let the act come as far as `until`."""
        way = act.way[: act.way.index(until) + 1]
        now_ns = self.clock.monotonic_ns()
        told = replace(alert(), rule=act.rule, source=act.source, alert_id=alert_id, drill=True)
        told = replace(told, stages=Stages(arrived_ns=now_ns))
        seen = Observation("zone_entered", act.source, now_ns, now_ns, 0.9, rule=act.rule)
        steps = {
            "captured": lambda: self.book.took(act.source, now_ns),
            "inferred": lambda: self.book.looked(act.source, now_ns, 1),
            "noticed": lambda: self.book.noticed(seen, now_ns),
            "decided": lambda: self.book.decided(told, now_ns),
            "committed": lambda: self.book.committed(alert_id, {"committed_ns": now_ns}, now_ns),
            "published": lambda: self.book.published(alert_id, 7, now_ns),
            "acknowledged": lambda: self.book.answered(7, now_ns, None),
        }
        for place in way:
            steps[place]()

    def heard(self, *alert_ids: str, reason: str | None = None, drill_id: str = "one") -> None:
        received = dict.fromkeys(alert_ids, self.clock.monotonic_ns())
        self.folder.judge(Verdict(drill_id, received, reason))
        self.step()

    @property
    def progress(self) -> dict[str, Any]:
        told = self.folder.progress()
        assert told is not None
        return told

    def noticed(self) -> list[tuple[Phase, str]]:
        """What the alerts thread would be told."""
        return [(one.phase, str(one.measures[0].value)) for one in self.observations.get_all(0)]
