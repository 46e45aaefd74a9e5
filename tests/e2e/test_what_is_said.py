"""What is said in front of a running daemon, and where it must not come out: a real broker, the real disk."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.broker import Broker
from tests.support.daemon import Box, settings
from tests.support.sound import RATE_HZ, join, silence, tone
from tests.support.waiting import wait_for

pytestmark = pytest.mark.e2e

SENTENCES = (
    "tonight the recipe lies below that purple carpet",
    "grandmother sold everything yesterday my card is four one one one uh one one one one one one one one "
    "one one one one help me please now bring everyone over tomorrow afternoon",
    "write to jane dot doe at example dot com about the elephant",
)
SECRETS = ("recipe", "carpet", "grandmother", "everything", "tomorrow", "elephant", "one one", "jane", "doe")
"""Sentences nobody asked for, words too far from those that were asked for, a card and an address."""

KEPT = [
    "tonight the recipe lies below that purple carpet",
    "grandmother sold everything yesterday my card is [card] help me please now bring everyone over tomorrow "
    "afternoon",
    "write to [e-mail] about the elephant",
]

RULES = ("calls", "meant", "said")

RECOGNISER = f'''
"""Python runs this by itself: the daemon hears from a script what no small model would."""
from edgeguard.runtime import words
from edgeguard.speech import Transcriber
from edgeguard.speech.fake import FakeRecogniser, FakeVad
from edgeguard.types import ModelRef

SCRIPT = {" ".join(SENTENCES).split()!r}

def load(self, choice, live):
    make = lambda source: Transcriber(source, FakeRecogniser(SCRIPT), FakeVad())
    return words.SpeechParts(make, None, (), ModelRef("script", "0" * 64, "none"))

words.WordsMaker.load = load
'''


@pytest.fixture
def script(tmp_path: Path) -> dict[str, str]:
    """The environment of a daemon that hears from the script."""
    (tmp_path / "script").mkdir()
    (tmp_path / "script" / "sitecustomize.py").write_text(RECOGNISER)
    return {"PYTHONPATH": str(tmp_path / "script"), "EDGEGUARD_LOG_LEVEL": "debug"}


def recorded(tmp_path: Path, *counts: int) -> Path:
    """As long a tone for each sentence as it has words, with pauses between them."""
    spoken = [join(silence(1), tone(500, 0.25 * count + 0.1)) for count in counts]
    path = tmp_path / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((join(*spoken, silence(2)) * 32767).astype(np.int16).tobytes())
    return path


def test_nothing_comes_out_but_what_was_asked_for(
    tmp_path: Path, script: dict[str, str], broker: Broker
) -> None:
    recording = recorded(tmp_path, *(len(one.split()) for one in SENTENCES))
    microphone = {"url": f"file://{recording}", "pace": "fast", "sounds": False}
    config = settings(
        broker.port,
        {},
        [
            {"kind": "keyword", "name": "calls", "keywords": ["help"]},
            {"kind": "intent", "name": "meant", "urgency": 0.5},
        ],
        microphones={"hall": microphone, "desk": {**microphone, "transcripts": True}},
        speech={"keywords": [{"name": "help", "phrase": "help me"}]},
        log={"observations": True},
        patterns=[
            {"kind": "together", "name": "said", "of": [{"kind": "utterance", "text": "purple"}]},
            {"kind": "together", "name": "twice", "of": [{"kind": "utterance"}, {"kind": "keyword"}]},
        ],
    )
    with Everything(broker.port) as wire, Box(tmp_path, config, **script) as box:
        box.start()
        wait_for(
            lambda: all(f'"rule":"{rule}"' in "".join(wire.payloads) for rule in RULES), "the alerts", 60
        )
        wait_for(lambda: len(sentences(box.state)) == len(KEPT), "the sentences", 30)
        box.wait_for_part("microphone/desk", "ended")
        assert box.stop() == 0
        written = {
            str(path): path.read_bytes()
            for path in [*box.state.rglob("*"), tmp_path / "stderr.txt"]
            if path.is_file() and "transcripts" not in path.parts
        }
        kept = sentences(box.state)
    assert [one.split('"text": ')[1].strip('"}') for one in kept] == KEPT
    assert any("help me" in payload for payload in wire.payloads), "the words that were asked for"
    for where, text in [*written.items(), *(("the wire", payload.encode()) for payload in wire.payloads)]:
        leaked = [secret for secret in SECRETS if secret.encode() in text]
        assert not leaked, f"{leaked} in {where}"


def test_after_a_crash_a_recording_goes_on_where_it_was(
    tmp_path: Path, script: dict[str, str], broker: Broker
) -> None:
    microphone = {"url": f"file://{recorded(tmp_path, 4, 4, 4)}", "sounds": False, "transcripts": True}
    config = settings(broker.port, {}, [], microphones={"desk": microphone})
    with Box(tmp_path, config, **script) as box:
        box.start()
        wait_for(lambda: sentences(box.state), "the first sentence")
        box.kill9()
        box.start()
        box.wait_for_part("microphone/desk", "ended")
        assert box.stop() == 0
        assert len(sentences(box.state)) == 3


def sentences(state: Path) -> list[str]:
    return [line for path in state.glob("transcripts/*/*.jsonl") for line in path.read_text().splitlines()]


class Everything:
    """Whatever anybody publishes, on any topic."""

    def __init__(self, port: int) -> None:
        self.payloads: list[str] = []
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("#")
        self._client.loop_start()

    def _take(self, _client: object, _userdata: object, message: MQTTMessage) -> None:
        self.payloads.append(message.payload.decode(errors="replace"))

    def __enter__(self) -> Everything:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.loop_stop()
        self._client.disconnect()
