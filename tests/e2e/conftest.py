"""A broker, somebody who listens, and a clip in which known things happen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.daemon import Listener
from tests.support.walkers import make_walk

LOSSLESS = "allow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0"
"""The broker passes every message on before it acknowledges it, so that killing it loses nothing."""


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn clip of three walkers."""
    return make_walk(tmp_path_factory.mktemp("walk") / "walk.mp4")


@pytest.fixture(scope="session")
def stillness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a second in which nothing happens."""
    return make_walk(tmp_path_factory.mktemp("stillness") / "still.mp4", seconds=0.5)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path, LOSSLESS) as broker:
        yield broker


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    with Listener(broker.port) as listener:
        yield listener
