from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgeguard.coverage import Ledger
from tests.cli.conftest import Type
from tests.coverage.test_book import back, beat, begin, lost
from tests.coverage.test_ledger import write

DAY = "2024-10-04"
"""That of `test_book.UTC`."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    ledger = Ledger(tmp_path / "coverage")
    write(ledger, begin(0), lost(10), back(25), lost(86_395, "unreachable", source="yard"), beat(86_405))
    return tmp_path


def test_what_was_not_watched_is_listed_with_its_sums(type_in: Type, state: Path) -> None:
    result = type_in("coverage", "--state-dir", str(state))
    lines = result.stdout.splitlines()
    assert lines[0].split() == [
        *(DAY, "00:00:10", DAY, "00:00:25", "15.0", "s", "gate"),
        *["stalled:", "it", "is", "open,", "but", "nothing", "comes"],
    ]
    assert "still" in lines[1]
    assert lines[2] == f"{DAY}  gate: 15.0 s not watched (stalled 15 s)"
    assert lines[3] == f"{DAY}  yard: 5.0 s not watched (unreachable 5 s)"
    assert lines[4] == "2024-10-05  yard: 5.0 s not watched (unreachable 5 s)"


def test_one_day_and_one_source(type_in: Type, state: Path) -> None:
    words = ("coverage", "--state-dir", str(state), "--json", "--day", "2024-10-05", "--source", "yard")
    told = json.loads(type_in(*words).stdout)
    assert told["blind_s"] == {"2024-10-05": {"yard": {"unreachable": 5.0}}}
    [one] = told["intervals"]
    assert (one["from"], one["to"], one["lasted_s"]) == (f"{DAY}T23:59:55.000000Z", None, 10.0)
    assert told["watched_share"] == {"yard": 0.0}


def test_of_one_day_it_is_said_for_which_share_of_it_each_source_was_watched(
    type_in: Type, state: Path
) -> None:
    lines = type_in("coverage", "--state-dir", str(state), "--day", DAY).stdout.splitlines()
    assert f"{DAY}  gate: watched for 99.98 % of the time" in lines
    assert f"{DAY}  yard: watched for 99.99 % of the time" in lines


def test_nothing_was_missed(type_in: Type, tmp_path: Path) -> None:
    write(Ledger(tmp_path / "coverage"), begin(0), beat(30))
    result = type_in("coverage", "--state-dir", str(tmp_path))
    assert result.stdout.splitlines() == [
        "everything was watched at all times",
        f"{DAY} 00:00:30  is the last the book says: the service does not run",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--source", "gaet"), "nothing is known of gaet; watched are gate, yard"),
        (("--day", "2024-10-03"), "nothing is known of 2024-10-03: the book goes from 2024-10-04 00:00:00"),
        (("--day", "2024-10-06"), "nothing is known of 2024-10-06"),
    ],
)
def test_what_the_book_does_not_know_was_not_watched_at_all_times(
    type_in: Type, state: Path, words: tuple[str, ...], says: str
) -> None:
    result = type_in("coverage", "--state-dir", str(state), *words)
    assert result.exit_code == 78
    assert says in result.stderr


def test_a_folder_without_a_book_is_no_good_news(type_in: Type, tmp_path: Path) -> None:
    result = type_in("coverage", "--state-dir", str(tmp_path))
    assert result.exit_code == 78
    assert "holds no book of blind time" in result.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "name either a configuration file or, with --state-dir, the state folder"),
        (("--state-dir", ".", "--day", "yesterday"), "--day yesterday: expected a day such as 2026-11-28"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(type_in: Type, words: tuple[str, ...], says: str) -> None:
    result = type_in("coverage", *words)
    assert result.exit_code == 78
    assert says in result.stderr
