from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeguard.errors import ModelError
from edgeguard.models import OnnxSession
from edgeguard.models.files import sha256_of
from edgeguard.speech.understanding.classifier import OnnxTextClassifier, read_labels, read_vocabulary


@pytest.fixture
def session(mirror: Path) -> OnnxSession:
    path = mirror / "models/text/movie_review_sentiment.onnx"
    return OnnxSession(path, "movie-review", {sha256_of(path)})


def test_a_real_network_gives_its_opinion(session: OnnxSession, mirror: Path) -> None:
    vocabulary = read_vocabulary(mirror / "models/text/movie_review_vocab.txt")
    labels = read_labels(mirror / "models/text/movie_review_labels.txt")
    classifier = OnnxTextClassifier(session, vocabulary, labels, {"Negative": "distress"}, 0.8)
    bad = classifier.classify("This was terrible, the worst and most awful thing")["distress"]
    good = classifier.classify("This was wonderful, a great and perfect thing")["distress"]
    assert 0 <= good < bad - 0.1 < bad <= 0.8


def test_an_unknown_label_is_refused(session: OnnxSession) -> None:
    with pytest.raises(ModelError, match="has no label 'Angry'; it has Negative"):
        OnnxTextClassifier(session, {}, ["Negative"], {"Angry": "threat"}, 0.8)


def test_a_vocabulary_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(np.arange(9).tobytes())
    with pytest.raises(ModelError, match="expected lines of `word number`"):
        read_vocabulary(path)
