"""A broker that keeps messages hears that they are in safe hands only when they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from edgeguard.alerts.link import LinkEvent, Received
from edgeguard.alerts.messages import ClockQuality, alert_message, encode
from edgeguard.clock import ManualClock
from edgeguard.collector.database import Database, open_sqlite
from edgeguard.collector.ingest import Ingest
from edgeguard.collector.intake import Arrival
from edgeguard.collector.writing import Stored, Writer
from edgeguard.errors import StorageError
from edgeguard.types import AlertState
from tests.support.alerts import ALERT_TOPIC, IDENTITY, alert

BODY = encode(alert_message(alert(state=AlertState.OPENED), IDENTITY, 1, 0, ClockQuality()))


class Story:
    """A link and a database that refuses at first, and what happened, in order."""

    def __init__(self, database: Database) -> None:
        self.told: list[str] = []
        self.refusing = True
        self._writer = Writer(database)

    def store(self, batch: Sequence[Arrival], now_ns: int) -> Stored:
        if self.refusing:
            raise StorageError("not now")
        self.told.append("committed")
        return self._writer.store(batch, now_ns)

    def tidy(self) -> None:
        self._writer.tidy()

    def start(self) -> None:
        """Nothing to start."""

    def close(self) -> None:
        """Nothing to close."""

    def publish(self, topic: str, body: bytes, **_: object) -> int:
        self.told.append(topic.rpartition("/")[2])
        return 1

    def received(self, body: bytes, name: str) -> LinkEvent:
        return Received(ALERT_TOPIC, body, False, settle=lambda: self.told.append(f"settled {name}"))


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    database = open_sqlite(tmp_path / "collector.db")
    database.prepare()
    yield Story(database)
    database.close()


def test_a_message_is_settled_after_its_receipt_and_that_after_its_commit(story: Story) -> None:
    ingest = Ingest(story, story, "centre", ManualClock())  # type: ignore[arg-type]
    with pytest.raises(StorageError):
        ingest.take([story.received(BODY, "alert"), story.received(b"nonsense", "nonsense")])
    assert story.told == []
    story.refusing = False
    ingest.take([story.received(BODY, "copy")])
    assert story.told == ["committed", "receipt", "settled alert", "settled nonsense", "settled copy"]
    ingest.take([])
    assert len(story.told) == 5
