from __future__ import annotations

from edgeguard.config import Config, parse
from edgeguard.config.difference import differences

BASE = """
site: depot
device: gate-1
mqtt: {host: 127.0.0.1}
cameras:
  gate: {url: 'rtsp://a:secret@192.0.2.10/1', zones: {dock: {polygon: [[0,0],[1,0],[1,1]]}}}
rules: [{kind: zone_entered, name: dock-entered, camera: gate, zone: dock}]
"""


def config(*changes: tuple[str, str]) -> Config:
    text = BASE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return parse(text, "edgeguard.yaml")


def told(*changes: tuple[str, str]) -> list[str]:
    return [str(one) for one in differences(config(), config(*changes))]


def test_the_same_is_no_difference() -> None:
    assert told() == []


def test_a_key_is_told_with_both_values() -> None:
    assert told(("camera: gate,", "camera: gate, cooldown_s: 5,")) == [
        "~ rules[dock-entered].cooldown_s: 10.0 -> 5.0"
    ]


def test_what_comes_and_goes_is_told_by_its_name() -> None:
    (gone, come) = told(("name: dock-entered", "name: other"))
    assert gone.startswith("- rules[dock-entered]: {")
    assert come.startswith("+ rules[other]: {")


def test_another_password_is_told_and_not_shown() -> None:
    (line,) = told(("secret", "another"))
    assert "cameras.gate.url" in line
    assert "another login" in line
    assert "secret" not in line
