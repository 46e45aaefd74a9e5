"""Rules on sources that give nothing or were tampered with, and how cameras are watched for that."""

from __future__ import annotations

from edgeguard.config import rules
from tests.config.trees import built, faults, tree


def test_rules_on_the_sources_themselves() -> None:
    blind, tampered = built(
        tree(
            rules=[
                {"kind": "blind", "name": "a", "sources": ["gate", "gate-mic"], "after_s": 60},
                {"kind": "tampered", "name": "b", "what": ["covered", "moved"]},
            ]
        )
    ).rules
    assert isinstance(blind, rules.Blind)
    assert (blind.sources, blind.after_s) == (("gate", "gate-mic"), 60.0)
    assert isinstance(tampered, rules.Tampered)
    assert (tampered.camera, tampered.what) == (None, ("covered", "moved"))


def test_a_source_that_is_none_is_a_fault() -> None:
    [fault] = faults(tree(rules=[{"kind": "blind", "name": "a", "sources": ["gate", "gaet"]}]))
    assert "rules[0].sources[1]" in fault
    assert "expected a camera or microphone" in fault
    assert 'did you mean "gate"?' in fault


def test_what_is_no_tampering_is_a_fault() -> None:
    [fault] = faults(tree(rules=[{"kind": "tampered", "name": "a", "what": ["stolen"]}]))
    assert "rules[0].what[0]" in fault


def test_every_camera_is_watched_unless_told_otherwise() -> None:
    assert built(tree()).cameras["gate"].sanity.enabled
    assert built(tree()).cameras["gate"].sanity.ignore == ()
