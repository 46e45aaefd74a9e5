"""The life of tracks, told frame by frame."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeguard.types import Detections, Frame, PixelFormat, Showing, Tracks
from edgeguard.vision.tracker import Tracker

LABELS = ("person", "car")
WIDTH, HEIGHT = 640, 480
Thing = tuple[float, float]
"""Left edge in px, confidence; 40 px wide, 100 px high, standing in one row."""

SURE, FAIR, WEAK, NOISE = 0.9, 0.7, 0.3, 0.05
"""Confirmed at once; begins a track; only carries one on; ignored."""


def frame_at(t_s: float) -> Frame:
    ns = round(t_s * 1e9)
    return Frame("gate", round(t_s * 100), ns, ns + 5, ns, WIDTH, HEIGHT, PixelFormat.BGR, planes=())


def found(things: Iterable[Thing], class_id: int = 0, top: float = 200) -> Detections:
    table = np.array([(x, top, x + 40, top + 100, c) for x, c in things], np.float32).reshape(-1, 5)
    return Detections(table[:, :4], table[:, 4], np.full(len(table), class_id, np.int32))


def both(a: Detections, b: Detections) -> Detections:
    return Detections(
        np.concatenate((a.xyxy, b.xyxy)),
        np.concatenate((a.confidence, b.confidence)),
        np.concatenate((a.class_id, b.class_id)),
    )


def ids(tracks: Tracks) -> list[int]:
    return tracks.track_id.tolist()


def make(**thresholds: float) -> Tracker:
    return Tracker("gate", LABELS, **thresholds)  # type: ignore[arg-type]


S, F, W, N, _ = SURE, FAIR, WEAK, NOISE, None


@pytest.mark.parametrize(
    ("story", "shown"),
    [
        ([_, _], [_, _]),
        ([S, F, F], [1, 1, 1]),  # confirmed at once
        ([F, F, F], [_, 1, 1]),  # tentative, confirmed
        ([F, _, F, F], [_, _, _, 2]),  # a tentative track that misses a frame is dropped
        ([F, W, F], [_, _, _]),  # a weak detection does not confirm
        ([W, W, W], [_, _, _]),  # nor begin
        ([S, W, W, S], [1, 1, 1, 1]),  # but carry on
        ([S, N, N, S], [1, _, _, 1]),  # noise does not even that
        ([S, _, _, _, _, S], [1, _, _, _, _, 1]),  # lost for 1 s, found again
        ([S, _, _, _, _, W], [1, _, _, _, _, 1]),  # even when hardly visible
        ([S, _, _, _, _, _, S], [1, _, _, _, _, _, 2]),  # ended: its id does not return
    ],
)
def test_life_at_five_frames_per_second(story: list[float | None], shown: list[int | None]) -> None:
    tracker = make(lost_s=1.0)
    for step, (confidence, track_id) in enumerate(zip(story, shown, strict=True)):
        seen = found([] if confidence is None else [(100, confidence)])
        tracks = tracker.update(seen, frame_at(10 + step / 5))
        assert ids(tracks) == ([] if track_id is None else [track_id]), f"frame {step}"


@pytest.mark.parametrize("hits", [1, 2, 4])
def test_confirmed_after_so_many_frames_in_a_row(hits: int) -> None:
    tracker = make(confirm_hits=hits)
    shown = [len(tracker.update(found([(100, FAIR)]), frame_at(step / 5))) for step in range(5)]
    assert shown == [0] * (hits - 1) + [1] * (6 - hits)


@pytest.mark.parametrize("fps", [5, 25])
@pytest.mark.parametrize(("gap_s", "same"), [(0.4, True), (1.6, True), (2.4, False)])
def test_lost_for_seconds_not_frames(fps: int, gap_s: float, same: bool) -> None:
    tracker = make(lost_s=2.0)
    for step in range(fps):
        tracker.update(found([(100, SURE)]), frame_at(step / fps))
    last_s = (fps - 1) / fps
    for step in range(1, round(gap_s * fps)):
        assert not len(tracker.update(Detections.empty(), frame_at(last_s + step / fps)))
    assert ids(tracker.update(found([(100, SURE)]), frame_at(last_s + gap_s))) == [1 if same else 2]


def test_a_long_silence_of_the_camera_ends_all_tracks() -> None:
    tracker = make()
    tracker.update(found([(100, SURE), (300, FAIR)]), frame_at(0))
    assert ids(tracker.update(found([(100, SURE), (300, FAIR)]), frame_at(3600))) == [3]


@pytest.mark.parametrize("fps", [3, 5, 10, 25])
def test_things_that_cross_keep_their_ids(fps: int) -> None:
    tracker, speed = make(), 90
    for step in range(4 * fps + 1):
        way = speed * step / fps
        right_going, left_going = found([(100 + way, SURE)]), found([(460 - way, SURE)], top=212)
        tracks = tracker.update(both(right_going, left_going), frame_at(step / fps))
        assert ids(tracks) == [1, 2]
        np.testing.assert_allclose(tracks.xyxy[:, 0], [100 + way, 460 - way], atol=20)


@pytest.mark.parametrize("hidden_s", [0.4, 1.0])
def test_found_where_it_must_have_got_to(hidden_s: float) -> None:
    """A walker passes behind a pillar."""
    tracker, fps, speed = make(), 10, 80

    def walk(step: int) -> Detections:
        return found([(50 + speed * step / fps, SURE)])

    for step in range(15):
        tracker.update(walk(step), frame_at(step / fps))
    hidden = round(hidden_s * fps)
    for step in range(15, 15 + hidden):
        tracker.update(Detections.empty(), frame_at(step / fps))
    again = 15 + hidden
    assert ids(tracker.update(walk(again), frame_at(again / fps))) == [1]


def test_uneven_intervals_do_not_shake_a_steady_walk() -> None:
    tracker, rng, t_s = make(), np.random.default_rng(7), 0.0
    for _step in range(80):
        t_s += float(rng.choice([0.04, 0.2, 0.6]))
        x = 20 + 15 * t_s
        tracks = tracker.update(found([(x, SURE)]), frame_at(t_s))
        assert ids(tracks) == [1]
        assert tracks.xyxy[0, 0] == pytest.approx(x, abs=6)


def test_a_fast_thing_is_followed_from_its_second_frame_though_it_left_its_own_outline() -> None:
    tracker = make()
    shown = [ids(tracker.update(found([(50 + 44 * step, SURE)]), frame_at(step / 5))) for step in range(8)]
    assert shown == [[1]] * 8


@pytest.mark.parametrize("confidence", [SURE, WEAK])
def test_a_track_keeps_to_its_class(confidence: float) -> None:
    tracker = make()
    for step in range(3):
        assert ids(tracker.update(found([(100, SURE)], class_id=0), frame_at(step / 5))) == [1]
    tracks = tracker.update(found([(100, confidence)], class_id=1), frame_at(0.6))
    assert ids(tracks) == ([2] if confidence == SURE else [])


def test_things_of_two_classes_in_one_place_are_two_tracks() -> None:
    tracker = make()
    for step in range(3):
        seen = both(found([(100, SURE)], class_id=1), found([(100, SURE)], class_id=0))
        tracks = tracker.update(seen, frame_at(step / 5))
    assert [(tracks.track_id[row], tracks.label(row)) for row in range(2)] == [(1, "car"), (2, "person")]


def test_of_two_candidates_the_more_confident_one_is_taken() -> None:
    tracker = make()
    tracker.update(found([(100, SURE)]), frame_at(0))
    tracks = tracker.update(found([(92, 0.5), (108, SURE)]), frame_at(0.2))
    assert ids(tracks) == [1]
    assert tracks.confidence[0] == pytest.approx(SURE)


def test_a_track_takes_one_detection_only() -> None:
    tracker = make()
    tracker.update(found([(100, SURE)]), frame_at(0))
    tracks = tracker.update(found([(100, SURE), (104, WEAK)]), frame_at(0.2))
    assert (ids(tracks), tracks.xyxy[0, 0]) == ([1], 100)
    assert tracks.confidence[0] == pytest.approx(SURE)


def test_a_walk_goes_on_when_time_jumps_back() -> None:
    tracker = make()
    for step in range(20):
        t_s = 100 + step / 10 if step < 10 else step / 10
        assert ids(tracker.update(found([(100 + 8 * step, SURE)]), frame_at(t_s))) == [1]


def test_frames_with_the_same_or_an_earlier_time_do_no_harm() -> None:
    tracker = make()
    for t_s in (10, 10, 9.9, 10, 10.2):
        assert ids(tracker.update(found([(100, SURE)]), frame_at(t_s))) == [1]
    assert ids(tracker.update(Detections.empty(), frame_at(10.2))) == []


def test_tells_of_its_frame() -> None:
    frame = frame_at(1.5)
    tracks = make().update(found([(100, SURE)], class_id=1), frame)
    assert (tracks.source, tracks.sequence, tracks.pts_ns, tracks.utc_ns) == (
        "gate",
        frame.sequence,
        frame.pts_ns,
        frame.utc_ns,
    )
    assert (tracks.width, tracks.height, tracks.labels, tracks.label(0)) == (WIDTH, HEIGHT, LABELS, "car")
    assert tracks.confidence[0] == pytest.approx(SURE)


def test_boxes_end_at_the_edge_of_the_frame() -> None:
    tracks = make().update(found([(-25, SURE), (WIDTH - 10, SURE)], top=420), frame_at(0))
    np.testing.assert_array_equal(tracks.xyxy, [(0, 420, 15, HEIGHT), (WIDTH - 10, 420, WIDTH, HEIGHT)])


def test_a_detection_that_is_not_a_number_begins_nothing() -> None:
    tracker = make()
    tracker.update(found([(100, SURE)]), frame_at(0))
    assert ids(tracker.update(found([(np.nan, SURE), (101, SURE)]), frame_at(0.2))) == [1]


moments = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.04, 0.2, 1.0, 5.0]),
        st.lists(
            st.tuples(st.floats(-50, WIDTH + 50), st.sampled_from([SURE, FAIR, WEAK, NOISE])), max_size=6
        ),
    ),
    max_size=15,
)


@given(moments)
def test_whatever_happens(story: list[tuple[float, list[Thing]]]) -> None:
    tracker, t_s, newest, last_shown, before_s, waits = make(), 0.0, 0, {}, 0.0, [0.0]
    for interval_s, things in story:
        before_s, t_s = t_s, t_s + interval_s
        tracks = tracker.update(found(things), frame_at(t_s))
        assert len(tracks) <= sum(confidence > NOISE for _x, confidence in things)
        assert ids(tracks) == sorted(set(ids(tracks)))
        assert np.isfinite(tracks.xyxy).all()
        assert ((tracks.xyxy >= 0) & (tracks.xyxy <= [WIDTH, HEIGHT] * 2)).all()
        for track_id in ids(tracks):
            # An id seen for the first time is new, or was tentative in the frame before.
            assert track_id in last_shown or track_id > newest - 6
            rarely = last_shown.get(track_id) == before_s and interval_s <= 2 * max(waits)
            assert rarely or t_s - last_shown.get(track_id, t_s) <= 2.0 + 1e-9, "an id came back to life"
            last_shown[track_id] = t_s
        newest = max([newest, *ids(tracks)])
        waits.append(interval_s)


def test_ids_go_on_in_a_tracker_that_replaces_another() -> None:
    ids = itertools.count(1)
    for expected in (1, 2):
        tracker = Tracker("gate", ("person",), ids)
        found = Detections(
            np.array([[10, 10, 60, 110]], np.float32), np.array([0.9], np.float32), np.zeros(1, np.int32)
        )
        frame = Frame("gate", 0, 0, 0, 0, 640, 360, PixelFormat.BGR, ())
        assert tracker.update(found, frame).track_id.tolist() == [expected]


def test_what_stands_still_keeps_its_id_from_glance_to_glance() -> None:
    tracker = make()
    dice = np.random.default_rng(3)
    for step in range(20):
        shown = tracker.update(found([(100 + dice.normal(0, 1), SURE)]), frame_at(step / 10))
    first = ids(shown)
    for step in range(1, 6):
        glance = replace(frame_at(2 + 4 * step), showing=Showing.GLANCE)
        assert ids(tracker.update(found([(100 + dice.normal(0, 1), FAIR)]), glance)) == first
    assert ids(tracker.update(found([]), replace(frame_at(30), showing=Showing.GLANCE))) == []
    gone = replace(frame_at(34), showing=Showing.GLANCE)
    assert ids(tracker.update(found([(100, SURE)]), gone)) != first


@pytest.mark.parametrize("apart_s", [(2.1,), (4.0,), (2.0, 4.0), (10.0,), (100.0,)])
def test_a_camera_that_gives_few_pictures_shows_one_person_not_many(apart_s: tuple[float, ...]) -> None:
    """Keyframes alone, or a low `analyse_fps`: no rule would hear of anybody who is another one each time."""
    tracker, t_s, dice, told = make(), 0.0, np.random.default_rng(3), []
    for wait_s, _ in zip(itertools.cycle(apart_s), range(12), strict=False):
        t_s += wait_s
        told += ids(tracker.update(found([(100 + dice.normal(0, 1), FAIR)]), frame_at(t_s)))
    assert len(told) >= 8
    assert len({*told}) == 1


def test_who_is_there_after_a_camera_was_away_is_another_one() -> None:
    tracker = make()
    before = [ids(tracker.update(found([(100, SURE)]), frame_at(step / 5))) for step in range(10)][-1]
    assert ids(tracker.update(found([(100, SURE)]), frame_at(20))) != before
