from __future__ import annotations

from pathlib import Path

from edgeguard.clock import ManualClock
from edgeguard.runtime.health import HealthBoard, Part, State
from edgeguard.runtime.mind import ClassifierChoice, Mind, MindChoice
from edgeguard.types import Utterance


def part() -> Part:
    return HealthBoard(ManualClock()).part("understanding")


def choice(classifier: ClassifierChoice | None = None) -> MindChoice:
    return MindChoice(0.5, [("duress", "is the boss in", 0.9)], ("dock",), (), classifier)


def files(folder: Path) -> ClassifierChoice:
    model = folder / "movie_review_sentiment.onnx"
    vocabulary, labels = folder / "movie_review_vocab.txt", folder / "movie_review_labels.txt"
    return ClassifierChoice(model, vocabulary, labels, {"Negative": "distress"}, 0.9)


def intents(mind: Mind, text: str) -> list[str]:
    understanding = mind.understanding([0.2])
    assert understanding is not None
    return [m.intent for m in understanding.accept(Utterance("mic", text, (), (), None, True, 1, 1, 1))]


def test_what_is_not_wanted_is_off() -> None:
    health = part()
    mind = Mind(None, health)
    mind.load()
    assert mind.understanding([0.9]) is None
    assert health.state is State.OFF


def test_the_site_has_words_of_its_own() -> None:
    mind = Mind(choice(), part())
    mind.load()
    assert intents(mind, "is the boss in at the dock") == ["duress"]


def test_a_classifier_that_is_missing_is_told_and_the_phrases_still_count(tmp_path: Path) -> None:
    health = part()
    mind = Mind(choice(files(tmp_path)), health)
    mind.load()
    assert health.state is State.DEGRADED
    assert "movie_review_sentiment.onnx" in (health.reason or "")
    assert intents(mind, "is the boss in") == ["duress"]


def test_a_classifier_joins_when_it_can_be_had(mirror: Path) -> None:
    health = part()
    mind = Mind(choice(files(mirror / "models/text")), health)
    mind.load()
    assert health.state is State.OK
    assert intents(mind, "this is terrible the worst and most awful thing") == ["distress"]
