from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.speech.understanding.intents import shipped
from edgeguard.speech.understanding.meaning import Meaning, Understanding, noisy_or
from edgeguard.types import Utterance

SECOND_NS = 1_000_000_000


def spoken(text: str, *, final: bool = True, at_s: float = 0.0) -> Utterance:
    pts_ns = round(at_s * SECOND_NS)
    return Utterance("mic", text, (), (), None, final, pts_ns, pts_ns, pts_ns)


def heard(text: str, understanding: Understanding | None = None) -> dict[str, Meaning]:
    found = (understanding or Understanding(shipped())).accept(spoken(text))
    return {meaning.intent: meaning for meaning in found}


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("Somebody help me!", "distress"),
        ("he's got a gun", "weapon"),
        ("HE HAS A GUN", "weapon"),
        ("please uh call an um ambulance", "medical"),
        ("I can't breathe", "medical"),
        ("the kitchen is on fire", "fire"),
        ("I'm gonna kill you", "threat"),
        ("don't hurt me", "distress"),
        ("there is an intruder in the hall", "intrusion"),
        ("快来人啊救命", "distress"),
        ("他有槍", "weapon"),
        ("着火了", "fire"),
        ("我要杀了你", "threat"),
    ],
)
def test_understands(said: str, intent: str) -> None:
    assert intent in heard(said)


@pytest.mark.parametrize(
    "said",
    [
        "this is a fire drill",
        "there is no gun",
        "he does not have a gun, no weapon at all",
        "we watched a movie where he has a gun",
        "good morning, how are you",
        "the gunner helped with fireworks",
        "没有枪",
        "这是消防演习 着火了",
        "",
    ],
)
def test_is_not_alarmed(said: str) -> None:
    assert heard(said) == {}


def test_says_why() -> None:
    meaning = heard("help me he has a gun")["weapon"]
    assert meaning.reasons == (("he has a gun", 0.95),)
    assert meaning.urgency == 0.95
    assert meaning.text == "help me he has a gun"


def test_keeps_only_the_words_around_and_redacts_them() -> None:
    said = "my name is bob and my code is 1 2 3 4 help me I live in the blue house by the lake"
    assert heard(said)["distress"].text == "[number] help me I live in the"


def test_no_part_of_a_number_or_address_is_left_at_the_edge() -> None:
    assert heard("my card is four one one one one one one help me")["distress"].text == "[number] help me"
    assert heard("help me jane dot doe at gmail dot com")["distress"].text == "help me [e-mail]"


def test_what_is_said_between_is_not_kept() -> None:
    said = "help me " + "blah " * 20 + "help me please"
    assert heard(said)["distress"].text == "help me blah blah blah blah … blah blah blah blah help me please"


def test_a_weak_word_becomes_urgent_when_it_is_repeated() -> None:
    understanding = Understanding(shipped(), [0.6])
    urgencies = []
    for second in range(4):
        urgencies += [m.urgency for m in understanding.accept(spoken("help", at_s=second * 5))]
    assert urgencies == [0.625, 0.719, 0.789]
    assert understanding.accept(spoken("help", at_s=100)) == []


def test_each_intent_is_told_once_for_each_utterance_and_as_soon_as_it_is_sure() -> None:
    understanding = Understanding(shipped())
    assert understanding.accept(spoken("call the police", final=False)) == []  # policeman?
    assert len(understanding.accept(spoken("call the police now", final=False))) == 1
    assert understanding.accept(spoken("call the police now please", final=False)) == []
    assert understanding.accept(spoken("call the police now please")) == []
    assert len(understanding.accept(spoken("call the police"))) == 1


def test_is_told_again_as_it_becomes_more_urgent() -> None:
    understanding = Understanding(shipped(), [0.5, 0.9])
    first = understanding.accept(spoken("there is a gun there", final=False))
    assert [(m.urgency, m.threshold) for m in first] == [(0.5, 0.5)]
    more = understanding.accept(spoken("there is a gun there he has a gun"))
    assert [(m.urgency, m.threshold) for m in more] == [(0.975, 0.9)]


def test_names_places_and_people_of_the_site() -> None:
    understanding = Understanding(shipped(), places=["loading dock"], people=["Mister Ferrari"])
    meaning = heard("help me at the loding dock mister ferrari", understanding)["distress"]
    assert meaning.places == ("loading dock",)
    assert meaning.people == ("Mister Ferrari",)


def test_the_site_adds_words_and_changes_weights() -> None:
    intents = shipped().with_cues([("duress", "is the boss in", 0.9), ("distress", "help", 0.0)])
    understanding = Understanding(intents)
    assert set(heard("help, is the boss in?", understanding)) == {"duress"}


def test_a_phrase_without_letters_is_refused() -> None:
    with pytest.raises(ValueError, match="has no letters"):
        shipped().with_cues([("duress", "!!", 0.5)])


def test_a_classifier_counts_with_its_weight() -> None:
    class Panicked:
        def classify(self, text: str) -> dict[str, float]:
            return {"distress": 0.6 if "panic" in text else 0.0}

    understanding = Understanding(shipped(), classifier=Panicked())
    meaning = heard("I panic", understanding)["distress"]
    assert meaning.reasons == (("classifier: distress", 0.6),)
    assert meaning.text == "I panic"
    assert heard("I panic " + "blah " * 20, understanding)["distress"].text == ""
    assert heard("all is well", understanding) == {}


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0, 1))
def test_another_hint_never_makes_it_less_urgent(weights: list[float], more: float) -> None:
    assert 0.0 <= noisy_or(weights) <= noisy_or([*weights, more]) + 1e-12 <= 1.0 + 1e-9


@given(st.lists(st.tuples(st.text(max_size=60), st.booleans()), max_size=30))
def test_takes_any_text(utterances: list[tuple[str, bool]]) -> None:
    understanding = Understanding(shipped(), places=["dock"])
    for second, (text, final) in enumerate(utterances):
        for meaning in understanding.accept(spoken(text, final=final, at_s=second)):
            assert meaning.threshold <= meaning.urgency <= 1
            assert meaning.reasons


WORDS = sorted({word for cues in shipped().cues.values() for cue in cues for word in cue.words})


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_partials_tell_no_more_than_the_final_would_and_nothing_twice(words: list[str]) -> None:
    understanding = Understanding(shipped())
    told = []
    for count in range(1, len(words) + 1):
        told += understanding.accept(spoken(" ".join(words[:count]), final=False))
    told += understanding.accept(spoken(" ".join(words)))
    intents = [meaning.intent for meaning in told]
    assert len(intents) == len(set(intents))
