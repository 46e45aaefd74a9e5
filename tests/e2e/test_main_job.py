"""A clip goes in, alerts with their proof come out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import cv2
import pytest

from edgeguard.runtime.journal import read
from tests.alerts.strict import assert_valid
from tests.e2e.conftest import LOSSLESS
from tests.support.broker import Broker
from tests.support.daemon import Box, Json, Listener, settings
from tests.support.walkers import HEIGHT, MASK, PASSED, WALKERS, camera, rules

pytestmark = pytest.mark.e2e
MASKED_ROWS = round(MASK[2][1] * HEIGHT)


@dataclass(frozen=True)
class Outcome:
    """What a whole run told and left behind."""

    exit_code: int
    box: Box
    listener: Listener
    late: dict[str, Json]
    """What somebody hears who comes when all is over, by topic."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory, walk: Path) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("main-job")
    with Broker(folder, LOSSLESS) as broker, Listener(broker.port) as listener:
        yard = camera(walk.as_uri(), pace="fast", masks=[MASK])
        config = settings(broker.port, {"yard": yard}, rules("yard"), log={"observations": True})
        with Box(folder, config) as box:
            exit_code = box.start("--until-done").wait()
            with Listener(broker.port) as latecomer:
                late = {topic: latecomer.wait_for_message(topic) for topic in _RETAINED}
            yield Outcome(exit_code, box, listener, late)


_UP = "edgeguard/v1/depot/gate-1/up"
_RETAINED = (f"{_UP}/status", f"{_UP}/health")


def test_it_ends_by_itself_when_the_clip_is_over(outcome: Outcome) -> None:
    assert outcome.exit_code == 0
    assert "Traceback" not in outcome.box.stderr


def test_every_walker_raises_every_alert_once(outcome: Outcome) -> None:
    kinds = Counter(alert["kind"] for alert in outcome.listener.alerts)
    assert kinds == Counter(PASSED * len(WALKERS))
    tracks = {track for alert in outcome.listener.alerts for track in alert["tracks"]}
    assert len(tracks) == len(WALKERS)


@pytest.mark.parametrize("name", ["alert", "status", "health"])
def test_every_message_fits_its_schema(outcome: Outcome, name: str) -> None:
    messages = outcome.listener.messages(name)
    assert messages
    for message in messages:
        assert_valid(name, message)


def test_topics_say_where_and_what(outcome: Outcome) -> None:
    topics = {topic for topic, _ in outcome.listener.heard if "/alert/" in topic}
    assert topics == {f"{_UP}/alert/yard/{kind}" for kind in PASSED}


def test_numbers_have_no_hole(outcome: Outcome) -> None:
    numbers = [alert["seq"] for alert in outcome.listener.alerts]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    assert outcome.box.committed() == len(numbers)


def test_alerts_tell_how_long_everything_took(outcome: Outcome) -> None:
    for alert in outcome.listener.alerts:
        times = [alert["stages"][stage] for stage in _STAGES]
        assert None not in times
        assert times == sorted(times)
        assert alert["media_ns"] is not None
        assert not alert["replayed"]


_STAGES = (
    *("arrived_ns", "infer_start_ns", "infer_end_ns", "ruled_ns"),
    *("decided_ns", "committed_ns", "published_ns"),
)


def test_alerts_name_the_model_that_saw(outcome: Outcome) -> None:
    seen_by = [[model["name"] for model in alert["models"]] for alert in outcome.listener.alerts]
    assert seen_by == [["motion-mog2"]] * len(seen_by)


def test_the_evidence_is_on_the_disk_as_the_message_says(outcome: Outcome) -> None:
    for alert in outcome.listener.alerts:
        (proof,) = alert["evidence"]
        data = (outcome.box.state / "evidence" / proof["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == proof["sha256"]
        assert len(data) == proof["size_bytes"]
        assert alert["alert_id"] in proof["path"]
        assert alert["evidence_error"] is None


def test_what_is_masked_is_black_in_what_is_stored(outcome: Outcome) -> None:
    pictures = list((outcome.box.state / "evidence").glob("*/*.jpg"))
    assert len(pictures) == len(outcome.listener.alerts)
    for path in pictures:
        picture = cv2.imread(str(path))
        assert picture[: MASKED_ROWS - 8].max() <= 12, path  # JPEG blocks blur the mask's edge
        assert picture[MASKED_ROWS + 8 : HEIGHT].mean() > 60, path


def test_status_goes_from_online_to_stopped(outcome: Outcome) -> None:
    states = [message["state"] for message in outcome.listener.messages("status")]
    assert [state for state, _ in groupby(states)] == ["online", "stopped"]
    stopped = outcome.listener.messages("status")[-1]
    assert stopped["seq_high"] == len(outcome.listener.alerts)


def test_status_and_health_wait_for_those_who_come_later(outcome: Outcome) -> None:
    status, health = (outcome.late[topic] for topic in _RETAINED)
    assert status["state"] == "stopped"
    assert_valid("health", health)
    assert health["seq_high"] == len(outcome.listener.alerts)
    assert health["parts"]["camera/yard"]["state"] == "ended"


def test_what_was_noticed_can_be_replayed(outcome: Outcome) -> None:
    lines = [
        line
        for path in (outcome.box.state / "observations").iterdir()
        for line in path.read_text().splitlines()
    ]
    noticed = Counter((observation.rule, observation.track_ids) for observation in read(lines))
    assert noticed == Counter((alert["rule"], tuple(alert["tracks"])) for alert in outcome.listener.alerts)


def test_nothing_is_left_open_or_half_written(outcome: Outcome) -> None:
    names = {path.name for path in outcome.box.state.rglob("*") if path.is_file()}
    assert not [name for name in names if name.endswith((".tmp", ".part"))]
