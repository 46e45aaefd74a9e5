from __future__ import annotations

import pytest

from edgeguard.speech import FaultRule, Keyword, KeywordRule, SoundRule
from edgeguard.speech.reporter import Reporter
from edgeguard.speech.soundness import Fault
from edgeguard.types import Measure, Phase, SoundTag, Utterance
from tests.support.sound import UTC_OFFSET_NS, at, chunks, silence

CHUNK = next(chunks(silence(0.1), sequence=7))
REPORTER = Reporter(
    "gate",
    [KeywordRule("calls", ("help", "Call the police!")), KeywordRule("panic", ("help",))],
    [SoundRule("break-in", ("glass", "gunshot")), SoundRule("shots", ("gunshot",))],
)


def keyword(phrase: str) -> Keyword:
    return Keyword(phrase, f"please {phrase}", 0.95, 0.9, at(1), at(2))


def sound(tag: str, phase: Phase = Phase.BEGAN) -> SoundTag:
    return SoundTag(tag, phase, 0.7, 0.5, at(1), at(3))


@pytest.mark.parametrize(
    ("phrase", "rules"),
    [
        ("help", ["calls", "panic"]),
        ("Call the police!", ["calls"]),
        ("call the police", ["calls"]),
        ("fire", [None]),
    ],
)
def test_a_keyword_is_observed_for_each_rule_that_asks(phrase: str, rules: list[str | None]) -> None:
    observations = REPORTER.keyword(keyword(phrase), CHUNK)
    assert [seen.rule for seen in observations] == rules
    for seen in observations:
        assert (seen.kind, seen.source, seen.phase, seen.key) == ("keyword", "gate", Phase.INSTANT, phrase)
        assert (seen.label, seen.text) == (phrase, f"please {phrase}")
        assert (seen.pts_ns, seen.utc_ns, seen.sequence) == (at(2), at(2) + UTC_OFFSET_NS, 7)
        assert seen.measures == (Measure("confidence", 0.95, ">=", 0.9),)


@pytest.mark.parametrize(
    ("tag", "rules"), [("glass", ["break-in"]), ("gunshot", ["break-in", "shots"]), ("dog", [None])]
)
def test_a_sound_is_observed_for_each_rule_that_asks(tag: str, rules: list[str | None]) -> None:
    observations = REPORTER.sound(sound(tag), CHUNK)
    assert [seen.rule for seen in observations] == rules
    for seen in observations:
        assert (seen.kind, seen.label, seen.key, seen.confidence) == ("sound", tag, tag, 0.7)
        assert seen.measures == (Measure("confidence", 0.7, ">=", 0.5),)


@pytest.mark.parametrize(
    ("phase", "pts_ns"), [(Phase.BEGAN, at(1)), (Phase.CONTINUES, at(3)), (Phase.ENDED, at(3))]
)
def test_a_sound_begins_where_it_starts_and_goes_on_where_it_was_last_heard(
    phase: Phase, pts_ns: int
) -> None:
    (seen,) = REPORTER.sound(sound("glass", phase), CHUNK)
    assert (seen.phase, seen.pts_ns) == (phase, pts_ns)


@pytest.mark.parametrize(("given", "told"), [(0.8, 0.8), (None, 1.0)])
def test_an_utterance_is_observed_without_a_rule(given: float | None, told: float) -> None:
    utterance = Utterance("gate", "who is there", (), (), given, True, at(1), at(2), at(1) + UTC_OFFSET_NS)
    seen = Reporter("gate", [], [], keep_text=True).utterance(utterance, CHUNK)
    assert (seen.kind, seen.rule, seen.text, seen.confidence) == ("utterance", None, "who is there", told)
    assert (seen.pts_ns, seen.utc_ns) == (at(2), at(2) + UTC_OFFSET_NS)


def test_what_is_said_is_kept_only_if_asked_for_and_never_with_its_numbers() -> None:
    text = "the code is 4711 47"
    utterance = Utterance("gate", text, (), (), None, True, at(1), at(2), at(1) + UTC_OFFSET_NS)
    assert REPORTER.utterance(utterance, CHUNK).text is None
    asked = Reporter("gate", [], [], keep_text=True)
    assert asked.utterance(utterance, CHUNK).text == "the code is [number]"


def test_a_number_that_is_read_out_with_pauses_is_one_number() -> None:
    reporter = Reporter("gate", [], [], keep_text=True)

    def kept(text: str, start_s: float) -> str | None:
        said = Utterance("gate", text, (), (), None, True, at(start_s), at(start_s + 1), at(start_s))
        return reporter.utterance(said, CHUNK).text

    assert kept("five five five", 1) == "five five five"
    assert kept("one two three", 3) == "[number]"
    assert kept("four five six seven thank you", 5) == "[number] thank you"
    assert kept("nine one one", 60) == "nine one one"


@pytest.mark.parametrize(
    ("name", "rules"), [("dead", ["broken"]), ("clipping", ["any"]), ("silent", ["any"])]
)
def test_a_fault_of_the_microphone_is_observed_for_each_rule_that_asks(name: str, rules: list[str]) -> None:
    asked = [FaultRule("broken", ("dead",)), FaultRule("any", ("clipping", "silent", "dc_offset"))]
    reporter = Reporter("gate", [], [], fault_rules=asked)
    fault = Fault(name, Phase.BEGAN, "level_dbfs", -90.0, "<=", -80.0, at(2))
    observations = reporter.fault(fault, CHUNK)
    assert [seen.rule for seen in observations] == rules
    for seen in observations:
        assert (seen.kind, seen.label, seen.key, seen.phase) == ("microphone_fault", name, name, Phase.BEGAN)
        assert seen.measures == (Measure("level_dbfs", -90.0, "<=", -80.0),)
    assert [seen.rule for seen in Reporter("gate", [], []).fault(fault, CHUNK)] == [None]
