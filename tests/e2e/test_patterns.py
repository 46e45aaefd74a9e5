"""Real pictures and real sound through real GStreamer: only what belongs together is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.alerts.strict import assert_valid
from tests.support.broker import Broker
from tests.support.daemon import Box, Listener, settings

pytestmark = pytest.mark.e2e
STREET = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]


def test_only_what_a_second_witness_confirms_is_an_alert(
    tmp_path: Path, mirror: Path, broker: Broker, listener: Listener
) -> None:
    if not (mirror / "models" / "audio" / "yamnet.onnx").exists():
        pytest.skip("the folder of real clips and models has no YAMNet")
    clip = mirror / "data" / "video" / "vtest_pets09_s2l1_480x360.mp4"
    glass = mirror / "data" / "audio" / "events" / "glass_break_1.wav"
    cameras = {"street": {"url": f"file://{clip}", "loop": True, "zones": {"road": {"polygon": STREET}}}}
    config = settings(
        broker.port,
        cameras,
        [{"kind": "zone_entered", "name": "somebody", "camera": "street", "zone": "road"}],
        microphones={"street-mic": {"url": f"file://{glass}", "loop": True, "camera": "street"}},
        speech={"enabled": False},
        models={"mirrors": [str(mirror)]},
        detector={"model": "motion"},
        log={"observations": True},
        patterns=[
            {
                "kind": "witnessed",
                "name": "break-in",
                "rule": "somebody",
                "by": [{"kind": "sound", "labels": ["glass"]}],
                "within_s": 30,
                "otherwise": "nothing",
                "severity": "critical",
                "cooldown_s": 600,
            },
            {
                "kind": "together",
                "name": "fight",
                "of": [{"kind": "sound", "labels": ["scream"]}, {"kind": "presence", "sources": ["street"]}],
            },
        ],
    )
    with Box(tmp_path, config) as box:
        box.start()
        box.wait_for_part("sounds", "ok")
        (alarm, *_) = listener.wait_for_alerts(1)
        assert box.stop() == 0
        noticed = "".join(path.read_text() for path in (box.state / "observations").iterdir())
    assert_valid("alert", alarm)
    assert {alert["rule"] for alert in listener.alerts} == {"break-in"}
    assert (alarm["kind"], alarm["severity"], alarm["source"]) == ("pattern", "critical", "street")
    assert {(one["kind"], one["source"], one["label"]) for one in alarm["joined"]} == {
        ("zone_entered", "street", "motion"),
        ("sound", "street-mic", "glass"),
    }
    assert len(alarm["evidence"]) == 1
    assert [model["name"] for model in alarm["models"]] == ["motion-mog2", "yamnet"]
    assert '"kind":"presence"' in noticed
    assert noticed.count('"rule":"somebody"') > 1, "what the pattern held is in the log, and was no alert"
