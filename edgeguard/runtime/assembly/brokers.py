"""How to present ourselves to the broker that a configuration names."""

from __future__ import annotations

from edgeguard.alerts.link import Endpoint, Tls
from edgeguard.config.mqtt import Broker
from edgeguard.errors import ConfigError


def endpoint(broker: Broker, password: str | None = None, port: int | None = None) -> Endpoint:
    """All hosts of `broker` on its port, or on another `port`, with its login."""
    port = broker.port if port is None else port
    return Endpoint(
        host=broker.host,
        port=port,
        client_id=broker.client_id,
        username=broker.username,
        password=password,
        tls=tls_of(broker),
        protocol=broker.protocol,
        keepalive_s=broker.keepalive_s,
        fallbacks=tuple((host, port) for host in broker.fallback_hosts),
    )


def tls_of(broker: Broker) -> Tls | None:
    """None where nothing is encrypted."""
    return Tls(*broker.tls.places()) if broker.tls.enabled else None


def password_of(broker: Broker) -> str | None:
    """Its password, read now. Raises OSError, as links take it, where it cannot be."""
    try:
        return broker.password()
    except ConfigError as error:
        raise OSError(str(error)) from error
