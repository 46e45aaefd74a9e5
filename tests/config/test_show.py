from __future__ import annotations

import json

import pytest
import yaml

from edgeguard.config import fingerprint, masked, parse, reference, shown
from tests.config.trees import built, camera, tree


def test_nothing_secret_is_shown() -> None:
    config = built(camera(url="rtsp://guard:hunter2@h/s?token=hunter2"))
    for text in (repr(config), str(config), json.dumps(masked(config)), shown(config)):
        assert "hunter2" not in text
    assert masked(config)["cameras"]["gate"]["url"] == "rtsp://***@h/s?token=***"


def test_what_is_shown_is_complete_and_can_be_read_again() -> None:
    config = parse(reference(), "reference.yaml")
    assert parse(shown(config), "again.yaml") == config
    assert masked(config)["schedules"]["night"][0]["from"] == "22:00"
    assert yaml.safe_load(shown(config)) == masked(config)


def test_the_fingerprint_is_that_of_the_meaning() -> None:
    plain = fingerprint(built(tree()))
    assert len(plain) == 64
    assert fingerprint(built(dict(reversed(tree().items())))) == plain
    assert fingerprint(built(tree(log={"level": "info"}, detector={"classes": None}))) == plain


@pytest.mark.parametrize(
    "section", [{"site": "other"}, {"detector": {"iou": 0.5}}, {"rules": []}, {"cameras": {}}]
)
def test_the_fingerprint_follows_every_change(section: dict[str, object]) -> None:
    same = section == {"rules": []}
    assert (fingerprint(built(tree(**section))) == fingerprint(built(tree()))) == same


def test_secrets_leave_the_fingerprint_alone() -> None:
    one, two = (built(camera(url=f"rtsp://guard:{secret}@h/s")) for secret in ("a", "b"))
    assert fingerprint(one) == fingerprint(two)
    assert one != two
