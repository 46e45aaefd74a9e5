from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeguard.config import advice
from edgeguard.config.advice import named_files
from tests.config.trees import built, camera, rule, tree

KEYWORD = {"kind": "keyword", "name": "k"}
SOUND = {"kind": "sound", "name": "s", "microphone": "gate-mic"}
BOTH = {
    "kind": "heard_and_seen",
    "name": "b",
    "camera": "gate",
    "zone": "dock",
    "tags": ["dog"],
    "keywords": ["help_me"],
}
DOWN = {"kind": "person_down", "name": "d", "camera": "gate", "zone": "dock"}
OFF = {"gate-mic": {"url": "alsa://default", "enabled": False}}


def test_nothing_odd() -> None:
    assert advice(built(tree(rules=[*rule()["rules"], DOWN, KEYWORD, SOUND, BOTH]))) == []


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({}, "rules: none is enabled, so no alert will ever be raised"),
        ({"rules": [KEYWORD], "speech": {}}, "speech.keywords is empty"),
        ({"rules": [KEYWORD], "speech": {"enabled": False}}, "speech.enabled is false"),
        (
            {"rules": [KEYWORD], "microphones": OFF},
            "no microphone that it may use is enabled, with `speech` on",
        ),
        (
            {"rules": [KEYWORD], "microphones": {}},
            "no microphone that it may use is enabled, with `speech` on",
        ),
        ({"rules": [SOUND], "sounds": {"enabled": False}}, "sounds.enabled is false"),
        (
            {"rules": [SOUND], "microphones": {"gate-mic": {"url": "alsa://default", "sounds": False}}},
            "no microphone that it may use is enabled, with `sounds` on",
        ),
        ({"rules": [BOTH], "microphones": OFF}, "no microphone that it may use"),
        ({"rules": [DOWN], "detector": {"model": "motion"}}, "camera gate looks for none of its classes"),
        ({"mqtt": {"host": "broker.example", "allow_plaintext": True}}, "travel unencrypted"),
    ],
)
def test_what_is_odd(sections: dict[str, Any], said: str) -> None:
    assert any(said in line for line in advice(built(tree(**sections))))


def test_one_of_two_ways_to_hear_is_enough() -> None:
    assert advice(built(tree(rules=[BOTH], sounds={"enabled": False}))) == []


def test_a_rule_on_a_camera_that_is_off() -> None:
    values = camera(enabled=False) | {"rules": rule()["rules"]}
    assert advice(built(values)) == ["rules[0]: r can never raise an alert: camera gate is not enabled"]
    assert "nothing is watched" in advice(built(values | {"microphones": {}}))[0]


def test_a_password_in_a_url() -> None:
    values = camera(url="rtsp://u:hunter2@h/s") | {"rules": rule()["rules"]}
    (said,) = advice(built(values))
    assert said.startswith("cameras.gate.url: holds a password")
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("mode", "odd"), [(0o600, False), (0o400, False), (0o640, False), (0o604, True), (0o620, True)]
)
def test_secrets_that_others_can_read(tmp_path: Path, mode: int, odd: bool) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(mode)
    mqtt = {"host": "localhost", "username": "u", "password_file": str(secret)}
    said = advice(built(tree(mqtt=mqtt, rules=rule()["rules"])))
    assert bool(said) == odd
    assert all(line.startswith("mqtt.password_file: ") and "chmod 600" in line for line in said)


def test_files_that_are_missing() -> None:
    tls = {"enabled": True, "ca_file": "/no/ca", "cert_file": "/no/cert", "key_file": "/no/key"}
    values = camera(username="u", password_file="/no/cam") | {
        "rules": rule()["rules"],
        "mqtt": {"host": "h", "tls": tls},
    }
    assert [line.split(":")[0] for line in advice(built(values))] == [
        "cameras.gate.password_file",
        "mqtt.tls.ca_file",
        "mqtt.tls.cert_file",
        "mqtt.tls.key_file",
    ]


def test_the_secrets_of_the_drill_are_looked_at_as_others_are(tmp_path: Path) -> None:
    certificate, *secrets = [tmp_path / name for name in ("drill.crt", "drill.key", "drill-password")]
    for file in (certificate, *secrets):
        file.write_text("hunter2")
        file.chmod(0o644)
    drill = {
        "username": "drill-1",
        **dict(
            zip(("cert_file", "key_file", "password_file"), map(str, (certificate, *secrets)), strict=True)
        ),
    }
    values = built(tree(drill=drill, rules=rule()["rules"]))
    assert [line.split(":")[0] for line in advice(values)] == ["drill.password_file", "drill.key_file"]
    assert ("drill.cert_file", certificate, False) in named_files(values)


@pytest.mark.parametrize(
    ("term", "sections", "why"),
    [
        ({"kind": "presence"}, camera(enabled=False), "no camera of it is enabled"),
        ({"kind": "sound"}, {"sounds": {"enabled": False}}, "sounds.enabled is false"),
        ({"kind": "keyword"}, {"speech": {"enabled": False}}, "speech.enabled is false"),
        (
            {"kind": "sound"},
            {"microphones": OFF},
            "no microphone that it may use is enabled, with `sounds` on",
        ),
        ({"kind": "sound", "sources": ["gate"]}, {}, "no microphone that it may use is enabled"),
        ({"kind": "person_down"}, rule(), "no rule of kind person_down that it may use is enabled"),
        (
            {"kind": "person_down", "zone": "dock"},
            {"rules": [DOWN], "detector": {"model": "motion"}},
            "no rule of kind person_down that it may use is enabled",
        ),
        (
            {"kind": "person_down", "sources": ["gate-mic"]},
            {"rules": [DOWN]},
            "no rule of kind person_down that it may use is enabled",
        ),
    ],
)
def test_a_pattern_that_nothing_can_meet(term: dict[str, Any], sections: dict[str, Any], why: str) -> None:
    pattern = {"kind": "repeated", "name": "p", "of": term, "count": 2}
    told = advice(built(tree(**{**sections, "patterns": [pattern]})))
    assert any(line.startswith(f"patterns[0]: p can never raise an alert: {why}") for line in told)
    heard = pattern | {"of": {"kind": "sound"}}
    assert not any("patterns" in line for line in advice(built(tree(patterns=[heard]))))


@pytest.mark.parametrize("term", [{}, {"sources": ["gate"], "zone": "dock"}, {"rule": "d"}])
def test_a_pattern_that_waits_for_what_a_rule_tells(term: dict[str, Any]) -> None:
    pattern = {"kind": "repeated", "name": "p", "of": {"kind": "person_down", **term}, "count": 2}
    assert advice(built(tree(rules=[DOWN], patterns=[pattern]))) == []
