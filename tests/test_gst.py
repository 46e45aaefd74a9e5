from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from edgeguard import gst
from edgeguard.errors import DependencyError, SourceError
from edgeguard.gst import EndOfStreamError, Pipeline
from tests.support.waiting import wait_for


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    pipeline = Pipeline("camera-gate")
    yield pipeline
    pipeline.stop()


def test_a_missing_element_names_what_to_install(pipeline: Pipeline) -> None:
    with pytest.raises(DependencyError, match="install the package"):
        pipeline.add("warpdrive")


def test_the_end_comes_after_the_last_sample(pipeline: Pipeline) -> None:
    sink = pipeline.add_appsink(sync=False, lossless=True)
    pipeline.link(pipeline.add("videotestsrc", num_buffers=2), sink.element)
    pipeline.play()
    assert [sink.pull(5) is not None for _ in range(3)] == [True, True, False]
    with pytest.raises(EndOfStreamError):
        wait_for(pipeline.check, "the end")


def test_a_failure_is_told_with_its_cause() -> None:
    pipeline = Pipeline("camera-gate")
    sink = pipeline.add_appsink(sync=False, lossless=True)
    pipeline.link(pipeline.add("filesrc", location="/nowhere/walk.mp4"), sink.element)
    with pytest.raises(SourceError, match="/nowhere/walk"):
        pipeline.play()
    pipeline.stop()


def test_stopping_twice_is_stopping_once(pipeline: Pipeline) -> None:
    pipeline.stop()
    pipeline.stop()


def test_a_pipeline_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gst, "_STOP_NS", 200_000_000)
    busy, release = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        busy.set()
        release.wait(30)

    pipeline = Pipeline("camera-gate")
    middle = pipeline.add("identity", signal_handoffs=True)
    pipeline.connect(middle, "handoff", hang)
    pipeline.link(pipeline.add("videotestsrc"), middle, pipeline.add("fakesink"))
    pipeline.play()
    assert busy.wait(10)
    with pytest.raises(SourceError, match="camera-gate hangs"):
        pipeline.stop()
    release.set()
