from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgeguard.cli.listen import levels_of, line
from edgeguard.types import Measure, Observation, Phase
from tests.cli.conftest import Type

GLASS = "data/audio/events/glass_break_1.wav"


def test_a_recording_is_heard_and_its_sounds_are_printed(type_in: Type, mirror: Path) -> None:
    result = type_in("listen", mirror / GLASS, "--mirror", mirror)
    assert result.exit_code == 0, result.output
    assert "sound began glass" in result.output
    assert "sound ended glass" in result.output


def test_models_are_looked_for_where_a_guard_would(
    type_in: Type, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEGUARD_MIRROR", str(mirror))
    assert "sound began glass" in type_in("listen", mirror / GLASS).output


def test_a_recording_in_which_nothing_is_known_says_so(type_in: Type, tmp_path: Path) -> None:
    path = tmp_path / "still.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(64_000))
    result = type_in("listen", path)
    assert result.exit_code == 0, result.output
    assert "nothing was said or heard" in result.stderr


def test_json_is_one_object_a_line(type_in: Type, mirror: Path) -> None:
    result = type_in("listen", mirror / GLASS, "--mirror", mirror, "--json")
    rows = [json.loads(row) for row in result.stdout.splitlines() if row.startswith("{")]
    sounds = [row for row in rows if row["kind"] == "sound"]
    assert [(row["label"], row["phase"], row["source"]) for row in sounds] == [
        ("glass", "began", "listen"),
        ("glass", "ended", "listen"),
    ]
    assert sounds[0]["at"].endswith("Z")


def test_what_cannot_be_heard_is_said(type_in: Type, tmp_path: Path) -> None:
    (tmp_path / "empty.wav").write_bytes(b"")
    result = type_in("listen", tmp_path / "empty.wav")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def test_a_target_that_is_none_is_named_with_those_that_there_are(
    type_in: Type, config: dict[str, Any], write: Callable[[dict[str, Any]], Path]
) -> None:
    assert "'hall.wav' is no file" in type_in("listen", "hall.wav").output
    config["microphones"] = {"gate": {"url": "alsa://default"}}
    result = type_in("listen", "gait", "--config", write(config))
    assert result.exit_code == 78
    assert "microphone: gate" in " ".join(result.output.split())


def test_a_microphone_of_the_configuration_is_heard_and_nothing_is_written(
    type_in: Type,
    config: dict[str, Any],
    write: Callable[[dict[str, Any]], Path],
    mirror: Path,
    tmp_path: Path,
) -> None:
    config["state_dir"] = str(tmp_path / "state")
    config["models"] = {"mirrors": [str(mirror)]}
    config["microphones"] = {"hall": {"url": (mirror / GLASS).as_uri(), "pace": "fast", "transcripts": True}}
    result = type_in("listen", "hall", "--config", write(config))
    assert result.exit_code == 0, result.output
    assert "hall  sound began glass" in result.output
    assert not (tmp_path / "state").exists()


def test_ctrl_c_ends_it_without_a_traceback(mirror: Path) -> None:
    words = ["listen", "scene://hall", "--realtime", "--mirror", str(mirror), "--json"]
    code = "import sys; from edgeguard.cli import main; sys.argv[0] = 'edgeguard'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert first["kind"] == "level"
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("kind", "label", "text", "expected"),
    [
        ("keyword", "help me", "help me", "keyword help me"),
        ("utterance", None, "who is there", 'utterance "who is there"'),
    ],
)
def test_a_line_says_what_was_noticed(kind: str, label: str | None, text: str, expected: str) -> None:
    told = Observation(
        kind, "gate", 0, 0, 1.0, Phase.INSTANT, label=label, text=text, measures=(Measure("confidence", 0.5),)
    )
    assert line(told) == f"1970-01-01T00:00:00.000Z  gate  {expected}  (confidence 0.50)"


def test_levels_are_those_that_were_measured() -> None:
    assert levels_of({"microphone/gate": {"level_dbfs": -40.0}, "speech": {}}) == {"gate": -40.0}
