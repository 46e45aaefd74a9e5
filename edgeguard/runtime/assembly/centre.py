"""All that one collector consists of, and how it is joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edgeguard.alerts.link import Endpoint, Link, LinkEvent
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.clock import Clock, SystemClock
from edgeguard.collector.acknowledging import Acknowledgements
from edgeguard.collector.api import Desk, make_app
from edgeguard.collector.audit import Audit
from edgeguard.collector.database import Database, Server, open_server, open_sqlite
from edgeguard.collector.reading import Reader
from edgeguard.collector.retention import Limits, Retention
from edgeguard.collector.subscriptions import filters
from edgeguard.collector.tokens import Tokens
from edgeguard.config.collector import CollectorConfig
from edgeguard.config.mqtt import is_loopback
from edgeguard.config.secrets import place_of
from edgeguard.errors import ConfigError
from edgeguard.evidence import BelievedTime
from edgeguard.files import check_private
from edgeguard.runtime.assembly.brokers import endpoint
from edgeguard.runtime.claim import claim
from edgeguard.runtime.collecting import AuditStage, CollectStage
from edgeguard.runtime.daemon import Crew, Daemon
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.linking import LinkThread
from edgeguard.runtime.serving import ServingStage
from edgeguard.runtime.stage import Stage, StageThread

_LOOK_S = 5.0
_MOST_UNACKNOWLEDGED = 60_000
"""Receipts that the broker may owe an answer for: a whole fleet may come back at once."""


def open_database(config: CollectorConfig, *, read_only: bool = False) -> Database:
    """The database that the configuration names. Raises ConfigError, StorageError or DependencyError."""
    database = config.database
    if database.url is None:
        return open_sqlite(config.state_dir / "collector.db", read_only=read_only)
    ca_file = database.ca_file and place_of(database.ca_file)
    on_this_machine = is_loopback(database.host) or not database.host
    return open_server(Server(database.url, database.password(), ca_file, plaintext=on_this_machine))


class Centre:
    """One configuration, made into the stages of a collector."""

    def __init__(self, config: CollectorConfig, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.board = HealthBoard(self.clock)
        self._config = config

    def daemon(self) -> Daemon:
        """Raises StorageError if the state folder cannot be used, ConfigError for secrets that cannot."""
        self._state_folder = claim(self._config.state_dir)
        database = open_database(self._config)
        ingest = CollectStage(
            self._config.name,
            database,
            self._open_link,
            self.clock,
            self.board.part("broker"),
            self.board.part("ingest"),
        )
        crew = Crew(
            tellers=self._threads(ingest),
            thinkers=self._threads(self._audit(database, ingest)),
            sources=self._threads(self._serving(database, ingest)) if self._config.http.enabled else [],
        )
        return Daemon(
            crew,
            self.board,
            self.clock,
            tell_health=lambda: None,
            drained=lambda: False,
            refresh=lambda: None,
        )

    def _serving(self, database: Database, ingest: CollectStage) -> ServingStage:
        http = self._config.http
        assert http.tokens_file is not None
        desk = Desk(
            self._config.name,
            Reader(database),
            Tokens(http.tokens_file),
            Acknowledgements(lambda: ingest.link, self.clock),
            self.board.report,
        )
        certificate = None
        if http.cert_file is not None and http.key_file is not None:
            certificate = (place_of(http.cert_file), place_of(http.key_file))
            _check_key(certificate[1])
        part = self.board.part("http")
        return ServingStage(lambda: make_app(desk), http.host, http.port, part, certificate)

    def _audit(self, database: Database, ingest: CollectStage) -> AuditStage:
        config = self._config
        kept = config.retention
        limits = Limits(kept.days, kept.unacknowledged_days, kept.health_days, kept.most_alerts)

        def make(link: Link) -> tuple[Audit, Retention]:
            times = {"heartbeat_s": config.heartbeat_s, "gap_s": config.gap_s}
            audit = Audit(database, link, config.name, self.clock, **times)
            ages_to = BelievedTime(config.state_dir / "believed-time", self.clock).utc_ns
            return audit, Retention(database, limits, self.clock, ages_to)

        every_s = min(_LOOK_S, config.heartbeat_s, config.gap_s / 3)
        return AuditStage(ingest, make, every_s, self.clock, self.board.part("audit"))

    def _open_link(self, notify: Callable[[LinkEvent], object], database_id: str) -> Link:
        if self._config.amqp.queue is not None:
            return self._open_queue(notify, self._config.amqp.queue)
        return MqttLink(
            self._endpoint(self._config.mqtt.port),
            notify,
            subscriptions=filters(database_id),
            most_unacknowledged=_MOST_UNACKNOWLEDGED,
        )

    def _open_queue(self, notify: Callable[[LinkEvent], object], queue: str) -> Link:
        from edgeguard.collector.amqp import AmqpLink  # not everybody has pika

        amqp = self._config.amqp
        return LinkThread(AmqpLink(self._endpoint(amqp.port), notify, queue, amqp.vhost), "amqp")

    def _endpoint(self, port: int) -> Endpoint:
        mqtt = self._config.mqtt
        return replace(endpoint(mqtt, mqtt.password(), port), session_expiry_s=0)

    def _threads(self, *stages: Stage) -> list[StageThread]:
        return [StageThread(stage, self.board.part(stage.name), self.clock) for stage in stages]


def _check_key(path: Path) -> None:
    try:
        check_private(path)
    except OSError as error:
        raise ConfigError(f"cannot use the key {path}: {error.strerror}") from error
