from __future__ import annotations

import itertools
from collections import defaultdict
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from edgeguard.coverage import CAUSES, Book, Interval, Record, What, blind_s, day_of
from edgeguard.coverage.days import bounds

S = 1_000_000_000
DAY_NS = 86_400 * S
UTC = 20_000 * DAY_NS
"""Some midnight."""


def begin(
    at_s: float, run: str = "a", boot: str = "x", lost: dict[str, tuple[str, int]] | None = None
) -> Record:
    return Record(
        What.BEGIN,
        UTC + round(at_s * S),
        round(at_s * S),
        run=run,
        boot=boot,
        sources=("gate", "yard"),
        lost=lost or {},
    )


def lost(at_s: float, cause: str = "stalled", noticed_s: float | None = None, source: str = "gate") -> Record:
    now_s = at_s if noticed_s is None else noticed_s
    return Record(What.LOST, UTC + round(now_s * S), round(now_s * S), source, cause, round(at_s * S))


def back(at_s: float, source: str = "gate") -> Record:
    return Record(What.BACK, UTC + round(at_s * S), round(at_s * S), source, at_ns=round(at_s * S))


def beat(at_s: float) -> Record:
    return Record(What.BEAT, UTC + round(at_s * S), round(at_s * S))


def told(book: Book) -> list[tuple[str, str, float, float]]:
    return [
        (one.source, one.cause, (one.from_utc_ns - UTC) / S, (one.to_utc_ns - UTC) / S)
        for one in book.intervals()
    ]


def test_blind_from_the_last_picture_to_the_next() -> None:
    book = Book([begin(0), lost(10, noticed_s=15), beat(20), back(25)])
    assert told(book) == [("gate", "stalled", 10, 25)]


def test_another_cause_is_another_interval_but_connecting_is_none() -> None:
    book = Book([begin(0), lost(10), lost(12, "connecting"), lost(14, "unreachable"), back(20)])
    assert told(book) == [("gate", "stalled", 10, 14), ("gate", "unreachable", 14, 20)]


def test_what_is_not_over_lasts_until_the_newest_record() -> None:
    book = Book([begin(0), lost(10), beat(100)])
    assert told(book) == [("gate", "stalled", 10, 100)]
    assert not book.intervals()[0].over


def test_after_a_killed_process_everything_was_blind_since_the_last_beat() -> None:
    book = Book(
        [begin(0), lost(10), beat(30), begin(50, run="b", lost={"gate": ("connecting", 50 * S)}), back(51)]
    )
    assert told(book) == [
        ("gate", "stalled", 10, 30),
        ("gate", "restarted", 30, 50),
        ("gate", "connecting", 50, 51),
        ("yard", "restarted", 30, 50),
    ]


def test_a_machine_that_lost_its_power_says_so_and_its_times_are_of_its_own_boot() -> None:
    again = Record(What.BEGIN, UTC + 500 * S, 3 * S, run="b", boot="y", sources=("gate",))
    book = Book(
        [begin(0), beat(30), again, Record(What.LOST, UTC + 510 * S, 13 * S, "gate", "broken", 13 * S)]
    )
    assert told(book)[0] == ("gate", "power", 30, 500)
    assert told(book)[1] == ("gate", "broken", 510, 510)


def test_a_stop_on_purpose_is_a_restart_also_with_a_new_boot() -> None:
    stop = Record(What.STOP, UTC + 40 * S, 40 * S)
    again = Record(What.BEGIN, UTC + 500 * S, 3 * S, run="b", boot="y", sources=("gate",))
    assert told(Book([begin(0), stop, again])) == [("gate", "restarted", 40, 500)]


def test_a_source_that_is_no_longer_wanted_was_not_blind_meanwhile() -> None:
    again = Record(What.BEGIN, UTC + 50 * S, 50 * S, run="b", boot="x", sources=("yard",))
    assert told(Book([begin(0), beat(30), again])) == [("yard", "restarted", 30, 50)]


def test_a_clock_that_is_set_right_sets_right_what_was_written_before() -> None:
    in_1970 = Record(What.BEGIN, 5 * S, 5 * S, run="a", boot="x", sources=("gate",))
    wrong = Record(What.LOST, 10 * S, 10 * S, "gate", "stalled", 10 * S)
    book = Book([in_1970, wrong, Record(What.BACK, UTC + 25 * S, 25 * S, "gate", at_ns=25 * S)])
    assert told(book) == [("gate", "stalled", 10, 25)]


def test_a_clock_set_back_between_two_runs_makes_no_overlap() -> None:
    again = Record(What.BEGIN, UTC - 1000 * S, 1 * S, run="b", boot="y", sources=("gate",))
    book = Book([begin(-2000), lost(-1500), back(-1400), lost(-1005), beat(30), again])
    assert told(book) == [("gate", "stalled", -1500, -1400), ("gate", "stalled", -1005, -1000)]


def test_a_boot_whose_clock_was_ahead_hides_nothing_of_those_after_it() -> None:
    year = 365 * DAY_NS

    def record(what: What, at_s: float, ahead_ns: int, boot: str, cause: str = "") -> Record:
        mono_ns = round(at_s * S)
        more = {"run": boot, "boot": boot, "sources": ("gate",)} if what is What.BEGIN else {}
        return Record(what, UTC + mono_ns + ahead_ns, mono_ns, "gate", cause, mono_ns, **more)  # type: ignore[arg-type]

    book = Book(
        [
            record(What.BEGIN, 0, year, "x"),
            record(What.LOST, 10, year, "x", "stalled"),
            record(What.BACK, 20, year, "x"),
            record(What.BEGIN, 100, 0, "y"),
            record(What.LOST, 200, 0, "y", "unreachable"),
            record(What.BACK, 230, 0, "y"),
            record(What.BEAT, 300, 0, "y"),
        ]
    )
    assert told(book) == [("gate", "unreachable", 200, 230)]
    assert book.watched() == [("gate", UTC + 100 * S, UTC + 300 * S)]
    assert book.known_from_ns == UTC + 100 * S


def test_a_boot_whose_clock_was_never_set_hides_nothing_of_those_before_it() -> None:
    unset = Record(What.BEGIN, 5 * S, 5 * S, run="b", boot="y", sources=("gate",))
    again = Record(What.BEGIN, UTC + 500 * S, 1 * S, run="c", boot="z", sources=("gate",))
    book = Book([begin(0), lost(10), back(30), beat(100), unset, again])
    assert told(book) == [("gate", "stalled", 10, 30), ("gate", "power", 30, 500)]


def test_what_was_forgotten_while_the_clock_was_ahead_is_not_unknown_for_as_long() -> None:
    book = Book([begin(0), lost(100), back(110)])
    year = 365 * DAY_NS
    book.take(Record(What.BEAT, UTC + 200 * S + year, 200 * S))
    book.forget_before(UTC + 150 * S + year)
    book.take(Record(What.BEAT, UTC + 300 * S, 300 * S))
    assert book.known_from_ns == UTC + 150 * S
    assert told(book) == []


def test_records_without_their_beginning_tell_nothing() -> None:
    assert Book([lost(10), back(20)]).intervals() == []


def test_a_new_file_of_the_same_run_is_no_news_and_heals_what_was_not_written() -> None:
    records = [begin(0), lost(10)]
    book = Book(records)
    assert told(Book([*records, book.begin_again(beat(20)), back(30)])) == [("gate", "stalled", 10, 30)]
    healed = Book([*records, begin(20, lost={"yard": ("broken", 15 * S)}), beat(40)])
    assert told(healed) == [("gate", "stalled", 10, 20), ("yard", "broken", 15, 40)]


def test_days_are_those_of_the_site() -> None:
    noon = datetime(2026, 3, 29, 12, tzinfo=timezone.utc)
    zurich = ZoneInfo("Europe/Zurich")
    day = day_of(round(noon.timestamp() * S), zurich)
    begins, ends = bounds(day, zurich)
    assert (ends - begins) / S == 23 * 3600  # summer time begins
    over = Interval("gate", "stalled", begins - 60 * S, ends + 60 * S)
    assert blind_s([over], day, zurich) == {"gate": {"stalled": 23 * 3600.0}}


STEPS = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["lost", "back", "beat", "restart", "reboot", "stop"]),
        st.sampled_from(["gate", "yard"]),
        st.sampled_from(sorted(CAUSES)),
        st.integers(0, 60),
    ),
    max_size=40,
)


@given(STEPS)
def test_whatever_happens_intervals_do_not_overlap_and_their_sum_is_the_blind_time(
    steps: list[tuple[int, str, str, str, int]],
) -> None:
    """Against a model that asks for every second who was lost; times run on over restarts here."""
    now_s, boots, runs = 0, 0, 0
    booted_s = 0
    records = [begin(0)]
    sure: dict[str, set[int]] = defaultdict(set)
    losses: dict[str, int] = {}
    floor: dict[str, int] = defaultdict(int)
    last_s = 0

    def mono(second: int) -> int:
        return (second - booted_s) * S

    for pause_s, what, source, cause, late_s in steps:
        now_s += pause_s
        utc_ns = UTC + now_s * S
        if what in ("restart", "reboot"):
            for name, since_s in losses.items():
                sure[name].update(range(since_s, last_s))
            for name in ("gate", "yard"):
                sure[name].update(range(last_s, now_s))
                floor[name] = now_s
            losses = {}
            runs += 1
            if what == "reboot":
                boots, booted_s = boots + 1, now_s
            records.append(
                Record(
                    What.BEGIN,
                    utc_ns,
                    mono(now_s),
                    run=f"run{runs}",
                    boot=f"boot{boots}",
                    sources=("gate", "yard"),
                )
            )
        elif what == "lost":
            at_s = max(now_s - late_s, floor[source])
            records.append(Record(What.LOST, utc_ns, mono(now_s), source, cause, mono(at_s)))
            losses.setdefault(source, at_s)
        elif what == "back":
            records.append(Record(What.BACK, utc_ns, mono(now_s), source, at_ns=mono(now_s)))
            if source in losses:
                sure[source].update(range(losses.pop(source), now_s))
                floor[source] = now_s
        else:
            records.append(Record(What.STOP if what == "stop" else What.BEAT, utc_ns, mono(now_s)))
        last_s = now_s
    for name, since_s in losses.items():
        sure[name].update(range(since_s, last_s))

    intervals = Book(records).intervals()
    for source in ("gate", "yard"):
        mine = [one for one in intervals if one.source == source]
        assert all(one.from_utc_ns <= one.to_utc_ns for one in mine)
        assert all(one.to_utc_ns <= later.from_utc_ns for one, later in itertools.pairwise(mine))
        assert sum(one.lasted_s for one in mine) == len(sure[source])
        days = {day for one in mine for day in (one.from_utc_ns // DAY_NS, one.to_utc_ns // DAY_NS)}
        by_day = [
            sum(blind_s(mine, day_of(day * DAY_NS, timezone.utc), timezone.utc).get(source, {}).values())
            for day in days
        ]
        assert sum(by_day) == len(sure[source])
