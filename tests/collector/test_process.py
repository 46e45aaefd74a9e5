"""`edgeguard collect` as it is run: a real broker, real databases, and kill -9."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeguard.alerts.link import Received
from edgeguard.collector.database import Server, open_server
from edgeguard.collector.tables import revision
from tests.support.alerts import IDENTITY, NEXT_RUN
from tests.support.broker import Broker
from tests.support.centre import a_health, a_result, a_status, an_alert, rows
from tests.support.collector import Collector
from tests.support.postgresql import PASSWORD, Postgresql
from tests.support.sending import Sender
from tests.support.waiting import wait_for

pytestmark = pytest.mark.e2e

BOOT = IDENTITY.boot_id
QUICK = "allow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 100000\n"
REQUEST = "6f1c2d3e-0000-4000-8000-000000000001"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path, QUICK) as running:
        yield running


@pytest.fixture
def collector(broker: Broker, tmp_path: Path) -> Iterator[Collector]:
    with Collector(tmp_path, broker.port) as made:
        yield made.start()


@pytest.fixture
def sender(broker: Broker) -> Iterator[Sender]:
    with Sender(broker.port) as made:
        yield made


def collected(collector: Collector) -> list[int]:
    """The numbers of all revisions, read while the collector runs."""
    path = collector.folder / "state" / "collector.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return [seq for (seq,) in database.execute("SELECT seq FROM revision ORDER BY seq")]


def test_what_is_receipted_is_on_the_disk(collector: Collector, sender: Sender) -> None:
    sender.deliver(BOOT, [(seq, an_alert(seq)) for seq in range(1, 301)])
    assert collected(collector) == list(range(1, 301))
    assert collector.stop() == 0
    assert "Traceback" not in collector.log


def test_strangers_get_no_receipt_and_do_no_harm(collector: Collector, sender: Sender) -> None:
    later = Received(IDENTITY.topics.clock.replace("/clock", "/gossip"), an_alert(4).body, False)
    sender.send(an_alert(1, device="gate-2"), an_alert(2, severity="terrible"), later)
    sender.deliver(BOOT, [(3, an_alert(3))])
    aside = {(BOOT, 2), (BOOT, 4)}
    wait_for(lambda: aside <= sender.receipted, "receipts for what is kept aside")
    assert (BOOT, 1) not in sender.receipted
    assert collected(collector) == [3]
    token = collector.token()
    _, stats = collector.ask("/v1/stats", token)
    assert (stats["quarantined"], stats["parts"]["ingest"]["refused"]) == (2, 1)


def test_killed_again_and_again_it_loses_nothing(
    broker: Broker, collector: Collector, sender: Sender
) -> None:
    for begin in range(1, 301, 100):
        sender.send(*(an_alert(seq) for seq in range(begin, begin + 100)))
        collector.kill9()
        collector.start()
    sender.deliver(BOOT, [(seq, an_alert(seq)) for seq in range(1, 301)])
    assert collected(collector) == list(range(1, 301))


def test_a_gap_is_found_asked_about_and_explained(collector: Collector, sender: Sender) -> None:
    sender.send(a_status())
    sender.deliver(BOOT, [(1, an_alert(1)), (4, an_alert(4))])

    def asked() -> bool:
        sender.send(a_health(4))
        return bool(sender.commands)

    wait_for(asked, "the request to send again", every_s=0.3)
    command = sender.commands[0]
    assert (command["verb"], command["from_seq"], command["to_seq"]) == ("replay", 2, 3)
    sender.deliver(BOOT, [(2, an_alert(2, replayed=True))])
    sender.send(a_result(REQUEST, (3, 3, "shed")))
    shown = lambda: json.loads(collector.run("alerts", "gaps", str(collector.config), "--json"))  # noqa: E731
    wait_for(lambda: [gap["reason"] for gap in shown()] == ["shed"], "the gap's reason", every_s=0.3)
    (device,) = json.loads(collector.run("alerts", "devices", str(collector.config), "--json"))
    assert (device["missing"], device["complete_to"]) == (0, 4)
    wait_for(lambda: "is silent" in collector.log, "silence to be noticed")


def test_who_was_there_before_the_collector_is_known(broker: Broker, tmp_path: Path, sender: Sender) -> None:
    status = a_status("offline", NEXT_RUN, None, retained=True)
    sender.send(status)
    with Collector(tmp_path, broker.port).start() as collector:
        token = collector.token()

        def states() -> list[str]:
            return [device["state"] for device in collector.ask("/v1/devices", token)[1]["devices"]]

        wait_for(lambda: states() == ["offline"], "the retained status")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text(PASSWORD)
    path.chmod(0o600)
    return path


def test_two_collectors_share_the_work_and_one_may_die(
    broker: Broker, tmp_path: Path, sender: Sender, postgresql: Postgresql, secret: Path
) -> None:
    where = {"url": postgresql.create("shared"), "password_file": str(secret)}
    with (
        Collector(tmp_path, broker.port, "centre-1", database=where) as first,
        Collector(tmp_path, broker.port, "centre-2", database=where) as second,
    ):
        first.start()
        second.start()
        sender.deliver(BOOT, [(seq, an_alert(seq)) for seq in range(1, 201)])
        token = second.token()
        _, stats = second.ask("/v1/stats", token)
        assert 0 < stats["parts"]["ingest"]["committed"] < 200, "each took some"
        sender.send(*(an_alert(seq) for seq in range(201, 401)))
        first.kill9()
        sender.deliver(BOOT, [(seq, an_alert(seq)) for seq in range(201, 401)])
        database = open_server(Server(where["url"], PASSWORD, plaintext=True))
        assert sorted(rows(database, revision, "seq")) == [(seq,) for seq in range(1, 401)]
        database.close()


def test_a_database_that_is_away_is_waited_for_and_nothing_is_receipted(
    broker: Broker, tmp_path: Path, sender: Sender, secret: Path
) -> None:
    server = Postgresql()
    try:
        server.start()
        where = {"url": server.create("away"), "password_file": str(secret)}
        with Collector(tmp_path, broker.port, database=where).start() as collector:
            sender.deliver(BOOT, [(1, an_alert(1))])
            server.stop()
            sender.send(an_alert(2))
            wait_for(lambda: "cannot use the collector's database" in collector.log, "the reason in the log")
            token = collector.token()
            assert collector.ask("/v1/alerts", token)[0] == 503
            assert (BOOT, 2) not in sender.receipted
            server.start()
            sender.deliver(BOOT, [(2, an_alert(2))])
            assert collector.ask("/v1/alerts", token)[0] == 200
            assert "Traceback" not in collector.log
            assert PASSWORD not in collector.log
    finally:
        server.remove()


def test_a_second_one_on_the_same_folder_is_refused(collector: Collector) -> None:
    with pytest.raises(AssertionError, match="another EdgeGuard uses the state folder"):
        collector.run("collect", str(collector.config))
