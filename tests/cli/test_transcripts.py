from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeguard.clock import ManualClock
from edgeguard.evidence import Transcripts
from tests.cli.conftest import Type


@pytest.fixture
def config(tmp_path: Path) -> str:
    clock = ManualClock()
    kept = Transcripts(tmp_path / "state/transcripts", clock, 7)
    kept.keep("hall", clock.utc_ns(), "who is there")
    kept.keep("gate", clock.utc_ns(), "nobody")
    path = tmp_path / "guard.yaml"
    path.write_text(
        "site: a\ndevice: b\nstate_dir: state\nmqtt: {host: localhost}\n"
        "microphones: {hall: {url: 'scene://hall'}}\n"
    )
    return str(path)


def test_sentences_are_listed(type_in: Type, config: str) -> None:
    result = type_in("transcripts", "list", config)
    assert result.stdout == (
        "2023-11-14T22:13:20.000Z  gate  nobody\n2023-11-14T22:13:20.000Z  hall  who is there\n"
    )
    lines = type_in("transcripts", "list", config, "--microphone", "hall", "--json").stdout.splitlines()
    assert [json.loads(line)["text"] for line in lines] == ["who is there"]


def test_sentences_are_deleted(type_in: Type, config: str) -> None:
    assert type_in("transcripts", "delete", config, "--microphone", "hall").stdout == "1 file deleted\n"
    assert "who is there" not in type_in("transcripts", "list", config).stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["delete"], "say what to delete"),
        (["list", "--day", "../.."], "is no day"),
        (["list", "--microphone", "*"], "is no microphone's name"),
    ],
)
def test_what_is_unclear_is_refused(type_in: Type, config: str, words: list[str], told: str) -> None:
    result = type_in("transcripts", words[0], config, *words[1:])
    assert result.exit_code != 0
    assert told in result.stderr
