"""What the drill adds to a site, what it keeps apart from it, and when the timer's is due."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.link import Acked, Disconnected, LinkEvent, Received
from edgeguard.clock import ManualClock
from edgeguard.config import Config
from edgeguard.fusion import Fuser
from edgeguard.runtime.assembly.drilled import drilled
from edgeguard.runtime.assembly.drilling import Drilling
from edgeguard.runtime.assembly.fusing import policy
from edgeguard.runtime.assembly.subscribing import why_not_due
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.drill_book import Act, DrillBook
from edgeguard.runtime.drill_folder import Record
from edgeguard.runtime.drill_source import DrillSource, LazyScene, Onlooker
from edgeguard.runtime.drill_wire import Apart, DrillGate, DrillLink, overhearing
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.types import ModelRef, Observation, drill
from tests.config.trees import built, tree
from tests.support.alerts import alert

HOUR = 3600 * 10**9
ACT = Act("intrusion", drill.INTRUSION, drill.CAMERA)


def site(**sections: Any) -> Config:
    return built(tree(**sections))


def camera(**detector: Any) -> dict[str, Any]:
    return {"url": "rtsp://192.0.2.10/1", "detector": detector}


class TestWhatIsAdded:
    def test_a_camera_a_microphone_and_their_rules(self) -> None:
        config = drilled(site())
        assert set(config.cameras) == {"gate", drill.CAMERA}
        assert set(config.microphones) == {"gate-mic", drill.MICROPHONE}
        rules = {rule.name: rule for rule in config.rules}
        assert set(rules) == drill.RULES
        assert {rule.severity.value for rule in rules.values()} == {"info"}
        assert config.cameras[drill.CAMERA].priority == "low"

    def test_the_detector_that_most_cameras_have_is_tried_out(self) -> None:
        cameras = {"a": camera(model="yolox-s"), "b": camera(), "c": camera()}
        config = drilled(site(cameras=cameras, rules=[]))
        assert config.cameras[drill.CAMERA].detector == config.cameras["b"].detector

    def test_a_site_that_looks_for_no_persons_sees_no_drill(self) -> None:
        config = drilled(site(cameras={"a": camera(classes=["car"])}))
        assert drill.CAMERA not in config.cameras
        assert drill.INTRUSION not in {rule.name for rule in config.rules}

    @pytest.mark.parametrize(("speech", "sounds"), [(True, False), (False, True)])
    def test_its_microphone_does_what_others_do(self, speech: bool, sounds: bool) -> None:
        microphone = {"url": "alsa://default", "speech": speech, "sounds": sounds}
        hidden = drilled(site(microphones={"mic": microphone})).microphones[drill.MICROPHONE]
        assert (hidden.speech, hidden.sounds, hidden.transcripts) == (speech, sounds, False)

    def test_without_microphones_there_is_none(self) -> None:
        assert drilled(site(microphones={})).microphones == {}

    def test_only_its_own_alerts_are_exercises(self) -> None:
        rules = [{"kind": "sound", "name": "any"}]
        config = drilled(site(rules=rules))
        decides = policy(config, ManualClock())
        for source, rule, exercise in (("gate-mic", "any", False), (drill.MICROPHONE, drill.NOISE, True)):
            seen = Observation("sound", source, 1, 1, 0.9, rule=rule, key=rule, label="glass")
            (alert,) = decides.update(seen)
            assert alert.drill is exercise
            assert alert.summary.startswith("drill: ") is exercise


class TestApart:
    def test_the_sites_patterns_never_hear_of_it(self) -> None:
        book, heard = DrillBook(), []

        class Fusing(Fuser):
            def update(self, observation: Observation) -> list[Observation]:
                heard.append(observation.source)
                return super().update(observation)

        fuser = Apart(Fusing([]), book, ManualClock())
        book.begin([ACT], 10**9)
        for source, rule in (("gate", None), (drill.CAMERA, None), (drill.CAMERA, drill.INTRUSION)):
            seen = Observation("presence", source, 1, 1, 0.9, rule=rule)
            assert fuser.update(seen) == [seen]
        assert heard == ["gate"]
        assert "noticed" in book.passages[0].at_ns
        assert (fuser.late, fuser.crowded, fuser.tick(2, 2), fuser.finish()) == (0, 0, [], [])

    def test_nothing_is_taken_down_while_none_is_held(self) -> None:
        book = DrillBook()
        book.took(drill.CAMERA, 1)
        book.looked(drill.CAMERA, 1, 1)
        book.answered(1, 1, None)
        assert (book.passages, book.to_commit()) == ((), ())


class Wire:
    """A link that takes everything."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def start(self) -> None:
        self.sent.append("start")

    def publish(
        self, topic: str, body: bytes, *, retain: bool = False, correlation: bytes | None = None
    ) -> int | None:
        self.sent.append(topic)
        return len(self.sent)

    def close(self) -> None:
        self.sent.append("close")


def decided(book: DrillBook) -> None:
    book.begin([ACT], 10**9)
    book.decided(replace(alert(), rule=drill.INTRUSION, alert_id="a", drill=True), 1)


def refusal(book: DrillBook) -> str | None:
    return book.passages[0].refusal


def test_the_wire_is_watched_while_a_drill_is_held_and_only_for_its_alerts() -> None:
    book, wire = DrillBook(), Wire()
    events: list[LinkEvent] = []
    link = DrillLink(wire, "edgeguard/v1/depot/gate-1/up/alert/", book, ManualClock())
    notify = overhearing(events.append, book, ManualClock(now_ns=5))
    link.start()
    decided(book)
    for topic, body in (("alert/yard/sound", {"alert_id": "b", "drill": False}), ("status", {})):
        link.publish(f"edgeguard/v1/depot/gate-1/up/{topic}", json.dumps(body).encode())
    assert "published" not in book.passages[0].at_ns
    link.publish("edgeguard/v1/depot/gate-1/up/alert/drill/zone_entered", b'{"alert_id": "a", "drill": true}')
    assert "published" in book.passages[0].at_ns
    told: list[LinkEvent] = [Disconnected("away"), Acked(4, 135, "Not authorized"), Acked(4, 0, "Success")]
    for event in told[:2]:
        notify(event)
    assert refusal(book) == "Not authorized"
    notify(told[2])
    assert book.passages[0].stopped_at is None
    assert refusal(book) is None
    link.close()
    assert events == told
    assert wire.sent[0] == "start"
    assert wire.sent[-1] == "close"


def test_the_desk_works_on_beside_it() -> None:
    done: list[object] = []

    class Desk:
        def receive(self, received: Received) -> None:
            done.append(received)

        def note_config(self, report: ConfigReport) -> None:
            done.append(report)

        def work(self, outbox: object, say: object) -> None:
            done.append("worked")

    class Outbox:
        def transaction(self, step: Any, *, durable: bool) -> Any:
            return step(None)

    class Ledger:
        def find(self, db: object, alert_id: str) -> dict[str, Any] | None:
            return {"stages": {"arrived_ns": 1, "committed_ns": 4}} if alert_id == "a" else None

    book = DrillBook()
    gate: Any = DrillGate(Desk(), Ledger(), book, ManualClock())  # type: ignore[arg-type]
    gate.receive("received")
    gate.note_config("config")
    gate.work(Outbox(), print)
    decided(book)
    gate.work(Outbox(), print)
    assert done == ["received", "config", "worked", "worked"]
    assert book.passages[0].at_ns["captured"] == 1
    assert book.passages[0].at_ns["committed"] == 4


class Source:
    name = drill.CAMERA

    def __init__(self) -> None:
        self.calls: list[str] = []

    def open(self) -> None:
        self.calls.append("open")

    def read(self, timeout_s: float) -> Any:
        self.calls.append("read")
        return "picture"

    def close(self) -> None:
        self.calls.append("close")


def test_a_hidden_source_rests_plays_and_rests_again() -> None:
    clock, book, source = ManualClock(), DrillBook(), Source()
    part = Part("drill/camera", clock)
    waits: list[float] = []
    forgotten: list[int] = []
    hidden: DrillSource[Any] = DrillSource(
        source, lambda: forgotten.append(0), lambda: forgotten.append(1), book, part, clock, waits.append
    )
    hidden.open()
    assert hidden.read(0.25) is None
    assert (part.state, part.code, waits, source.calls) == (State.OFF, "resting", [0.25], [])
    book.begin([ACT], 10**9)
    assert hidden.read(0.25) == "picture"
    assert (source.calls, book.passages[0].taken) == (["open", "read"], 1)
    clock.advance(2)
    assert hidden.read(0.25) is None
    assert (source.calls[-1], forgotten) == ("close", [0, 1])


def test_picture_and_sound_begin_together_once_both_are_ready() -> None:
    clock, book, source = ManualClock(), DrillBook(), Source()
    hidden: DrillSource[Any] = DrillSource(
        source, print, print, book, Part("drill/camera", clock), clock, lambda _s: None
    )
    book.begin([ACT, Act("call", drill.CALL, drill.MICROPHONE)], 10**9)
    clock.advance(100)
    assert hidden.read(0.25) is None
    assert book.waits
    book.ready(drill.MICROPHONE, clock.monotonic_ns())
    clock.advance(0.9)
    assert hidden.read(0.25) == "picture"
    clock.advance(0.2)
    assert hidden.read(0.25) is None


def test_the_scene_is_there_while_it_is_needed() -> None:
    scene = LazyScene("scene://drill")
    first = scene.picture(4.0)
    assert first.shape == (360, 640, 3)
    assert np.abs(scene.sound(6 * 16_000, 8_000)).max() > 0.1
    scene.forget()
    assert (scene.picture(4.0) == first).all()


def test_an_onlooker_notices_nothing() -> None:
    book = DrillBook()
    book.begin([ACT], 10**9)
    onlooker = Onlooker(drill.CAMERA, book, ManualClock(now_ns=3))
    assert onlooker.update([object()]) == onlooker.update([]) == []  # type: ignore[arg-type]
    passage = book.passages[0]
    assert (passage.looked, passage.showing, passage.at_ns["inferred"]) == (2, 1, 3)


class TestWhatIsPlayed:
    def drilling(self, heard: dict[str, ModelRef], tmp_path: Path, **sections: Any) -> Drilling:
        clock = ManualClock()
        board = HealthBoard(clock)
        board.part("sounds").set(State.OFF, "yamnet is not installed")
        seen = {drill.CAMERA: ModelRef("yolox", None, "tensorrt")}
        config = site(state_dir=str(tmp_path), **sections)
        return Drilling(config, clock, board, Channel(10), lambda: (seen, heard))

    def test_what_there_are_models_for(self, tmp_path: Path) -> None:
        heard = {"intent": ModelRef("phrases", None, "sherpa-onnx")}
        script = self.drilling(heard, tmp_path)._script()
        assert [act.name for act in script.acts] == ["intrusion", "call"]
        assert script.left_out == {"noise": "yamnet is not installed"}
        assert script.judges == {"intrusion": "yolox (tensorrt)", "call": "phrases (sherpa-onnx)"}

    def test_without_microphones_it_says_so(self, tmp_path: Path) -> None:
        script = self.drilling({}, tmp_path, microphones={})._script()
        assert script.left_out["call"] == "no microphone here listens for speech"

    def test_where_it_is_not_enabled_nothing_is_hidden(self, tmp_path: Path) -> None:
        drilling = self.drilling({}, tmp_path, drill={"enabled": False})
        assert (drilling.stages(), drilling.ask()) == ({}, "drills are not enabled here")
        assert drill.CAMERA not in drilling.config.cameras
        assert drilling.gate("desk", "ledger") == "desk"  # type: ignore[arg-type,comparison-overlap]


@pytest.mark.parametrize(
    ("section", "passed_h", "missed", "reason"),
    [
        ({"every_h": 24}, None, False, None),
        ({"every_h": 24}, 23, False, "passed 23.0 hours ago"),
        ({"every_h": 24}, 23.95, False, None),
        ({"every_h": 24}, 25, False, None),
        ({"every_h": 24}, 1, True, None),
        ({"every_h": 24}, -5, False, None),
        ({}, None, False, "drill.every_h is not set"),
        ({"enabled": False, "every_h": 24}, None, False, "drill.enabled is false"),
        ({"every_h": 24, "schedule": "night"}, None, False, "outside of the schedule night"),
    ],
)
def test_when_the_timers_is_due(
    section: dict[str, Any], passed_h: float | None, missed: bool, reason: str | None
) -> None:
    noon_ns = 1_800_014_400 * 10**9  # 2027-01-15 12:00 UTC
    passed_ns = None if passed_h is None else noon_ns - round(passed_h * HOUR)
    record = Record(heard_utc_ns=passed_ns, reason="it was missed" if missed else None)
    said = why_not_due(site(drill=section, timezone="UTC"), record, noon_ns)
    assert said is None if reason is None else reason in str(said)
