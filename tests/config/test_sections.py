"""The smaller sections."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
import yaml

from edgeguard.alerts.schedule import DAYS
from edgeguard.config import parse
from edgeguard.config.sounds import TAGS, Tags
from edgeguard.config.speech import name_of
from edgeguard.speech.tags import TAGS as SPEECH_TAGS
from tests.config.trees import built, faults, tree


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("22:00", time(22)),
        ("6:30", time(6, 30)),
        ("00:00", time(0)),
        ("24:00", time(0)),
        ("23:59", time(23, 59)),
    ],
)
@pytest.mark.parametrize(
    "period", ["- from: {}\n      to: 12:00", '- from: "{}"\n      to: "12:00"', "- {{from: {}, to: 12:00}}"]
)
def test_times_with_and_without_quotes(written: str, expected: time, period: str) -> None:
    text = yaml.safe_dump(tree(schedules=None)).replace("null", f"\n  s:\n    {period.format(written)}")
    (found,) = parse(text, "test.yaml").schedules["s"]
    assert (found.start, found.end) == (expected, time(12))


def test_days() -> None:
    every, weekend = built(
        tree(
            schedules={
                "s": [{"from": "1:00", "to": "2:00"}, {"days": ["sat", "sun"], "from": "1:00", "to": "2:00"}]
            }
        )
    ).schedules["s"]
    assert every.weekdays == set(DAYS)
    assert weekend.weekdays == {"saturday", "sunday"}


@pytest.mark.parametrize(
    ("period", "fault"),
    [
        ({"from": "25:00", "to": "6:00"}, 'from: given "25:00", expected a time of day from 00:00 to 24:00'),
        ({"from": "22:60", "to": "6:00"}, 'from: given "22:60", expected a time of day'),
        ({"from": "22:00\n", "to": "6:00"}, 'from: given "22:00\\n", expected a time of day'),
        ({"from": 1320, "to": "6:00"}, "from: given 1320, expected a time of day"),
        ({"from": "22:00"}, "to: is missing, expected a time of day"),
        (
            {"from": "1:00", "to": "2:00", "days": ["monday"]},
            'days[0]: given "monday", expected one of mon, tue',
        ),
        ({"from": "1:00", "to": "2:00", "days": []}, "days: given [], expected a list of at least one entry"),
        ({"start": "1:00", "from": "1:00", "to": "2:00"}, "start: unknown key"),
    ],
)
def test_periods_that_are_refused(period: dict[str, Any], fault: str) -> None:
    assert faults(tree(schedules={"s": [period]}))[0].startswith(f"schedules.s[0].{fault}")


def test_an_empty_schedule_is_refused() -> None:
    assert faults(tree(schedules={"s": []})) == [
        "schedules.s: given [], expected a list of at least one entry"
    ]


@pytest.mark.parametrize(
    ("zone", "valid"),
    [
        ("Europe/Zurich", True),
        ("UTC", True),
        ("Europe/Zürich", False),
        ("../UTC", False),
        ("Europe", False),
        ("", False),
    ],
)
def test_time_zones(zone: str, valid: bool) -> None:
    if valid:
        assert built(tree(timezone=zone)).timezone == zone
    else:
        (told,) = faults(tree(timezone=zone))
        assert "expected a time zone of the IANA database" in told


@pytest.mark.parametrize(
    ("phrase", "name"), [("help me", "help_me"), ("Don't move!", "don_t_move"), ("POLICE", "police")]
)
def test_keywords_are_named_after_their_phrase(phrase: str, name: str) -> None:
    (keyword,) = built(tree(speech={"keywords": [{"phrase": phrase}]})).speech.keywords
    assert keyword.name == name == name_of(phrase)


def test_keywords_that_are_refused() -> None:
    assert faults(tree(speech={"keywords": [{"phrase": "help"}, {"phrase": "Help!"}]})) == [
        "speech.keywords: given a list of 2, expected different names; help is there more than once"
    ]
    assert faults(tree(speech={"keywords": [{"phrase": "помогите"}]}))[0].startswith(
        "speech.keywords[0].name: "
    )
    assert faults(tree(speech={"keywords": [{"phrase": "a\nb"}]}))[0].startswith(
        "speech.keywords[0].phrase: "
    )


def test_one_threshold_leaves_the_others() -> None:
    assert built(tree(sounds={"tags": {"glass": 0.9}})).sounds.thresholds() == Tags().model_dump() | {
        "glass": 0.9
    }


def test_the_sound_tags_are_those_that_are_recognised() -> None:
    assert {spec.tag: spec.threshold for spec in SPEECH_TAGS} == Tags().model_dump()
    assert tuple(spec.tag for spec in SPEECH_TAGS) == TAGS


@pytest.mark.parametrize("name", ["a", "guard-1", "0", "a" * 32])
def test_topic_levels(name: str) -> None:
    assert built(tree(device=name)).device == name


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a/b", "a+", "#", "a b", "ä", "a\n", "a" * 33, "$a"])
def test_what_is_no_topic_level(name: str) -> None:
    (told,) = faults(tree(device=name))
    assert told.startswith("device: given")


@pytest.mark.parametrize("name", ["A", "a b", "a/b", "", "#", "a" * 33])
def test_names_of_cameras(name: str) -> None:
    (told,) = faults(tree(cameras={name: {"url": "scene://yard"}}, microphones={}))
    assert told.endswith("expected a name (a-z, 0-9, -, _; a letter or digit first, 32 characters at most)")


@pytest.mark.parametrize("path", ["~/x", "a\x00b", "", 5])
def test_paths_that_are_refused(path: Any) -> None:
    (told,) = faults(tree(state_dir=path))
    assert told.startswith("state_dir: given ")


@pytest.mark.parametrize("section", ["detector", "tracker", "speech", "sounds", "privacy", "evidence", "log"])
def test_an_empty_section_is_the_default(section: str) -> None:
    assert getattr(built(tree(**{section: None})), section) == getattr(built(tree(**{section: {}})), section)


def test_an_empty_camera_does_not_vanish() -> None:
    assert faults(tree(cameras={"gate": None}))[0].startswith(
        "cameras.gate: given nothing, expected a mapping"
    )


@pytest.mark.parametrize("word", ["up", "down"])
def test_a_device_is_not_called_like_a_direction_in_topics(word: str) -> None:
    told = "\n".join(faults(tree(device=word)))
    assert f'device: given "{word}", expected another name' in told
    assert built(tree(site=word)).site == word
