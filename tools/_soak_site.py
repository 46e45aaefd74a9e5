"""The two microphones of the day: one for the models that are installed, one that only pretends."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgeguard.clock import ManualClock
from edgeguard.config import Config
from edgeguard.models import ModelStore, load_catalog
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.ears import Ear, EarMaker, SoundChoice
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.hearing import HearingStage
from edgeguard.runtime.mind import Mind, MindChoice
from edgeguard.runtime.syncing import Pair, Syncing
from edgeguard.runtime.words import SpeechChoice
from edgeguard.speech import (
    TAGS,
    Endpointing,
    FakeRecogniser,
    FakeVad,
    KeywordRule,
    Limits,
    Listener,
    MicrophoneCheck,
    PhraseMatcher,
    SoundRule,
    Transcriber,
    Understanding,
)
from edgeguard.speech.understanding.intents import shipped
from edgeguard.sync import SyncCheck
from edgeguard.types import AudioChunk, Observation

RATE_HZ, CHUNK = 16_000, 1600
CHUNK_NS = 100_000_000
_SCRIPT = ("good", "morning", "help", "me", "the", "fire", "is", "out", "stop", "it", "he", "has", "a", "gun")


class Yard:
    """Its microphone, and the camera that moves beside it."""

    def __init__(
        self, config: Config, clock: ManualClock, board: HealthBoard, observations: Channel[Observation]
    ) -> None:
        self.chunks: Channel[AudioChunk] = Channel(100)
        check = SyncCheck("yard", "yard-mic", config.microphones["yard-mic"].sync_limit_ms)
        self._pair = Pair("yard", "yard-mic", check, board.part("microphone/yard-mic"))
        self.stage = HearingStage(
            self.chunks,
            observations,
            Pretended(clock),  # type: ignore[arg-type]
            board.part("hearing/yard"),
            clock,
            microphones={"yard-mic": board.part("microphone/yard-mic")},
            syncing=Syncing([self._pair]),
        )

    def see(self, now_ns: int, *, moves: bool) -> None:
        """The picture changes."""
        self._pair.moved.put((now_ns - CHUNK_NS, now_ns, 5.0 if moves else 0.3))


class Pretended:
    """What a hearing stage needs of an EarMaker."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def load(self, _live: Callable[[], object]) -> bool:
        return False

    def decode(self) -> None:
        pass

    def listeners(self) -> dict[str, Listener]:
        return {
            "yard-mic": Listener(
                "yard-mic",
                self._clock,
                transcriber=Transcriber("yard-mic", FakeRecogniser(_Endless()), FakeVad(), settle_s=0.3),
                matcher=PhraseMatcher(["help", "stop it"]),
                understanding=Understanding(shipped(), [0.5]),
                check=MicrophoneCheck(Limits()),
                keyword_rules=[KeywordRule("help-called", ("help", "stop it"))],
            )
        }


class _Endless(list[str]):
    """The script again and again."""

    def __iter__(self) -> Iterator[str]:
        while True:
            yield from _SCRIPT


class Voice:
    """Sounds one after another, for ever, 100 ms at a time."""

    def __init__(self, sounds: list[NDArray[np.float32]]) -> None:
        self._all = np.concatenate(sounds)
        self._at = 0

    def next(self) -> NDArray[np.float32]:
        if self._at + CHUNK > len(self._all):
            self._at = 0
        self._at += CHUNK
        return self._all[self._at - CHUNK : self._at]


class Hall:
    """Its microphone, heard by the models that are installed; the others are off, and say why in health."""

    def __init__(
        self,
        mirror: Path,
        config: Config,
        clock: ManualClock,
        board: HealthBoard,
        observations: Channel[Observation],
    ) -> None:
        self.chunks: Channel[AudioChunk] = Channel(100)
        ear = Ear(
            "hall-mic",
            True,
            True,
            [],
            [SoundRule("anything-heard", tuple(tag.tag for tag in TAGS))],
            limits=Limits(),
        )
        maker = EarMaker(
            [ear],
            SpeechChoice(None, "silero-vad", {}, Endpointing(), ("help", "stop it"), 1),
            SoundChoice("yamnet", {}, 0.0),
            load_catalog(),
            ModelStore(config.state_dir, (mirror,)),
            Mind(MindChoice(0.5, (), (), (), None), board.part("understanding")),
            (board.part("speech"), board.part("sounds")),
            clock,
        )
        self.stage = HearingStage(self.chunks, observations, maker, board.part("hearing/hall"), clock)


def drawn_sound(random: np.random.Generator) -> NDArray[np.float32]:
    """Ten minutes of a quiet yard in which somebody speaks now and then."""
    samples = random.normal(0, 0.001, 600 * RATE_HZ).astype(np.float32)
    for start in random.integers(0, 590 * RATE_HZ, 40):
        length = int(random.integers(RATE_HZ // 2, 5 * RATE_HZ))
        samples[start : start + length] += random.normal(0, 0.1, length).astype(np.float32)
    return samples


def real_sounds(mirror: Path) -> list[NDArray[np.float32]]:
    """Sounds and speech of the mirror at 16 kHz; a drawn yard where there is none."""
    files = sorted((mirror / "data" / "audio").glob("*/*.wav"))
    return [sound for sound in map(_read, files) if sound is not None] or [
        drawn_sound(np.random.default_rng(2))
    ]


def _read(path: Path) -> NDArray[np.float32] | None:
    try:
        with wave.open(str(path)) as file:
            if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (RATE_HZ, 1, 2):
                return None
            raw = np.frombuffer(file.readframes(60 * RATE_HZ), np.int16)
    except (wave.Error, EOFError):
        return None
    return (raw / 32_768).astype(np.float32)
