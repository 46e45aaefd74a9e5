"""What is noticed about sources that give nothing: for everybody, and for the rules that ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeguard.coverage import Change
from edgeguard.types import Measure, Observation, Phase

SOURCE_LOST, SOURCE_BACK, BLIND = "source_lost", "source_back", "blind"
_AGAIN_NS = 10_000_000_000
"""How often it is said that a source is still blind; the alert closes when that is no longer said."""


@dataclass(frozen=True, slots=True)
class BlindRule:
    """A source of `sources` (None: any) gives nothing for `after_s`."""

    name: str
    sources: frozenset[str] | None
    after_s: float

    def covers(self, source: str) -> bool:
        return self.sources is None or source in self.sources


class Blindness:
    """`clips` are sources whose end is no loss: files that are played once. Owned by one thread."""

    def __init__(self, rules: Sequence[BlindRule], clips: frozenset[str] = frozenset()) -> None:
        self._rules = rules
        self._clips = clips
        self._lost: dict[str, Change] = {}
        self._told: set[str] = set()
        """Whose loss was told, so that its return is news."""
        self._said_ns: dict[tuple[str, str], int] = {}
        """When a rule's blindness was said last, by rule and source."""

    def begin(self, sources: Sequence[str], now_ns: int) -> None:
        """None of these gives anything yet."""
        for name in sources:
            self._lost[name] = Change(name, "connecting", now_ns, now_ns, is_back=False)

    def refit(
        self,
        rules: Sequence[BlindRule],
        clips: frozenset[str],
        come: Sequence[str],
        gone: Sequence[str],
        now_ns: int,
    ) -> None:
        """Judge by these rules from now on; the alerts of what is gone fall silent."""
        self._rules, self._clips = rules, clips
        for name in gone:
            self._lost.pop(name, None)
            self._told.discard(name)
        names = {rule.name for rule in rules}
        self._said_ns = {
            key: at_ns for key, at_ns in self._said_ns.items() if key[0] in names and key[1] not in gone
        }
        self.begin(come, now_ns)

    def take(self, change: Change, now_ns: int, utc_ns: int) -> list[Observation]:
        """What is noticed at once."""
        if change.is_back:
            return self._back(change, now_ns, utc_ns)
        self._lost[change.source] = change
        if change.cause == "connecting" or self._is_over(change):
            return []
        self._told.add(change.source)
        return [_observe(SOURCE_LOST, change, change.at_ns, utc_ns - now_ns)]

    def tick(self, now_ns: int, utc_ns: int) -> list[Observation]:
        """What has become due."""
        offset_ns = utc_ns - now_ns
        return [
            self._say(rule, change, now_ns, offset_ns)
            for change in self._lost.values()
            if not self._is_over(change)
            for rule in self._rules
            if rule.covers(change.source) and self._is_due(rule, change, now_ns)
        ]

    def _back(self, change: Change, now_ns: int, utc_ns: int) -> list[Observation]:
        offset_ns = utc_ns - now_ns
        self._lost.pop(change.source, None)
        ended = [
            _observe(BLIND, change, change.at_ns, offset_ns, rule, Phase.ENDED)
            for rule in self._rules
            if self._said_ns.pop((rule.name, change.source), None) is not None
        ]
        if change.source not in self._told:
            return ended
        self._told.discard(change.source)
        return [_observe(SOURCE_BACK, change, change.at_ns, offset_ns), *ended]

    def _is_due(self, rule: BlindRule, change: Change, now_ns: int) -> bool:
        said_ns = self._said_ns.get((rule.name, change.source))
        if said_ns is None:
            return now_ns - change.since_ns >= rule.after_s * 1e9
        return now_ns - said_ns >= _AGAIN_NS

    def _say(self, rule: BlindRule, change: Change, now_ns: int, offset_ns: int) -> Observation:
        key = (rule.name, change.source)
        phase = Phase.CONTINUES if key in self._said_ns else Phase.BEGAN
        self._said_ns[key] = now_ns
        return _observe(BLIND, change, now_ns, offset_ns, rule, phase)

    def _is_over(self, change: Change) -> bool:
        return change.cause == "ended" and change.source in self._clips


def _observe(
    kind: str,
    change: Change,
    at_ns: int,
    offset_ns: int,
    rule: BlindRule | None = None,
    phase: Phase = Phase.INSTANT,
) -> Observation:
    lasted_s = round((at_ns - change.since_ns) / 1e9, 1)
    against = (">=", rule.after_s) if rule else ("is", None)
    return Observation(
        kind=kind,
        source=change.source,
        pts_ns=at_ns,
        utc_ns=at_ns + offset_ns,
        confidence=1.0,
        phase=phase,
        rule=rule.name if rule else None,
        key=change.source,
        label=change.cause,
        measures=(Measure("lasted_s", lasted_s, *against), Measure("cause", change.cause)),
    )
