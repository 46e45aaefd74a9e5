"""A running house is given another configuration: what stays the same runs on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgeguard.config import Config, parse
from edgeguard.coverage import Book, read
from edgeguard.runtime.assembly.changing import beyond, change, touched
from edgeguard.runtime.assembly.house import House
from edgeguard.runtime.vision import VisionStage
from edgeguard.types import Frame
from tests.support.broker import free_port
from tests.support.waiting import wait_for

Json = dict[str, Any]
_ALL = {"all": {"polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]}}


def tree(folder: Path, *cameras: str) -> Json:
    return {
        "site": "depot",
        "device": "gate-1",
        "state_dir": str(folder / "state"),
        "models": {"dir": str(folder / "models")},
        "detector": {"model": "motion"},
        "mqtt": {"host": "127.0.0.1", "port": free_port()},
        "health": {"http_port": 0},
        "drill": {"enabled": False},
        "cameras": {name: {"url": "scene://yard", "analyse_fps": 2, "zones": _ALL} for name in cameras},
        "rules": [
            {"kind": "zone_entered", "name": f"{name}-entered", "camera": name, "zone": "all"}
            for name in cameras
        ],
    }


def made(tree: Json) -> Config:
    return parse(yaml.safe_dump(tree), "edgeguard.yaml")


class Running:
    """A house whose threads run, without the daemon around them."""

    def __init__(self, config: Config, seen: list[Frame]) -> None:
        self.house = House(config)
        self.crew = self.house.daemon().crew
        self.seen = seen
        for thread in self.crew.everyone:
            thread.start()

    def refit(self, config: Config) -> None:
        for _ in self.house.refit(config):
            time.sleep(0.01)

    def wait_for_frames(self, camera: str, count: int = 3) -> None:
        before = len(self.of(camera))
        wait_for(lambda: len(self.of(camera)) >= before + count, f"frames of {camera}", 60)

    def of(self, camera: str) -> list[Frame]:
        return [frame for frame in list(self.seen) if frame.source == camera]

    def threads(self) -> dict[str, threading.Thread]:
        return {thread.name: thread for thread in threading.enumerate() if thread.is_alive()}

    def stop(self) -> None:
        for thread in reversed(self.crew.everyone):
            thread.ask_to_stop()
        for thread in reversed(self.crew.everyone):
            thread.join(10)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    seen: list[Frame] = []
    look = VisionStage._look_for_tampering

    def note(stage: VisionStage, frames: list[Frame]) -> None:
        seen.extend(frames)
        look(stage, frames)

    monkeypatch.setattr(VisionStage, "_look_for_tampering", note)
    running = Running(made(tree(tmp_path, "one", "two")), seen)
    try:
        yield running
    finally:
        running.stop()


def test_no_frame_of_the_other_camera_is_missed(running: Running, tmp_path: Path) -> None:
    running.wait_for_frames("one")
    running.wait_for_frames("two")
    before = running.threads()
    changed = tree(tmp_path, "one", "two", "three")
    changed["mqtt"] = running.house.config.mqtt.model_dump(include={"host", "port"})
    changed["cameras"]["two"] |= {"analyse_fps": 8, "detector": {"classes": ["motion"], "confidence": 0.4}}
    so_far = running.of("one")[-1].sequence
    running.refit(made(changed))
    running.wait_for_frames("three")
    running.wait_for_frames("two")
    running.wait_for_frames("one")
    after = running.threads()
    assert after["capture-one"] is before["capture-one"]
    assert after["vision"] is before["vision"]
    assert after["capture-two"] is not before["capture-two"]
    numbers = [frame.sequence for frame in running.of("one") if frame.sequence >= so_far]
    assert numbers == list(range(so_far, so_far + len(numbers))), "each frame, in its order"
    del changed["cameras"]["two"], changed["rules"][1]
    running.refit(made(changed))
    assert "capture-two" not in running.threads()
    running.wait_for_frames("one")
    parts = running.house.report()["parts"]
    assert "camera/two" not in parts
    assert "camera/three" in parts
    assert [name for name in parts if name.startswith("detector")] == ["detector"]


def test_rules_alone_need_no_camera_to_be_opened_anew(running: Running, tmp_path: Path) -> None:
    running.wait_for_frames("one")
    before = running.threads()
    changed = tree(tmp_path, "one", "two")
    changed["mqtt"] = running.house.config.mqtt.model_dump(include={"host", "port"})
    changed["rules"][0] |= {"kind": "loitering", "dwell_s": 5}
    changed["rules"].append({"kind": "blind", "name": "blind", "after_s": 5})
    running.refit(made(changed))
    running.wait_for_frames("one")
    assert running.threads()["capture-one"] is before["capture-one"]


def test_what_each_change_asks_for(tmp_path: Path) -> None:
    plain = tree(tmp_path, "one", "two")
    before = made(plain)

    def after(**cameras: Json) -> Config:
        return made(
            {**plain, "cameras": {name: plain["cameras"][name] | more for name, more in cameras.items()}}
        )

    same = change(before, after(one={}, two={}))
    assert not any((same.closed, same.opened, same.reviewed, same.reheard))
    faster = change(before, after(one={}, two={"analyse_fps": 9}))
    assert (faster.closed, faster.opened, faster.reviewed) == ({"two"}, {"two"}, {"two"})
    masked = change(before, after(one={}, two={"masks": [[[0, 0], [1, 0], [1, 1]]]}))
    assert (masked.opened, masked.reviewed) == (frozenset(), {"two"})
    off = change(before, after(one={}, two={"enabled": False}))
    assert (off.closed, off.opened, off.reviewed) == ({"two"}, frozenset(), frozenset())
    is_touched = touched(before, after(one={}, two={"analyse_fps": 9}))
    assert is_touched("camera/two")
    assert is_touched("vision")
    assert not is_touched("camera/one")
    assert not is_touched("broker")
    assert not is_touched("box")


def test_a_camera_and_the_microphone_on_its_connection_go_together(tmp_path: Path) -> None:
    plain = tree(tmp_path, "one")
    plain["cameras"]["one"]["url"] = "rtsp://192.0.2.10/1"
    plain["microphones"] = {"mic": {"url": "rtsp://192.0.2.10/1"}, "hall": {"url": "alsa://default"}}
    changed = yaml.safe_load(yaml.safe_dump(plain))
    changed["cameras"]["one"]["latency_ms"] = 500
    found = change(made(plain), made(changed))
    assert found.opened == {"one", "mic"}
    assert found.reheard == {"mic"}


def test_what_a_running_process_cannot_change(tmp_path: Path) -> None:
    plain = tree(tmp_path, "one")
    before = made(plain)
    assert beyond(before, made({**plain, "tracker": {"lost_s": 3}})) == []
    assert beyond(before, made({**plain, "log": {"level": "debug"}})) == ["log"]
    assert beyond(before, made({**plain, "microphones": {"mic": {"url": "alsa://default"}}})) == [
        "microphones"
    ]


def test_a_microphone_changes_while_the_other_is_heard(running: Running, tmp_path: Path) -> None:
    changed = tree(tmp_path, "one", "two")
    changed["mqtt"] = running.house.config.mqtt.model_dump(include={"host", "port"})
    quiet = {"url": "scene://hall", "speech": False, "sounds": False}
    changed["microphones"] = {"hall": dict(quiet), "desk": dict(quiet)}
    running.refit(made(changed))

    def heard(name: str) -> int:
        return running.house.board.part(f"microphone/{name}").done

    wait_for(lambda: heard("hall") > 3 and heard("desk") > 3, "sound", 60)
    before = running.threads()
    changed["microphones"]["desk"]["checks"] = {"enabled": False}
    running.refit(made(changed))
    so_far = heard("hall")
    wait_for(lambda: heard("hall") > so_far + 3 and heard("desk") > 3, "sound", 60)
    after = running.threads()
    assert after["audio-hall"] is before["audio-hall"]
    assert after["audio-desk"] is not before["audio-desk"]
    hearing = running.house.board.part("hearing")
    assert "desk" not in (hearing.reason or ""), hearing.reason
    del changed["microphones"]["desk"]
    running.refit(made(changed))
    assert "microphone/desk" not in running.house.report()["parts"]


def test_the_book_of_blind_time_knows_what_is_watched(running: Running, tmp_path: Path) -> None:
    running.wait_for_frames("one")
    changed = tree(tmp_path, "one", "three")
    changed["mqtt"] = running.house.config.mqtt.model_dump(include={"host", "port"})
    running.refit(made(changed))
    running.wait_for_frames("three")
    book = Book(read(tmp_path / "state" / "coverage"))
    assert book.sources == ("one", "three")
    wait_for(lambda: not Book(read(tmp_path / "state" / "coverage")).lost, "nothing is lost")
