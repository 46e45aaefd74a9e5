"""Models that are there, and models that are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.alerts.strict import assert_valid
from tests.support.broker import Broker
from tests.support.daemon import Box, Listener, settings

pytestmark = pytest.mark.e2e
SCENE = "scene://yard?width=320&height=180"
RESTRICTED = [[0.567, 0.795], [0.959, 0.795], [0.816, 0.573], [0.546, 0.573]]


def yard(broker: Broker, *rules: dict[str, Any], **other: Any) -> dict[str, Any]:
    """The drawn yard, seen and heard as fast as it can be drawn: at 21 s glass breaks behind somebody."""
    camera = {"url": SCENE, "pace": "fast", "zones": {"restricted": {"polygon": RESTRICTED}}}
    microphone = {"url": SCENE, "pace": "fast", "camera": "yard"}
    return settings(broker.port, {"yard": camera}, list(rules), microphones={"yard-mic": microphone}, **other)


ENTERED = {"kind": "zone_entered", "name": "entered", "camera": "yard", "zone": "restricted"}
HEARD = {"kind": "sound", "name": "glass-heard", "tags": ["glass"]}
BREAK_IN = {**ENTERED, "kind": "heard_and_seen", "name": "break-in", "tags": ["glass"], "severity": "alarm"}


def test_without_models_motion_stands_in_and_health_says_what_is_missing(
    tmp_path: Path, broker: Broker, listener: Listener
) -> None:
    keyword = {"kind": "keyword", "name": "help-called"}
    phrases = [{"phrase": "help me"}, {"phrase": "sesame"}]
    config = yard(broker, ENTERED, HEARD, keyword, speech={"keywords": phrases})
    config["detector"] = {"model": "yolox-nano-416"}
    with Box(tmp_path, config) as box:
        box.start()
        reason = box.wait_for_part("detector", "degraded")["reason"]
        assert "edgeguard models pull yolox-nano-416" in reason
        speech = box.wait_for_part("speech", "degraded")
        assert speech["model"] == "phrases-en"
        assert "phrases-en does not know 'sesame'" in speech["reason"]
        assert "edgeguard models pull yamnet" in box.wait_for_part("sounds", "degraded")["reason"]
        (entered,) = listener.wait_for_alerts(1, lambda alert: alert["kind"] == "zone_entered")[:1]
        (called,) = listener.wait_for_alerts(1, lambda alert: alert["kind"] == "keyword")[:1]
        assert (called["label"], called["models"][0]["name"]) == ("help me", "phrases-en")
        assert entered["models"][0]["name"] == "motion-mog2"
        assert box.stop() == 0


def test_what_is_heard_and_seen_together_is_one_alarm_with_its_picture(
    tmp_path: Path, mirror: Path, broker: Broker, listener: Listener
) -> None:
    if not (mirror / "models" / "audio" / "yamnet.onnx").exists():
        pytest.skip("the folder of real clips and models has no YAMNet")
    config = yard(broker, HEARD, BREAK_IN, speech={"enabled": False})
    config["models"]["mirrors"] = [str(mirror)]
    with Box(tmp_path, config) as box:
        box.start()
        box.wait_for_part("sounds", "ok")
        (alarm,) = listener.wait_for_alerts(1, lambda alert: alert["kind"] == "heard_and_seen")[:1]
        (heard,) = listener.wait_for_alerts(1, lambda alert: alert["kind"] == "sound")[:1]
        assert box.stop() == 0
    assert_valid("alert", alarm)
    assert (alarm["source"], alarm["zone"], alarm["label"]) == ("yard", "restricted", "glass")
    assert alarm["severity"] == "alarm"
    measured = {why["measure"]: why["value"] for why in alarm["why"]}
    assert measured["heard_by"] == "yard-mic"
    assert measured["delay_s"] <= 5
    assert len(alarm["evidence"]) == 1
    assert [model["name"] for model in heard["models"]] == ["yamnet"]
    assert (heard["source"], heard["label"]) == ("yard-mic", "glass")
