"""What is said to the device, and whom it calls when nobody answers."""

from __future__ import annotations

from collections.abc import Callable

from edgeguard.alerts.audit import AuditLog
from edgeguard.alerts.desk import Desk
from edgeguard.alerts.escalation import Escalation
from edgeguard.alerts.ledger import Ledger
from edgeguard.alerts.messages import ClockQuality, Identity
from edgeguard.alerts.parcels import Parcels
from edgeguard.alerts.webhook import Parcel, Posted, Webhook
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config.escalation import Webhook as WebhookSettings
from edgeguard.config.secrets import place_of, read_secret
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.stage import Stage
from edgeguard.runtime.webhook import FreshPoster, WebhookStage


class Answering:
    """The publisher's desk with its books, and the webhook's stage."""

    def __init__(
        self, config: Config, clock: Clock, identity: Identity, clock_quality: Callable[[], ClockQuality]
    ) -> None:
        settings = config.escalation
        escalation = None if settings.after_s is None else Escalation(settings.after_s, settings.severity)
        self._clock = clock
        self._stage: WebhookStage | None = None
        self.ledger = Ledger(identity.boot_id, clock, escalation)
        self.desk = Desk(
            identity,
            clock,
            clock_quality,
            self.ledger,
            AuditLog(config.state_dir, clock),
            self._parcels(settings.webhook),
        )

    def stages(self) -> dict[str, Stage]:
        return {} if self._stage is None else {"webhook": self._stage}

    def _parcels(self, settings: WebhookSettings) -> Parcels | None:
        if settings.url is None or settings.secret_file is None:
            return None
        webhook = FreshPoster(lambda: webhook_of(settings, self._clock))
        parcels: Channel[Parcel] = Channel(1)
        answers: Channel[Posted] = Channel(1)
        self._stage = WebhookStage(parcels, webhook, answers.put, self._clock, settings.timeout_s)
        return Parcels(parcels.put, answers, self._clock, error=webhook.fault())


def webhook_of(settings: WebhookSettings, clock: Clock) -> Webhook:
    """Made of the files as they are now. Raises ConfigError."""
    assert settings.url is not None
    assert settings.secret_file is not None
    ca_file = None if settings.ca_file is None else place_of(settings.ca_file)
    return Webhook(settings.url, read_secret(settings.secret_file), clock, ca_file, settings.timeout_s)
