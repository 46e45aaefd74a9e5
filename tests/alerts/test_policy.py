from __future__ import annotations

from datetime import time
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edgeguard.alerts.ids import Uuid7
from edgeguard.alerts.policy import AlertRule, Policy
from edgeguard.alerts.raising import Raises
from edgeguard.alerts.schedule import Period, Schedule
from edgeguard.clock import ManualClock
from edgeguard.types import Alert, AlertState, ClipRef, Joined, Measure, Observation, Phase, Severity, Stages
from tests.support.alerts import UTC_NS, seen

BEGAN, CONTINUES, ENDED = Phase.BEGAN, Phase.CONTINUES, Phase.ENDED


class Guard:
    """A policy whose clock follows the observations."""

    def __init__(self, **rule_values: object) -> None:
        self.clock = ManualClock()
        values = {"name": "stay", "severity": Severity.ALARM, **rule_values}
        self.policy = Policy({"stay": AlertRule(**values)}, self.clock, Uuid7(self.clock))  # type: ignore[arg-type]

    def see(self, observation: Observation) -> list[Alert]:
        self.clock.now_ns = max(self.clock.now_ns, observation.pts_ns)
        return self.policy.update(observation)

    def tick(self, at_s: float) -> list[Alert]:
        self.clock.now_ns = round(at_s * 1e9)
        return self.policy.tick()


def states(alerts: list[Alert]) -> list[str]:
    return [alert.state.value for alert in alerts]


def test_an_instant_alert_has_one_revision_and_is_closed_from_the_start() -> None:
    guard = Guard()
    (alert,) = guard.see(seen(3.0, label="person", zone="yard", track_ids=(7,), stages=Stages(1, 2, 3, 4)))
    assert (alert.state, alert.revision) == (AlertState.OPENED, 1)
    assert alert.opened_utc_ns == alert.observed_utc_ns == alert.closed_utc_ns == UTC_NS + 3 * 10**9
    assert (alert.severity, alert.rule, alert.zone, alert.track_ids) == (Severity.ALARM, "stay", "yard", (7,))
    assert alert.stages == Stages(1, 2, 3, 4)
    assert guard.tick(1000) == []


def test_a_life_opens_updates_and_closes_under_one_id() -> None:
    guard = Guard(update_every_s=2)
    told = [
        alert
        for at_s, phase in [(0, BEGAN), (1, CONTINUES), (2, CONTINUES), (3, CONTINUES), (3.5, ENDED)]
        for alert in guard.see(seen(at_s, phase, measures=(Measure("dwell_s", at_s, ">=", 10),)))
    ]
    assert states(told) == ["opened", "updated", "closed"]
    assert [alert.revision for alert in told] == [1, 2, 3]
    assert len({alert.alert_id for alert in told}) == 1
    assert {alert.opened_utc_ns for alert in told} == {UTC_NS}
    assert [alert.closed_utc_ns for alert in told] == [None, None, UTC_NS + 3_500_000_000]
    assert [alert.measures[0].value for alert in told] == [0, 2, 3.5]


def test_what_no_configured_rule_asked_for_is_ignored() -> None:
    guard = Guard()
    assert guard.see(seen(0, rule=None)) == []
    assert guard.see(seen(0, rule="another")) == []


def test_an_end_without_a_beginning_is_ignored() -> None:
    assert Guard().see(seen(0, ENDED)) == []


def test_a_second_beginning_only_continues() -> None:
    guard = Guard(update_every_s=0)
    assert states(guard.see(seen(0, BEGAN)) + guard.see(seen(1, BEGAN))) == ["opened", "updated"]


def test_an_instant_cooldown_is_per_rule_and_key() -> None:
    guard = Guard(cooldown_s=60)
    assert guard.see(seen(0))
    assert guard.see(seen(59.9)) == []
    assert guard.see(seen(30, key="8")), "a second intruder alerts"
    assert guard.see(seen(30, source="gate")), "track 7 of another camera is another one"
    assert guard.see(seen(60))


def test_the_cooldown_of_a_life_counts_from_its_end() -> None:
    guard = Guard(cooldown_s=60)
    guard.see(seen(0, BEGAN))
    guard.see(seen(100, ENDED))
    assert guard.see(seen(130, BEGAN)) == []
    assert guard.see(seen(159, CONTINUES)) == []
    assert states(guard.see(seen(160, CONTINUES))) == ["opened"], "it still goes on when the cooldown ends"


def test_silence_closes_at_the_last_time_seen() -> None:
    guard = Guard(close_after_s=30)
    guard.see(seen(0, BEGAN, stages=Stages(1, 2, 3, 4)))
    guard.see(seen(5, CONTINUES))
    assert guard.tick(34.9) == []
    (closed,) = guard.tick(35)
    assert closed.state is AlertState.CLOSED
    assert closed.closed_utc_ns == closed.observed_utc_ns == UTC_NS + 5 * 10**9
    assert closed.stages == Stages(), "no frame caused it"
    assert guard.see(seen(36, ENDED)) == []


def test_the_schedule_decides_on_opening_only() -> None:
    # UTC_NS is 2027-01-15 08:00 UTC
    until_nine = Schedule((Period(time(7), time(9)),), "UTC")
    guard = Guard(schedule=until_nine, update_every_s=0)
    guard.see(seen(3590, BEGAN))
    assert states(guard.see(seen(3600, CONTINUES))) == ["updated"]
    assert guard.see(seen(3600, BEGAN, key="8")) == []
    assert guard.see(seen(3601)) == []
    assert states(guard.see(seen(3602, ENDED))) == ["closed"]


def test_what_goes_on_opens_when_its_schedule_begins() -> None:
    from_nine = Schedule((Period(time(9), time(10)),), "UTC")
    guard = Guard(schedule=from_nine)
    assert guard.see(seen(3599, BEGAN)) == []
    assert states(guard.see(seen(3600, CONTINUES))) == ["opened"]


def test_an_end_keeps_what_it_does_not_say() -> None:
    guard = Guard()
    guard.see(seen(0, BEGAN, label="person", track_ids=(7,), confidence=0.8))
    (closed,) = guard.see(seen(1, ENDED, confidence=0.0))
    assert (closed.label, closed.track_ids, closed.confidence) == ("person", (7,), 0.8)


def test_attached_evidence_stays_with_the_later_revisions() -> None:
    guard = Guard(update_every_s=0)
    (opened,) = guard.see(seen(0, BEGAN))
    clip = ClipRef(opened.alert_id, "image/jpeg", "a.jpg", "ab" * 32, 9)
    guard.policy.attach(opened.alert_id, (clip,))
    later = guard.see(seen(1, CONTINUES)) + guard.see(seen(2, ENDED))
    assert [alert.evidence for alert in later] == [(clip,), (clip,)]


def test_close_all_closes_every_open_alert() -> None:
    guard = Guard()
    opened = guard.see(seen(0, BEGAN)) + guard.see(seen(0, BEGAN, key="8"))
    closed = guard.policy.close_all()
    assert {alert.alert_id for alert in closed} == {alert.alert_id for alert in opened}
    assert states(closed) == ["closed", "closed"]
    assert guard.policy.close_all() == []


def test_memory_is_bounded_by_what_is_alive() -> None:
    guard = Guard(cooldown_s=10, close_after_s=5)
    for n in range(500):
        guard.see(seen(n, BEGAN if n % 2 else Phase.INSTANT, key=str(n)))
        guard.tick(n)
    assert len(guard.policy._lives) <= 5
    assert len(guard.policy._cooldowns) <= 16


def test_a_drill_is_marked() -> None:
    assert Guard(drill=True).see(seen(0))[0].drill


class Lives(RuleBasedStateMachine):
    """Whatever is observed in whatever order, the revisions of each alert tell one consistent life."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        hours = Schedule((Period(time(8), time(8, 30)), Period(time(9), time(11))), "UTC")
        rules = {
            "plain": AlertRule("plain", Severity.INFO),
            "strict": AlertRule("strict", Severity.ALARM, 7, 2, 4, hours),
        }
        self.configured = rules
        self.policy = Policy(rules, self.clock, Uuid7(self.clock))
        self.history: dict[str, list[Alert]] = {}
        self.life_of: dict[str, tuple[str, str, str]] = {}
        self.last_closed_ns: dict[tuple[str, str, str], int] = {}

    @rule(
        phase=st.sampled_from(Phase),
        name=st.sampled_from(["plain", "strict", "unknown"]),
        source=st.sampled_from(["dock", "gate"]),
        key=st.sampled_from(["1", "2"]),
        after_s=st.floats(0, 20),
    )
    def observe(self, phase: Phase, name: str, source: str, key: str, after_s: float) -> None:
        self.clock.advance(after_s)
        observation = seen(self.clock.now_ns / 1e9, phase, name, key, source=source)
        told = self.policy.update(observation)
        assert len(told) <= 1
        life = (name, source, key)
        for alert in told:
            assert name in self.configured
            if alert.state is AlertState.OPENED:
                self.check_opening(life, alert, observation)
            self.life_of.setdefault(alert.alert_id, life)
            assert self.life_of[alert.alert_id] == life
            self.record(alert)

    @rule(after_s=st.floats(0, 40))
    def tick(self, after_s: float) -> None:
        self.clock.advance(after_s)
        for alert in self.policy.tick():
            assert alert.state is AlertState.CLOSED
            self.record(alert)

    @rule()
    def close_all(self) -> None:
        for alert in self.policy.close_all():
            self.record(alert)
        assert not self.open_lives()

    def check_opening(self, life: tuple[str, str, str], alert: Alert, observation: Observation) -> None:
        assert alert.alert_id not in self.history, "an id is used once"
        chosen = self.configured[life[0]]
        assert chosen.schedule is None or chosen.schedule.covers(observation.utc_ns)
        if life in self.last_closed_ns:
            rest_ns = observation.utc_ns - self.last_closed_ns[life]
            assert rest_ns >= chosen.cooldown_s * 1e9
        assert life not in self.open_lives() or observation.phase is Phase.INSTANT

    def record(self, alert: Alert) -> None:
        before = self.history.setdefault(alert.alert_id, [])
        assert alert.revision == len(before) + 1
        assert (alert.state is AlertState.OPENED) == (not before)
        assert alert.closed_utc_ns is not None or alert.state is not AlertState.CLOSED
        if before:
            assert before[-1].closed_utc_ns is None, "closed is final"
            assert alert.opened_utc_ns == before[0].opened_utc_ns
            assert alert.observed_utc_ns >= before[-1].observed_utc_ns
        if alert.closed_utc_ns is not None:
            life = self.life_of[alert.alert_id]
            self.last_closed_ns[life] = max(alert.closed_utc_ns, self.last_closed_ns.get(life, 0))
        before.append(alert)

    def open_lives(self) -> list[tuple[str, str, str]]:
        return [
            self.life_of[alert_id]
            for alert_id, alerts in self.history.items()
            if alerts[-1].closed_utc_ns is None
        ]

    @invariant()
    def no_life_has_two_open_alerts(self) -> None:
        assert len(self.open_lives()) == len(set(self.open_lives()))


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


class Raising:
    """A rule `stay`, and a pattern `worse` that raises its alerts."""

    def __init__(self, severity: Severity = Severity.WARNING, cooldown_s: float = 30.0) -> None:
        clock = ManualClock()
        worse = AlertRule("worse", Severity.CRITICAL, cooldown_s, raises=Raises("stay", 3.0))
        self.policy = Policy({"stay": AlertRule("stay", severity), "worse": worse}, clock, Uuid7(clock))

    def stay(self, at_s: float, phase: Phase = BEGAN, track: int = 7, **other: object) -> list[Alert]:
        values: dict[str, Any] = {
            "zone": "yard",
            "track_ids": (track,),
            "measures": (Measure("dwell_s", at_s),),
            **other,
        }
        return self.policy.update(seen(at_s, phase, key=str(track), **values))

    def worse(self, at_s: float, track: int = 7, zone: str = "yard", source: str = "dock") -> list[Alert]:
        joined = (
            Joined("sound", "mic", UTC_NS, 0.5, "glass"),
            Joined("presence", source, UTC_NS, 0.5, "person", zone, track_ids=(track,)),
        )
        values: dict[str, Any] = {
            "kind": "pattern",
            "joined": joined,
            "measures": (Measure("apart_s", 1.0, "<=", 3.0),),
        }
        return self.policy.update(seen(at_s, rule="worse", key=zone, source=source, zone=zone, **values))


def test_a_pattern_raises_the_open_alert_and_it_stays_raised() -> None:
    guard = Raising()
    (opened,) = guard.stay(0)
    guard.policy.attach(opened.alert_id, (), "no picture")
    (raised,) = guard.worse(2)
    (updated,) = guard.stay(20, CONTINUES)
    (closed,) = guard.stay(21, ENDED, measures=())
    assert {a.alert_id for a in (raised, updated, closed)} == {opened.alert_id}
    assert [a.revision for a in (raised, updated, closed)] == [2, 3, 4]
    assert states([raised, updated, closed]) == ["updated", "updated", "closed"]
    assert {a.severity for a in (raised, updated, closed)} == {Severity.CRITICAL}
    assert [one.kind for one in closed.joined] == ["sound", "presence"]
    assert [m.name for m in closed.measures] == ["dwell_s", "raised_by", "apart_s"]
    assert raised.rule == "stay"
    assert "; worse in yard: sound glass by mic, presence person by dock" in raised.summary
    assert raised.evidence_error == "no picture"


def test_an_alert_that_was_over_at_once_can_be_raised_for_a_while() -> None:
    guard = Raising()
    (opened,) = guard.stay(0, Phase.INSTANT)
    (raised,) = guard.worse(3)
    assert (raised.alert_id, raised.state, raised.revision) == (opened.alert_id, AlertState.CLOSED, 2)
    assert (raised.severity, raised.closed_utc_ns) == (Severity.CRITICAL, UTC_NS)
    guard = Raising()
    guard.stay(0, Phase.INSTANT)
    assert [(a.rule, a.state.value) for a in guard.worse(3.1)] == [("worse", "opened")]


def test_a_pattern_raises_the_alert_of_the_same_place_or_opens_its_own() -> None:
    guard = Raising(cooldown_s=0)
    assert [a.rule for a in guard.worse(0)] == ["worse"]
    guard.stay(1, track=7)
    guard.stay(2, track=8)
    assert [a.track_ids for a in guard.worse(3, track=7)] == [(7,)]
    assert [a.track_ids for a in guard.worse(3, track=9)] == [(8,)], (
        "another track, the same zone: the newest"
    )
    assert [a.rule for a in guard.worse(3, track=9, zone="gate")] == ["worse"]
    assert [a.rule for a in guard.worse(3, source="back")] == ["worse"]


def test_each_alert_is_raised_once_per_cooldown_and_never_made_less() -> None:
    guard = Raising(Severity.CRITICAL)
    guard.stay(0, track=7)
    assert [len(guard.worse(at_s)) for at_s in (1, 10, 31)] == [1, 0, 1]
    guard.stay(32, track=8)
    assert [a.severity for a in guard.worse(33, track=8)] == [Severity.CRITICAL], "another alert is news"


@given(st.lists(st.tuples(st.sampled_from(["stay", "on", "end", "worse"]), st.integers(7, 9)), max_size=60))
def test_raising_loses_no_alert_and_never_goes_down(story: list[tuple[str, int]]) -> None:
    guard = Raising(cooldown_s=0)
    phases = {"stay": BEGAN, "on": CONTINUES, "end": ENDED}
    newest: dict[str, Alert] = {}
    for at_s, (what, track) in enumerate(story):
        told = guard.worse(at_s, track) if what == "worse" else guard.stay(at_s, phases[what], track)
        assert what != "worse" or [a.severity for a in told] == [Severity.CRITICAL]
        for alert in told:
            before = newest.get(alert.alert_id)
            assert alert.revision == (before.revision + 1 if before else 1)
            assert before is None or before.severity in (Severity.WARNING, alert.severity)
            assert len(alert.measures) <= 3
            newest[alert.alert_id] = alert
