"""What somebody wants or warns of, how urgent it is, and because of which words."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edgeguard.speech.understanding.classifier import TextClassifier
from edgeguard.speech.understanding.intents import Cue, Intents, Words
from edgeguard.speech.understanding.lexicon import Lexicon
from edgeguard.speech.understanding.redact import redact
from edgeguard.speech.understanding.tokens import Parsed, Token, parse
from edgeguard.types import Utterance

_REPEATED_NS = 30_000_000_000
_REMEMBERED = 64
_NEGATION_REACH = 3
_WINDOW = 4
"""Words kept on either side of the ones that matter."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One intent of one utterance."""

    intent: str
    urgency: float
    """0..1."""
    threshold: float
    reasons: tuple[tuple[str, float], ...]
    """Phrases, and the weight of each as it was counted."""
    text: str
    """The words around them, redacted."""
    places: tuple[str, ...]
    people: tuple[str, ...]
    end_pts_ns: int


@dataclass(frozen=True, slots=True)
class _Said:
    """A cue as it was spoken."""

    cue: Cue
    start: int
    stop: int
    weight: float


class Understanding:
    """One microphone's utterances in, meanings out, from partials on: for each utterance an intent is told
    once, and once more for every higher level of `levels` that its urgency reaches.

    Weights are joined by noisy-or (Pearl 1988, Probabilistic Reasoning in Intelligent Systems): the urgency
    is 1 - product of (1 - weight), over the cues of this utterance and, at half their weight, over those of
    the utterances of the last 30 s. So who repeats a plea becomes urgent, and a single weak word does not.
    """

    def __init__(
        self,
        intents: Intents,
        levels: Sequence[float] = (),
        *,
        places: Sequence[str] = (),
        people: Sequence[str] = (),
        classifier: TextClassifier | None = None,
    ) -> None:
        self._intents = intents
        self._levels = sorted(set(levels) or {intents.urgency})
        self._places = Lexicon(places)
        self._people = Lexicon(people)
        self._classifier = classifier
        self._told: dict[str, float] = {}
        self._past: deque[tuple[int, str, float]] = deque(maxlen=_REMEMBERED)

    def accept(self, utterance: Utterance) -> list[Meaning]:
        """What this partial or final is the first to show; a partial's newest word may still change."""
        parsed = parse(utterance.text)
        newest = len(parsed.pieces) - 1
        tokens = [t for t in parsed.tokens if utterance.final or t.piece != newest]
        said = self._cues(tokens)
        weighed = self._by_intent(said)
        scored = self._scores(utterance) if utterance.final else {}
        meanings = [
            meaning
            for intent in dict.fromkeys([*weighed, *scored])
            if (meaning := self._weigh(intent, weighed.get(intent, []), scored, parsed, utterance))
        ]
        self._told |= {meaning.intent: meaning.threshold for meaning in meanings}
        if utterance.final:
            self._remember(utterance.end_pts_ns, weighed)
        return meanings

    def reset(self) -> None:
        """Forget the utterance that was not finished."""
        self._told.clear()

    def _weigh(
        self,
        intent: str,
        said: list[_Said],
        scored: dict[str, tuple[str, float]],
        parsed: Parsed,
        utterance: Utterance,
    ) -> Meaning | None:
        reasons = [(one.cue.phrase, one.weight) for one in said]
        if intent in scored:
            reasons.append(scored[intent])
        urgency = noisy_or([weight for _, weight in reasons] + self._before(intent, utterance.end_pts_ns))
        level = max((level for level in self._levels if level <= urgency), default=None)
        if level is None or level <= self._told.get(intent, -1.0) or not any(w for _, w in reasons):
            return None
        return Meaning(
            intent,
            round(urgency, 3),
            level,
            tuple(reasons),
            _window(parsed, said),
            self._places.find(parsed),
            self._people.find(parsed),
            utterance.end_pts_ns,
        )

    def _cues(self, tokens: Sequence[Token]) -> list[_Said]:
        """From left to right; of those that overlap within an intent the longest."""
        words = tuple(token.text for token in tokens)
        share = self._intents.harmless_share if _any_of(self._intents.harmless, words) else 1.0
        found: list[_Said] = []
        taken: dict[str, int] = {}
        for start, word in enumerate(words):
            for cue in self._intents.cues.get(word, ()):
                stop = start + len(cue.words)
                if words[start:stop] == cue.words and taken.get(cue.intent, 0) <= start:
                    taken[cue.intent] = stop
                    weight = 0.0 if self._negated(words, start, cue) else cue.weight * share
                    found.append(_Said(cue, tokens[start].piece, tokens[stop - 1].piece, round(weight, 3)))
        return found

    def _negated(self, words: Words, start: int, cue: Cue) -> bool:
        """A cue that says `not` itself means it: `do not hurt me`."""
        before = words[max(0, start - _NEGATION_REACH) : start]
        return _any_of(self._intents.negations, before) and not _any_of(self._intents.negations, cue.words)

    def _scores(self, utterance: Utterance) -> dict[str, tuple[str, float]]:
        if self._classifier is None or not utterance.text:
            return {}
        scores = self._classifier.classify(utterance.text)
        return {intent: (f"classifier: {intent}", round(score, 3)) for intent, score in scores.items()}

    def _before(self, intent: str, now_ns: int) -> list[float]:
        while self._past and now_ns - self._past[0][0] > _REPEATED_NS:
            self._past.popleft()
        return [weight / 2 for _, name, weight in self._past if name == intent]

    def _remember(self, now_ns: int, weighed: dict[str, list[_Said]]) -> None:
        self._told.clear()
        for intent, said in weighed.items():
            if weight := noisy_or([one.weight for one in said]):
                self._past.append((now_ns, intent, weight))

    @staticmethod
    def _by_intent(said: list[_Said]) -> dict[str, list[_Said]]:
        groups: dict[str, list[_Said]] = {}
        for one in said:
            groups.setdefault(one.cue.intent, []).append(one)
        return groups


def noisy_or(weights: Sequence[float]) -> float:
    """How sure several independent hints make together (0..1)."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - weight
    return 1.0 - doubt


def _any_of(wanted: frozenset[Words], words: Words) -> bool:
    return any(run in wanted for run in _runs(words, max(map(len, wanted), default=0)))


def _runs(words: Words, longest: int) -> Iterator[Words]:
    for start in range(len(words)):
        for stop in range(start + 1, min(start + longest, len(words)) + 1):
            yield words[start:stop]


def _window(parsed: Parsed, said: Sequence[_Said]) -> str:
    """The matched words with a few around, and nothing that is longer without any (the classifier's).

    What must not be read is taken out before it is cut, so that no part of a number is left at an edge.
    """
    wanted = {row for one in said for row in range(one.start - _WINDOW, one.stop + _WINDOW + 1)}
    if not said and len(parsed.pieces) <= 2 * _WINDOW + 1:
        wanted = set(range(len(parsed.pieces)))
    return " … ".join(_cut(parsed, run) for run in _together(sorted(wanted & {*range(len(parsed.pieces))})))


def _together(rows: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of each row of numbers without a gap."""
    runs: list[tuple[int, int]] = []
    for row in rows:
        if runs and row == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], row)
        else:
            runs.append((row, row))
    return runs


def _cut(parsed: Parsed, run: tuple[int, int]) -> str:
    return redact(parsed.text, parsed.pieces[run[0]][0], parsed.pieces[run[1]][1])
