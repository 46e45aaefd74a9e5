"""Writes the shipped example conversation anew: `python -m tests.golden.conversation`.

One device through a bad night, message by message, made by the code that makes them in service: what a
dashboard's author can feed to a new subscriber. It is written to `edgeguard/alerts/examples/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from edgeguard.alerts.blind import coverage_message
from edgeguard.alerts.configured import ConfigReport, config_message, desired_message
from edgeguard.alerts.exchange import (
    Outcome,
    Unavailable,
    ack_message,
    command_message,
    receipt_message,
    result_message,
)
from edgeguard.alerts.messages import (
    ClockQuality,
    Counts,
    HealthReport,
    Identity,
    Message,
    alert_message,
    clock_message,
    counts_message,
    health_message,
    rfc3339,
    status_message,
)
from edgeguard.alerts.topics import Topics
from edgeguard.types import (
    Alert,
    AlertState,
    BlindTime,
    ClipRef,
    CoverageDay,
    Measure,
    ModelRef,
    Severity,
    SourceDay,
    Stages,
)

PATH = Path(str(resources.files("edgeguard.alerts"))) / "examples" / "conversation.jsonl"
NIGHT_NS = 1_795_831_200_000_000_000
"""2026-11-28 02:00 UTC."""
BOOT = "e30af27c-413e-48d4-a5d2-2d29cbfe6981"
SLOW_S = -3600
"""How wrong its clock is at first."""
NEXT_BOOT = "5c1f6a0e-93a4-4a52-9b44-7f0d2b8f3a11"
LOITERER, PASSER = (f"019b0{digit}00-0000-7000-8000-00000000000{digit}" for digit in "12")
ACK_ID = "0f5a2f7e-52e5-4b5b-9b1e-3e0f9c1d2a01"
CONFIG_ID = "0f5a2f7e-52e5-4b5b-9b1e-3e0f9c1d2a03"
REPLAY_ID = "0f5a2f7e-52e5-4b5b-9b1e-3e0f9c1d2a02"

FIRST_RUN = Identity("depot", "gate-1", BOOT, "0.1.0", NIGHT_NS + SLOW_S * 10**9)
SECOND_RUN = Identity("depot", "gate-1", NEXT_BOOT, "0.1.0", NIGHT_NS + 900 * 10**9)
TOPICS = Topics("depot", "gate-1")
SYNCED, UNSYNCED = ClockQuality("synced", 0.4, "ntp", 21.5), ClockQuality("unsynced")
STAGES = Stages(
    8156096022210,
    8156102918974,
    8156130621791,
    8156131135695,
    sensor_ns=8155988750441,
    received_ns=8156092104377,
)


def at(seconds: float) -> int:
    return NIGHT_NS + round(seconds * 1e9)


def report(state: str, gate: str, reason: str | None, pending: int) -> HealthReport:
    since = {"since_utc_ns": at(SLOW_S + 1)}
    parts = {
        "camera/gate": {"state": gate, "reason": reason, "rate_per_s": 5.0, "frames_replaced": 1, **since},
        "outbox": {"state": "ok", "reason": None, "pending": pending, "committed": 7, "lost": 0, **since},
    }
    return HealthReport(state, parts)


def loitering() -> Alert:
    return Alert(
        alert_id=LOITERER,
        revision=1,
        state=AlertState.OPENED,
        kind="loitering",
        severity=Severity.ALARM,
        source="gate",
        rule="restricted-loitering",
        opened_utc_ns=at(60),
        observed_utc_ns=at(60),
        closed_utc_ns=None,
        confidence=0.82,
        summary="person 1 stayed 8 s in restricted (limit 8 s)",
        zone="restricted",
        label="person",
        track_ids=(1,),
        measures=(Measure("dwell_s", 8.0, ">=", 8.0),),
        stages=STAGES,
        decided_ns=8156131409008,
        models=(ModelRef("yolox-nano-416", "ab" * 32, "onnxruntime-cpu"),),
        evidence=(ClipRef(LOITERER, "image/jpeg", f"2026-11-28/{LOITERER}-1.jpg", "cd" * 32, 41325),),
    )


def passing() -> Alert:
    return replace(
        loitering(),
        alert_id=PASSER,
        kind="line_crossed",
        severity=Severity.INFO,
        rule="gate-passed",
        opened_utc_ns=at(SLOW_S + 10),
        observed_utc_ns=at(SLOW_S + 10),
        closed_utc_ns=at(SLOW_S + 10),
        summary="person 2 crossed gate forward",
        zone="gate",
        measures=(Measure("direction", "forward", "is", "forward"),),
        blind=(BlindTime("gate", "connecting", at(SLOW_S), at(SLOW_S + 1.2)),),
        evidence=(),
    )


def the_day_before() -> CoverageDay:
    midnight = -2 * 3600
    gap = BlindTime("gate", "unreachable", at(midnight - 7200), at(midnight - 7080))
    source = SourceDay("gate", 86_400.0, 120.0, (gap,))
    return CoverageDay("2026-11-27", "UTC", at(midnight - 86_400), at(midnight), (source,))


def revision(alert: Alert, number: int, seconds: float, closed: bool = False) -> Alert:
    state = AlertState.CLOSED if closed else AlertState.UPDATED
    return replace(
        alert,
        revision=number,
        state=state,
        observed_utc_ns=at(seconds),
        closed_utc_ns=at(seconds) if closed else None,
        summary=f"person 1 stayed {seconds - 52:.0f} s in restricted (limit 8 s)",
        measures=(Measure("dwell_s", seconds - 52, ">=", 8.0),),
    )


def told(alert: Alert, identity: Identity, seq: int, clock: ClockQuality = SYNCED, **more: Any) -> Message:
    message = alert_message(alert, identity, seq, 8156134277175, clock) | more
    message["stages"]["published_ns"] = 8156140342341
    return message


def conversation() -> Iterator[tuple[str, str, bool, Message]]:
    """(what happens, topic, retained, message)."""
    alert_topic = TOPICS.alert("gate", "loitering")
    first, alarm = FIRST_RUN, loitering()
    acknowledged = {"by": "porter", "at": rfc3339(at(500)), "verdict": "true", "note": "police called"}
    raised = {"severity": "critical", "escalated_at": rfc3339(at(360))}
    yield "It starts.", TOPICS.status, True, status_message("online", first, at(SLOW_S), 0, "receipt")
    health = health_message(report("ok", "ok", None, 0), first, at(SLOW_S + 1), 0, UNSYNCED)
    yield "All is well, but the clock was never set.", TOPICS.health, True, health
    yield (
        "Somebody passes; the time is an hour behind.",
        TOPICS.alert("gate", "line_crossed"),
        False,
        told(passing(), first, 1, UNSYNCED),
    )
    yield (
        "The clock is set: add 3,600,000 ms to the times of seq 1.",
        TOPICS.clock,
        False,
        clock_message(3_600_000.0, first, 2, at(30), SYNCED),
    )
    counts = Counts("gate", {"person": 1}, {"person": 1}, {"restricted": {"person": 1}})
    yield (
        "Somebody stands in the restricted zone.",
        TOPICS.counts("gate"),
        True,
        counts_message(counts, first, at(55)),
    )
    yield "He stays too long.", alert_topic, False, told(alarm, first, 3)
    receipt = receipt_message("depot", "gate-1", "centre", [(BOOT, 1), (BOOT, 2), (BOOT, 3)], at(60.02))
    yield "The collector has it in its database.", TOPICS.receipt, False, receipt
    yield "He is still there.", alert_topic, False, told(revision(alarm, 2, 70), first, 4)
    yield "He leaves.", alert_topic, False, told(revision(alarm, 3, 75, closed=True), first, 5)
    escalated = told(revision(alarm, 4, 75, closed=True), first, 6, **raised)
    yield "Nobody acknowledged it for five minutes.", alert_topic, False, escalated
    ack = ack_message(
        "depot", "gate-1", LOITERER, ack_id=ACK_ID, by="porter", utc_ns=at(500), verdict="true",
        note="police called",
    )  # fmt: skip
    yield "The porter has seen it.", TOPICS.ack, False, ack
    done = result_message(first, ACK_ID, "ack", Outcome(True), at(500.1))
    yield "The device answers him.", TOPICS.result(ACK_ID), False, done
    final = told(revision(alarm, 5, 75, closed=True), first, 7, **raised, acknowledged=acknowledged)
    yield "And tells everybody.", alert_topic, False, final
    yield (
        "Its power is cut: the broker says so.",
        TOPICS.status,
        True,
        status_message("offline", first, custody="receipt"),
    )
    second = SECOND_RUN
    yield "It is back.", TOPICS.status, True, status_message("online", second, at(901), 8, "receipt")
    past = health_message(
        report("degraded", "degraded", "no picture for 10 s", 1), first, at(880), 8, SYNCED, seq=8
    )
    yield (
        "What it could not tell before the power went.",
        TOPICS.health_past,
        False,
        past | {"replayed": True},
    )
    yield (
        "For how much of the day before it was watching.",
        TOPICS.coverage("2026-11-27"),
        False,
        coverage_message(the_day_before(), second, 9, at(961), SYNCED),
    )
    command = command_message(
        "depot", "gate-1", "replay", command_id=REPLAY_ID, by="centre", utc_ns=at(960), from_seq=1, to_seq=2
    )
    yield "A new dashboard asks for the beginning.", TOPICS.command("replay"), False, command
    answer = Outcome(True, replayed=1, unavailable=(Unavailable(1, 1, "expired"),))
    yield (
        "One it still has, one it has not.",
        TOPICS.result(REPLAY_ID),
        False,
        result_message(second, REPLAY_ID, "replay", answer, at(960.1)),
    )
    again = clock_message(3_600_000.0, first, 2, at(30), SYNCED) | {"replayed": True}
    yield "Here it is again.", TOPICS.clock, False, again
    yield from reconfigured()
    yield (
        "It is stopped on purpose.",
        TOPICS.status,
        True,
        status_message("stopped", second, at(1000), 9, "receipt"),
    )


def reconfigured() -> Iterator[tuple[str, str, bool, Message]]:
    """Another configuration, which does not do as well as the one before."""
    effective = ConfigReport("ef" * 32, "file", "applied", at(961))
    yield "Which configuration it has.", TOPICS.config, True, config_message(effective, SECOND_RUN, at(961))
    text = "cameras: {gate: {url: rtsp://192.0.2.11/1}}\nrules: []\n"
    desired = desired_message("depot", "gate-1", text, config_id=CONFIG_ID, by="fleet", utc_ns=at(970))
    yield "Another one is sent.", TOPICS.config_desired, False, desired
    taken = result_message(SECOND_RUN, CONFIG_ID, "config", Outcome(True), at(970.1))
    yield "It is without fault, and tried.", TOPICS.result(CONFIG_ID), False, taken
    reason = "camera/gate is degraded: cannot connect to 192.0.2.11"
    back = ConfigReport("ef" * 32, "file", "rolled_back", at(985), reason, CONFIG_ID, "fleet")
    yield (
        "But the camera gives nothing, so the one before is in effect again.",
        TOPICS.config,
        True,
        config_message(back, SECOND_RUN, at(985)),
    )


def lines() -> str:
    rows = (
        {"what": what, "topic": topic, "retained": retained, "message": message}
        for what, topic, retained, message in conversation()
    )
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def main() -> None:
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(lines())


if __name__ == "__main__":
    main()
