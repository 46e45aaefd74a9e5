from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgeguard.speech.homophones import sound
from edgeguard.speech.phrases import LETTERS_PER_EDIT, Keyword, PhraseMatcher, distance, words
from edgeguard.types import Utterance

# Phrases and everything else said share no letter, so nothing else can come near a phrase.
PHRASE_WORD = st.text("abcdefgh", min_size=2, max_size=9)
OTHER_WORD = st.text("rstuvwxyz", min_size=1, max_size=9)
PHRASE = st.lists(PHRASE_WORD, min_size=1, max_size=4)
OTHERS = st.lists(OTHER_WORD, max_size=5)


def said(tokens: Sequence[str], final: bool) -> Utterance:
    """Token i is heard at i + 1 seconds."""
    times = tuple(1_000_000_000 * (i + 1) for i in range(len(tokens)))
    first, last = (times[0], times[-1]) if times else (0, 0)
    text = "".join(tokens).strip()
    return Utterance("gate", text, tuple(tokens), times, None, final, first, last, first)


def grown(tokens: Sequence[str], steps: Sequence[int] | None = None) -> list[Utterance]:
    """Partials after `steps` tokens (all by default), then the final."""
    partials = [said(tokens[:n], False) for n in steps or range(1, len(tokens) + 1)]
    return [*partials, said(tokens, True)]


def heard(matcher: PhraseMatcher, utterances: Sequence[Utterance]) -> list[Keyword]:
    return [keyword for utterance in utterances for keyword in matcher.accept(utterance)]


def spoken(text: str) -> list[str]:
    return [f" {word}" for word in text.split()]


@pytest.mark.parametrize(
    ("phrase", "text", "times"),
    [
        ("help", "please help us", 1),
        ("Help!", "PLEASE HELP, US", 1),
        ("help", "helpful people", 0),  # inside a word
        ("fire", "a campfire burns", 0),
        ("fire", "a campfire and a fire", 1),
        ("fireman", "the fire man came", 1),  # parted otherwise
        ("fire man", "the fireman came", 1),
        ("don't move", "dont move", 1),
        ("call the police", "call the polise now", 1),  # one letter off in thirteen
        ("call the police", "call a palace now", 0),
        ("help", "kelp", 0),  # too short for any error
        ("help help", "help help help", 1),
        ("help", "help help", 2),
        ("gas leak", "there is no leak of gas", 0),
        ("Überfall", "ÜBERFALL überfall", 2),
        ("knife", "he has a nife", 1),  # as it sounds
        ("phone the police", "fone the police", 1),
        ("see me", "sea me", 1),
        ("fire", "fare far fir", 0),
        ("gun", "gone", 0),
        ("let me go", "let me glow", 0),
    ],
)
def test_what_matches(phrase: str, text: str, times: int) -> None:
    found = heard(PhraseMatcher([phrase]), grown(spoken(text)))
    assert [keyword.phrase for keyword in found] == [phrase] * times


@settings(max_examples=60, deadline=None)
@given(PHRASE, OTHERS, OTHERS, st.data())
def test_a_spoken_phrase_fires_once_however_the_partials_fall(
    phrase: list[str], before: list[str], after: list[str], data: st.DataObject
) -> None:
    tokens = spoken(" ".join(before + phrase + after))
    steps = sorted(data.draw(st.sets(st.integers(1, len(tokens)))))
    (keyword,) = heard(PhraseMatcher([" ".join(phrase)]), grown(tokens, steps or [len(tokens)]))
    assert keyword.confidence == 1
    assert keyword.start_pts_ns == 1_000_000_000 * (len(before) + 1)
    assert keyword.end_pts_ns == 1_000_000_000 * (len(before) + len(phrase))


@settings(max_examples=60, deadline=None)
@given(PHRASE, st.integers(1, 4))
def test_it_fires_as_often_as_it_is_spoken(phrase: list[str], times: int) -> None:
    tokens = spoken(" ".join([*phrase, "x"] * times))
    assert len(heard(PhraseMatcher([" ".join(phrase)]), grown(tokens))) == times


@settings(max_examples=60, deadline=None)
@given(PHRASE, OTHERS)
def test_other_words_never_fire(phrase: list[str], others: list[str]) -> None:
    assert heard(PhraseMatcher([" ".join(phrase)]), grown(spoken(" ".join(others)))) == []


@settings(max_examples=60, deadline=None)
@given(PHRASE, st.data())
def test_a_few_wrong_letters_are_forgiven_and_more_are_not(phrase: list[str], data: st.DataObject) -> None:
    letters = list(" ".join(phrase))
    places = [i for i, letter in enumerate(letters) if letter != " "]
    wrong = data.draw(st.sets(st.sampled_from(places)))
    tokens = spoken("".join("7" if i in wrong else letter for i, letter in enumerate(letters)))
    assume(len(wrong) <= len(places) // 2)
    found = heard(PhraseMatcher([" ".join(phrase)]), grown(tokens))
    assert bool(found) == (len(wrong) <= len(places) // LETTERS_PER_EDIT)
    for keyword in found:
        assert keyword.threshold <= keyword.confidence == pytest.approx(1 - len(wrong) / len(places))


@settings(max_examples=60, deadline=None)
@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert (distance(a, b) == 0) == (a == b)
    assert distance(a, b) == distance(b, a)
    assert distance(a, c) <= distance(a, b) + distance(b, c)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_words_are_stable_and_clean(text: str) -> None:
    found = words(text)
    assert words(" ".join(found)) == found
    assert all(not any(letter.isspace() for letter in word) for word in found)


@pytest.mark.parametrize(
    ("phrase", "text", "times"),
    [
        ("救命", "快来人啊救命啊", 1),
        ("救命", "救命救命", 2),
        ("着火了", "着火啦", 0),  # too short for any error
        ("快打电话报警", "你快打电画报警吧", 1),  # one character off in six
        ("快打电话报警", "快打点画报警", 0),
        ("报警", "请马上 call police 报警 please", 1),
    ],
)
def test_chinese_phrases_match_character_by_character(phrase: str, text: str, times: int) -> None:
    tokens = [piece for word in text.split() for piece in ([f" {word}"] if word.isascii() else word)]
    found = heard(PhraseMatcher([phrase]), grown(tokens))
    assert [keyword.phrase for keyword in found] == [phrase] * times
    assert all(" " not in keyword.text for keyword in found)


def test_a_chinese_phrase_has_the_times_of_its_own_characters() -> None:
    (keyword,) = heard(PhraseMatcher(["救命"]), grown(list("快来救命啊")))
    assert (keyword.start_pts_ns, keyword.end_pts_ns) == (3_000_000_000, 4_000_000_000)
    assert keyword.text == "救命"


def test_a_settled_partial_shows_its_last_word() -> None:
    matcher = PhraseMatcher(["help"])
    partial = said([" help"], False)
    assert matcher.accept(partial) == []
    assert [k.phrase for k in matcher.accept(replace(partial, settled=True))] == ["help"]
    assert matcher.accept(said([" help"], True)) == []


@given(st.text("abcdefghijklmnopqrstuvwxyz", max_size=30))
def test_what_sounds_alike_has_one_spelling(letters: str) -> None:
    assert sound(letters) == sound(letters)
    assert len(sound(letters)) <= 2 * len(letters)


def test_a_phrase_fires_on_the_partial_in_which_the_next_word_begins() -> None:
    matcher = PhraseMatcher(["help me"])
    fired = [bool(matcher.accept(u)) for u in grown(spoken("help me please now"))]
    assert fired == [False, False, True, False, False]


def test_a_word_that_goes_on_is_not_taken_for_the_phrase() -> None:
    assert heard(PhraseMatcher(["help"]), grown([" help", "ful", " people"])) == []


def test_a_word_in_pieces_is_one_word() -> None:
    (keyword,) = heard(PhraseMatcher(["intruder"]), grown([" an", " in", "tru", "der", " here"]))
    assert (keyword.start_pts_ns, keyword.end_pts_ns) == (2_000_000_000, 4_000_000_000)
    assert keyword.text == "intruder"


@pytest.mark.parametrize(
    ("phrase", "text", "carried"),
    [
        ("stay back", "my name is Ada now Stay Back there", "Stay Back"),
        ("don't move", "he said DON'T MOVE please", "DON'T MOVE"),
        ("fireman", "the fire man came", "fire man"),
        ("fire man", "well-known fire-man,here", "fire man"),
        ("call the police", "do call the polise now", "call the polise"),
    ],
)
def test_a_keyword_carries_the_words_that_raised_it_and_no_other(
    phrase: str, text: str, carried: str
) -> None:
    (keyword,) = heard(PhraseMatcher([phrase]), grown(spoken(text)))
    assert keyword.text == carried


def test_a_final_that_takes_the_partial_back_ends_the_count() -> None:
    matcher = PhraseMatcher(["help"])
    assert heard(matcher, [said(spoken("help us"), False), said([], True)])
    assert heard(matcher, grown(spoken("help us")))


def test_after_a_reset_the_phrase_counts_anew() -> None:
    matcher = PhraseMatcher(["help"])
    assert matcher.accept(said(spoken("help us"), False))
    assert not matcher.accept(said(spoken("help us"), False))
    matcher.reset()
    assert matcher.accept(said(spoken("help us"), False))


def test_every_phrase_has_its_own_count() -> None:
    found = heard(PhraseMatcher(["help", "help me", "help"]), grown(spoken("help me now")))
    assert sorted(keyword.phrase for keyword in found) == ["help", "help me"]


def test_a_phrase_without_letters_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'\?!' has no letters"):
        PhraseMatcher(["?!"])
