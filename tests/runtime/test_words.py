"""Which models hear words, and what is done without: real networks set by hand, in a catalog of their own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from edgeguard.clock import ManualClock
from edgeguard.errors import ModelError
from edgeguard.models import ModelStore
from edgeguard.models.catalog import Catalog, card_from
from edgeguard.runtime.health import HealthBoard, Part
from edgeguard.runtime.words import SpeechChoice, SpeechParts, WordsMaker
from edgeguard.speech import Endpointing, FakeVad
from edgeguard.types import Utterance
from tests.support.sound import Sound, chunks, join, silence, tone
from tests.support.tone_models import tone_ctc, tone_transducer

WORDS = {1000: "救", 2000: "命"}
CRY = join(silence(1), tone(1000, 0.3), silence(0.2), tone(2000, 0.3), silence(1.5))


class Shop:
    """A mirror with models and the catalog that lists them."""

    def __init__(self, folder: Path, mirror: Path) -> None:
        self.folder = folder
        self.entries: dict[str, dict[str, Any]] = {}
        self.mirror = mirror
        self.lives = 0
        self.part: Part = HealthBoard(ManualClock()).part("speech")

    def add(self, name: str, task: str, decoding: str, files: dict[str, Path], **more: Any) -> None:
        self.entries[name] = {
            "title": name,
            "task": task,
            "licence": "MIT",
            "licence_url": "https://example.org",
            "decoding": decoding,
            "files": [self._file(role, path) for role, path in files.items()],
            **more,
        }

    def load(self, **choice: Any) -> SpeechParts:
        catalog = Catalog({name: card_from(name, entry) for name, entry in self.entries.items()})
        store = ModelStore(self.folder / "store", [self.folder, self.mirror])
        asked = {
            "model": None,
            "vad_model": "silero-vad",
            "vad": {},
            "endpointing": Endpointing(),
            "phrases": ("救命",),
            "threads": 1,
            **choice,
        }
        return WordsMaker(catalog, store, self.part).load(SpeechChoice(**asked), self.live)

    def live(self) -> None:
        """A sign of life between two models."""
        self.lives += 1

    def _file(self, role: str, path: Path) -> dict[str, Any]:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        root = self.folder if path.is_relative_to(self.folder) else self.mirror
        return {"name": path.name, "role": role, "sha256": digest, "mirror": str(path.relative_to(root))}


@pytest.fixture
def shop(tmp_path: Path, mirror: Path) -> Shop:
    shop = Shop(tmp_path, mirror)
    shop.add("silero-vad", "vad", "silero-vad", {"model": mirror / "models/audio/silero_vad.onnx"})
    shop.add("gtcrn", "denoise", "gtcrn", {"model": mirror / "models/audio/gtcrn_simple.onnx"})
    return shop


def with_ctc(shop: Shop, name: str = "tones", **more: Any) -> None:
    folder = shop.folder / name
    folder.mkdir()
    files = tone_ctc(folder, WORDS)
    shop.add(name, "asr", "sherpa-nemo-ctc", {"tokens": files.tokens, "model": files.model}, **more)


def with_spotter(shop: Shop, words: dict[int, str]) -> None:
    folder = shop.folder / "spotter"
    folder.mkdir()
    found = tone_transducer(folder, words)
    files = {role: getattr(found, role) for role in ("tokens", "encoder", "decoder", "joiner")}
    shop.add("spotter", "keywords", "sherpa-keywords", files)


def heard(parts: SpeechParts, sound: Sound) -> list[Utterance]:
    transcriber = parts.transcriber("gate")
    transcriber._vad = FakeVad()  # tones are no speech to Silero
    return [u for chunk in chunks(sound) for u in transcriber.accept(chunk)]


def test_without_a_model_the_reason_is_told(shop: Shop) -> None:
    with pytest.raises(ModelError, match="no speech model is installed"):
        shop.load()


def test_the_starter_model_gives_way_to_a_general_one(shop: Shop) -> None:
    with_ctc(shop, "phrases-en")
    assert shop.load().ref.name == "phrases-en"
    with_ctc(shop, "general")
    assert shop.load().ref.name == "general"
    assert shop.load(model="phrases-en").ref.name == "phrases-en"


def test_phrases_that_a_small_model_does_not_know_are_named(shop: Shop) -> None:
    with_ctc(shop)
    known = shop.folder / "tones" / "phrases.txt"
    known.write_text("help me\ncall the police\n")
    listed = shop._file("labels", known)
    shop.entries["tones"]["files"].append(listed)
    asked = ("Help me!", "police", "help", "help the police", "elp")
    assert shop.load(phrases=asked).unheard == ("help the police", "elp")


def test_loudness_decides_where_no_voice_activity_model_is(shop: Shop) -> None:
    with_ctc(shop)
    shop.load()
    assert shop.part.counters["voice_activity"] == "silero-vad"
    shop.entries["silero-vad"]["files"][0]["mirror"] = "nowhere.onnx"
    parts = shop.load(vad={"threshold": 0.5, "min_silence_s": 0.3})
    assert shop.part.counters["voice_activity"] == "by loudness, as silero-vad is not installed"
    transcriber = parts.transcriber("gate")
    told = [u for chunk in chunks(CRY) for u in transcriber.accept(chunk)]
    assert [u.text for u in told if u.final] == ["救命"]


def test_words_settle_as_soon_as_the_card_says(shop: Shop) -> None:
    with_ctc(shop, thresholds={"settle_s": 0.7})
    settled = [u for u in heard(shop.load(), CRY) if u.settled]
    assert [u.text for u in settled] == ["救命"]
    assert not [u for u in heard(shop.load(settle_s=3.0), CRY) if u.settled]


def test_denoising_follows_the_card_unless_it_is_said_otherwise(shop: Shop) -> None:
    with_ctc(shop)
    for wanted, denoised in ((None, False), (True, True), (False, False)):
        shop.load(denoise=wanted)
        assert shop.part.counters["denoised"] is denoised
    with_ctc(shop, "noisy", denoise=True)
    shop.load(model="noisy")
    assert shop.part.counters["denoised"] is True
    assert heard(shop.load(model="noisy"), CRY) == [], "whistling is noise to it"
    assert [u.text for u in heard(shop.load(model="tones"), CRY) if u.final] == ["救命"]


def test_a_spotter_that_cannot_spell_the_phrases_leaves_them_to_the_text(shop: Shop) -> None:
    pytest.importorskip("pypinyin", reason="no pypinyin to spell with")
    with_ctc(shop)
    with_spotter(shop, {1000: "x", 2000: "y"})
    parts = shop.load()
    assert parts.spotter is None
    assert "cannot spell the phrase '救命'" in shop.part.counters["keywords"]


def test_a_spotter_that_can_hears_the_phrases(shop: Shop) -> None:
    pytest.importorskip("pypinyin", reason="no pypinyin to spell with")
    with_ctc(shop)
    with_spotter(shop, {1000: "r", 2000: "ù"})
    parts = shop.load(phrases=("入",))
    assert shop.part.counters["keywords"] == "spotter"
    assert shop.lives == 1, "each of the two may take its time"
    assert parts.spotter is not None
    spotter = parts.spotter("gate")
    spotter._vad = FakeVad()
    assert [u.text for chunk in chunks(CRY) for u in spotter.accept(chunk)] == ["入"]
    assert len(parts.models) == 2


def test_a_transducer_is_drawn_to_the_phrases(shop: Shop) -> None:
    folder = shop.folder / "transducer"
    folder.mkdir()
    found = tone_transducer(folder, WORDS)
    files = {role: getattr(found, role) for role in ("tokens", "encoder", "decoder", "joiner")}
    shop.add("transducer", "asr", "sherpa-transducer", files)
    for score in (0.0, 2.0):
        finals = [u.text for u in heard(shop.load(hotwords_score=score), CRY) if u.final]
        assert finals == ["救命"]
