"""A small network's opinion on a text, where one is installed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeguard.errors import ModelError
from edgeguard.models import Session

_WORD = re.compile(r"[^\w']+")


class TextClassifier(Protocol):
    """Says how much a text speaks for each intent that it knows."""

    def classify(self, text: str) -> dict[str, float]:
        """Intent -> 0..1."""


class OnnxTextClassifier:
    """A network from word numbers to label scores, in the layout of TensorFlow Lite's NLClassifier.

    Its only input is (1, n) int32 word numbers, padded with those of `<PAD>`; its only output is (1, labels)
    scores. `intents` says which label speaks for which intent, `weight` how much a sure answer counts.
    """

    def __init__(
        self,
        session: Session,
        vocabulary: Mapping[str, int],
        labels: Sequence[str],
        intents: Mapping[str, str],
        weight: float,
    ) -> None:
        self._session = session
        self._vocabulary = vocabulary
        self._rows = {intent: _row(labels, label) for label, intent in intents.items()}
        self._weight = weight
        (self._input, shape), *others = session.inputs.items()
        if others or len(shape) != 2 or not isinstance(shape[1], int):
            raise ModelError(f"{session.model.name} is no text classifier: expected one input of (1, words)")
        self._length = shape[1]

    def classify(self, text: str) -> dict[str, float]:
        (scores,) = self._session.infer({self._input: self._numbers(text)}).values()
        return {intent: float(scores[0][row]) * self._weight for intent, row in self._rows.items()}

    def _numbers(self, text: str) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
        unknown = self._vocabulary.get("<UNKNOWN>", 0)
        words = [word for word in _WORD.split(text.lower()) if word]
        start = [self._vocabulary["<START>"]] if "<START>" in self._vocabulary else []
        numbers = [*start, *(self._vocabulary.get(word, unknown) for word in words)][: self._length]
        padded = np.full((1, self._length), self._vocabulary.get("<PAD>", 0), np.int32)
        padded[0, : len(numbers)] = numbers
        return padded


def read_vocabulary(path: Path) -> dict[str, int]:
    """Lines of `word number`. Raises ModelError."""
    try:
        lines = path.read_text("utf-8").splitlines()
        return {word: int(number) for word, _, number in (line.rpartition(" ") for line in lines if line)}
    except (OSError, ValueError) as error:
        raise ModelError(
            f"cannot read the vocabulary {path}: {error}; expected lines of `word number`"
        ) from error


def read_labels(path: Path) -> list[str]:
    """One label a line. Raises ModelError."""
    try:
        return path.read_text("utf-8").split()
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read the labels {path}: {error}") from error


def _row(labels: Sequence[str], label: str) -> int:
    if label not in labels:
        raise ModelError(f"the text classifier has no label {label!r}; it has {', '.join(labels)}")
    return labels.index(label)
