"""How alerts are matched with expected ones, and whether the files that say what to expect can be used."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import yaml
from _cases import Case, load_cases
from _scoring import Expected, Raised, Score, match, total
from _trial import Options, Outcome, configuration
from evaluate import table
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.config import load

CASES = load_cases()
times = st.integers(0, 30).map(float)
expectations = st.lists(
    st.builds(Expected, st.sampled_from("ab"), times, st.sampled_from([1.0, 4.0])), max_size=4
)
alerts = st.lists(st.builds(Raised, st.sampled_from("abc"), times), max_size=4)


def came(at_s: float, within_s: float = 1.0, rule: str = "came") -> Expected:
    return Expected(rule, at_s, within_s)


@pytest.mark.parametrize(
    ("expected", "raised", "found"),
    [
        pytest.param([], [], [], id="nothing at all"),
        pytest.param([came(5)], [], [], id="missed"),
        pytest.param([], [Raised("came", 5)], [], id="extra"),
        pytest.param([came(5)], [Raised("came", 6)], [(5, 6)], id="at the edge of the tolerance"),
        pytest.param([came(5)], [Raised("came", 6.1)], [], id="too late"),
        pytest.param([came(5)], [Raised("came", 3.9)], [], id="too early"),
        pytest.param([came(5)], [Raised("went", 5)], [], id="another rule"),
        pytest.param([came(5)], [Raised("came", 4.5), Raised("came", 5.1)], [(5, 5.1)], id="the nearer one"),
        pytest.param([came(5), came(6)], [Raised("came", 5.5)], [(5, 5.5)], id="one alert answers once"),
        pytest.param(
            [came(5, 2), came(7)],
            [Raised("came", 6), Raised("came", 3.5)],
            [(5, 3.5), (7, 6)],
            id="more pairs before nearer pairs",
        ),
    ],
)
def test_pairs(expected: list[Expected], raised: list[Raised], found: list[tuple[float, float]]) -> None:
    score = match(expected, raised)
    assert [(one.at_s, other.at_s) for one, other in score.pairs] == found


@given(expectations, alerts)
def test_nothing_is_lost_or_counted_twice(expected: list[Expected], raised: list[Raised]) -> None:
    score = match(expected, raised)
    assert sorted([one for one, _ in score.pairs] + list(score.missed), key=repr) == sorted(
        expected, key=repr
    )
    assert sorted([other for _, other in score.pairs] + list(score.extra), key=repr) == sorted(
        raised, key=repr
    )


@given(expectations, alerts)
def test_no_other_pairing_is_better(expected: list[Expected], raised: list[Raised]) -> None:
    pairs = match(expected, raised).pairs
    assert _worth(pairs) == max(_worth(other) for other in _all_pairings(expected, raised))


def _all_pairings(
    expected: list[Expected], raised: list[Raised]
) -> list[tuple[tuple[Expected, Raised], ...]]:
    padded = [*raised, *[None] * len(expected)]
    return [
        tuple(
            (one, other)
            for one, other in zip(expected, chosen, strict=True)
            if other is not None and _fits(one, other)
        )
        for chosen in itertools.permutations(padded, len(expected))
    ]


def _fits(one: Expected, other: Raised) -> bool:
    return one.rule == other.rule and abs(one.at_s - other.at_s) <= one.within_s


def _worth(pairs: tuple[tuple[Expected, Raised], ...]) -> tuple[int, float]:
    """More pairs, then less time between partners."""
    return len(pairs), -sum(abs(one.at_s - other.at_s) for one, other in pairs)


def test_figures() -> None:
    hit = (came(1), Raised("came", 1))
    first = Score(pairs=(hit, hit), missed=(came(9),), extra=())
    second = Score(pairs=(hit,), missed=(), extra=(Raised("came", 4),) * 2)
    assert total([first, second]).figures() == {
        "expected": 4,
        "found": 3,
        "missed": 1,
        "extra": 2,
        "precision": 0.6,
        "recall": 0.75,
        "f1": 0.667,
    }


def test_a_silent_product_has_no_recall() -> None:
    silent = match([came(1)], [])
    assert (silent.precision, silent.recall, silent.f1) == (1.0, 0.0, 0.0)


def test_the_table_tells_every_verdict() -> None:
    outcome = Outcome([Raised("came", 5.3), Raised("came", 20)], ["yolox-nano-416"])
    text = "\n".join(table(CASES[0], outcome, match([came(5), came(9)], outcome.raised)))
    assert "found  +0.3" in text
    assert "MISSED" in text
    assert "EXTRA" in text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
class TestExpectedFiles:
    def test_the_daemon_takes_its_configuration(self, case: Case, tmp_path: Path) -> None:
        config = configuration(case, "file:///clip.mp4", 1883, tmp_path, Options(tmp_path))
        path = tmp_path / "edgeguard.yaml"
        path.write_text(yaml.safe_dump(config))
        loaded = load(path)
        assert [rule.name for rule in loaded.rules] == [rule["name"] for rule in case.rules]
        assert loaded.cameras[case.camera].pace == "fast"

    def test_every_alert_is_one_of_its_rules(self, case: Case) -> None:
        assert {one.rule for one in case.expected} <= {rule["name"] for rule in case.rules}

    def test_some_rules_are_there_to_be_silent(self, case: Case) -> None:
        assert {rule["name"] for rule in case.rules} - {one.rule for one in case.expected}

    def test_every_alert_is_in_the_clip_and_says_who(self, case: Case) -> None:
        for one in case.expected:
            assert 0 <= one.at_s <= case.duration_s
            assert 0 < one.within_s <= 2.5
            assert one.note

    def test_one_alert_cannot_answer_twice_by_the_same_person(self, case: Case) -> None:
        rules_by_note = [(one.rule, one.note) for one in case.expected]
        assert len(set(rules_by_note)) == len(rules_by_note)

    def test_it_was_written_for_this_clip(self, case: Case, mirror: Path) -> None:
        assert case.find(mirror).name == case.clip


def test_another_clip_of_that_name_is_refused(tmp_path: Path) -> None:
    case = CASES[0]
    (tmp_path / case.clip).write_bytes(b"something else")
    with pytest.raises(ValueError, match="was written for"):
        case.find(tmp_path)


def test_a_clip_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--mirror"):
        CASES[0].find(tmp_path)


def test_an_unknown_clip() -> None:
    with pytest.raises(ValueError, match="moon; known are carpark, hall"):
        load_cases(["moon"])
