"""Fusion, policy, evidence, outbox and broker."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Hashable
from dataclasses import replace

from edgeguard import __version__
from edgeguard.alerts.bounds import Limits
from edgeguard.alerts.configured import ConfigReport
from edgeguard.alerts.delivery import Delivery
from edgeguard.alerts.desk import Configure
from edgeguard.alerts.drafting import BlindNear
from edgeguard.alerts.link import Endpoint, Will
from edgeguard.alerts.messages import ClockQuality, HealthReport, Identity, encode, status_message
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.outbox import Outbox
from edgeguard.alerts.publisher import Input, Publisher
from edgeguard.clock import Clock, clock_state
from edgeguard.config import Config, fingerprint
from edgeguard.runtime.alerting import AlertStage, Nearness, Witness, without_gaps
from edgeguard.runtime.answering import DeskHealth
from edgeguard.runtime.assembly.answering import Answering
from edgeguard.runtime.assembly.brokers import endpoint, password_of
from edgeguard.runtime.assembly.drilling import Drilling
from edgeguard.runtime.assembly.fusing import alert_rules, fuser, joined_by, policy
from edgeguard.runtime.assembly.keeping import believed_time, evidence_store
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.delivery import DeliveryStage
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.journal import Journal
from edgeguard.runtime.latency import Note, unnoted
from edgeguard.runtime.postbox import Postbox
from edgeguard.runtime.shelf import Shelf
from edgeguard.runtime.stage import Stage
from edgeguard.types import Alert, Counts, CoverageDay, Line, ModelRef, Observation
from edgeguard.vision.snapshot import Overlay


def clock_quality() -> ClockQuality:
    """How far UTC times can be trusted now."""
    state = clock_state()
    if state is None:
        return ClockQuality("unknown")
    quality = "synced" if state.synchronised else "unsynced"
    return ClockQuality(quality, state.offset_ms, state.source, state.max_error_ms)


class Telling:
    """From observations to the broker."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        board: HealthBoard,
        observations: Channel[Observation],
        shelf: Shelf,
        models: Callable[[Alert], tuple[ModelRef, ...]],
        nearness: Nearness = without_gaps,
        drilling: Drilling | None = None,
        note_latency: Note = unnoted,
        blind_near: BlindNear = lambda _told: (),
    ) -> None:
        self._config = config
        self._drilling = drilling or Drilling(config, clock, board, observations)
        self._config_sha256 = fingerprint(config)
        self._clock = clock
        self._board = board
        self._observations = observations
        self._shelf = shelf
        self._models = models
        self._nearness = nearness
        self._note_latency = note_latency
        self._blind_near = blind_near
        self._outgoing: Channel[Input] = Channel(10_000, WhenFull.WAIT, _newest_counts())
        started_ns = clock.utc_ns()
        self._identity = Identity(config.site, config.device, str(uuid.uuid4()), __version__, started_ns)
        self._answering = Answering(config, clock, self._identity, clock_quality)
        self._answering.desk.drill = self._drilling.ask
        self._publisher = self._make_publisher()

    def stages(self) -> dict[str, Stage]:
        broker, outbox = self._board.part("broker"), self._board.part("outbox")
        desk_health = DeskHealth(self._answering.desk, self._board)
        every_s = self._config.health.interval_s
        delivery = DeliveryStage(self._publisher, broker, outbox, desk_health.say, every_s)
        self._alerts = self._alert_stage()
        return {"outbox": delivery, "alerts": self._alerts}

    def refit(self, config: Config) -> None:
        """Join and decide by `config` from now on; for the alerts thread. `Drilling` has it already."""
        joins_otherwise = joined_by(self._config) != joined_by(config)
        self._config = config
        joiner = self._drilling.apart(fuser(config)) if joins_otherwise else None
        rules = alert_rules(self._drilling.config, more=self._drilling.alert_rules())
        self._alerts.refit(joiner, rules, self._overlays(), self._beside())

    def callers(self) -> dict[str, Stage]:
        """Who calls for help when nobody acknowledges."""
        return self._answering.stages()

    def tell(self, alert: Alert) -> None:
        """Hand an alert to the publisher."""
        self._drilling.told(alert)
        self._board.part("outbox").asked()
        self._outgoing.put(alert)

    @property
    def delivery(self) -> Delivery:
        """How telling goes."""
        return self._publisher.delivery

    def tell_health(self) -> None:
        """Hand the health report to the publisher; the next one makes up for one that found no room."""
        report = HealthReport(self._board.state.value, self._board.report(), self._config_sha256)
        self._outgoing.put(report, timeout_s=0.1)

    def tell_config(self, report: ConfigReport) -> None:
        """Hand over which configuration is in effect, also for the reports of health to come."""
        self._config_sha256 = report.sha256
        self._outgoing.put(report, timeout_s=1.0)

    def take_configurations(self, configure: Configure) -> None:
        """Let the desk hand over what is sent to the device."""
        self._answering.desk.configure = configure

    def tell_counts(self, counts: Counts) -> bool:
        """Hand what a camera sees to the publisher, in the place of what still waits; False if it is full."""
        return self._outgoing.put(counts, timeout_s=0)

    def tell_coverage(self, day: CoverageDay) -> bool:
        """Hand a day to the publisher; False if there is no room."""
        return self._outgoing.put(day, timeout_s=0)

    @property
    def idle(self) -> bool:
        delivery = self.delivery
        waiting = len(self._observations) + len(self._outgoing) + delivery.pending + delivery.uncommitted
        return waiting == 0

    def _alert_stage(self) -> AlertStage:
        return AlertStage(
            self._observations,
            self._drilling.apart(fuser(self._config)),
            policy(self._drilling.config, self._clock, more=self._drilling.alert_rules()),
            self._witness(),
            self.tell,
            self._models,
            self._journal(),
            self._board.part("alerts"),
            self._clock,
            self._nearness,
            self._note_latency,
        )

    def _witness(self) -> Witness | None:
        evidence = self._config.evidence
        if not evidence.enabled:
            return None
        return Witness(
            self._shelf,
            evidence_store(self._config, self._clock),
            self._overlays(),
            self._beside(),
            self._board.part("evidence"),
            evidence.snapshot.max_width_px,
            evidence.snapshot.quality,
        )

    def _beside(self) -> dict[str, str]:
        """The camera beside each microphone."""
        return {name: mic.camera for name, mic in self._drilling.config.microphones.items() if mic.camera}

    def _overlays(self) -> dict[str, Overlay]:
        return {
            name: Overlay(
                camera.masks,
                {zone: place.polygon for zone, place in camera.zones.items()},
                {line: Line(place.start, place.end) for line, place in camera.lines.items()},
            )
            for name, camera in self._drilling.config.cameras.items()
        }

    def _journal(self) -> Journal | None:
        log = self._config.log
        if not log.observations:
            return None
        return Journal(
            self._config.state_dir / "observations",
            self._board.part("journal"),
            max_days=log.observations_days,
            max_bytes=log.observations_max_bytes,
            ages_to=believed_time(self._config, self._clock).utc_ns,
        )

    def _make_publisher(self) -> Publisher:
        identity, mqtt = self._identity, self._config.mqtt
        will = Will(identity.topics.status, encode(status_message("offline", identity, custody=mqtt.custody)))
        heard = self._drilling.overhearing(self._postbox())
        link = MqttLink(self._endpoint(), heard, will, [identity.topics.down_filter], check_tls=False)
        return Publisher(
            self._outgoing,
            self._open_outbox,
            self._drilling.link(link),
            identity,
            self._clock,
            clock_quality,
            custody=mqtt.custody,
            window=mqtt.window,
            confirm_timeout_s=mqtt.retry_s,
            gate=self._drilling.gate(self._answering.desk, self._answering.ledger),
            took=self._note_latency,
            blind_near=self._blind_near,
        )

    def _postbox(self) -> Postbox:
        inbound = self._board.part("inbound")
        receipt_topic = self._identity.topics.receipt
        return Postbox(self._outgoing, receipt_topic, lambda: inbound.count("refused_unheard"))

    def _open_outbox(self) -> Outbox:
        bounds = self._config.mqtt.outbox
        limits = Limits(rows=bounds.max_rows, bytes=bounds.max_bytes)
        return Outbox(self._config.state_dir / "outbox.db", self._clock, self._answering.ledger, limits)

    def _endpoint(self) -> Endpoint:
        mqtt = self._config.mqtt
        return replace(endpoint(mqtt), read_password=lambda: password_of(mqtt))


def _newest_counts() -> Callable[[Input], Hashable]:
    """Of the counts of one camera only the newest wait; everything else waits by itself."""
    numbers = itertools.count()
    return lambda value: value.source if isinstance(value, Counts) else next(numbers)
