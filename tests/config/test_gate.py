"""Which pictures of a camera are decoded."""

from __future__ import annotations

import pytest

from edgeguard.config.loading import parse
from tests.config.trees import built, camera, faults, rule

LINE = {"entrance": {"start": [0, 0.5], "end": [1, 0.5]}}


def test_the_word_off_is_off_however_yaml_reads_it() -> None:
    text = "site: s\ndevice: d\nmqtt: {host: 127.0.0.1}\n"
    text += "cameras: {gate: {url: 'rtsp://192.0.2.1/', gate: off}}\n"
    assert parse(text, "guard.yaml").cameras["gate"].gate == "off"
    assert built(camera()).cameras["gate"].gate == "off"


def test_whether_it_is_on_is_no_choice() -> None:
    (told,) = faults(camera(gate=True))
    assert told == "cameras.gate.gate: given true, expected one of off, auto, keyframes"


@pytest.mark.parametrize(("gate", "fine"), [("off", True), ("auto", True), ("keyframes", False)])
def test_a_line_needs_every_picture(gate: str, fine: bool) -> None:
    whole = {**camera(gate=gate, lines=LINE), "rules": rule(kind="line_crossed", line="entrance")["rules"]}
    del whole["rules"][0]["zone"]
    if fine:
        assert built(whole).cameras["gate"].gate == gate
        return
    (told,) = faults(whole)
    assert told.startswith("rules[0].kind: expected no line_crossed, which needs every picture")
