"""`edgeguard bridge`: say what guards tell in the words of Frigate and Home Assistant."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from edgeguard.alerts.link import Endpoint, Tls
from edgeguard.bridges import Bridge, FrigateBridge, HomeAssistantBridge
from edgeguard.bridges.bridge import SILENT_S
from edgeguard.bridges.frigate import MAX_AGE_S, names_for
from edgeguard.cli._output import said_plainly
from edgeguard.cli.watch import (
    CaFile,
    CertFile,
    Device,
    Host,
    KeyFile,
    PasswordFile,
    Port,
    Site,
    Username,
    UseTls,
    tls_of,
)
from edgeguard.clock import Clock
from edgeguard.config.secrets import read_secret
from edgeguard.runtime import logs
from edgeguard.runtime.bridging import run_bridge

app = typer.Typer(
    help="Say what guards tell on the topics that Frigate and Home Assistant use.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Prefix = Annotated[str, typer.Option(help="What the topics begin with; one bridge for each.")]
Names = Annotated[
    str | None,
    typer.Option(
        help="What cameras are called, such as {device}_{camera}; without it {camera}, "
        "preceded by those of {site} and {device} that are not chosen."
    ),
]
MaxAge = Annotated[
    float,
    typer.Option(min=1, help="Seconds: an alert that is first heard of when it is older begins no event."),
]
Silent = Annotated[
    float,
    typer.Option(
        min=3, help="Seconds without health after which a guard counts as gone; 3 × its interval_s."
    ),
]


@app.command("frigate")
@said_plainly
def frigate(
    host: Host = "127.0.0.1",
    port: Port = None,
    prefix: Prefix = "frigate",
    names: Names = None,
    max_age_s: MaxAge = MAX_AGE_S,
    silent_s: Silent = SILENT_S,
    site: Site = "+",
    device: Device = "+",
    username: Username = None,
    password_file: PasswordFile = None,
    tls: UseTls = False,
    ca_file: CaFile = None,
    cert_file: CertFile = None,
    key_file: KeyFile = None,
) -> None:
    """Publish Frigate's topics, until SIGTERM: available, events, reviews, stats, counts."""
    endpoint = _endpoint(
        "frigate", prefix, host, port, username, password_file, tls_of(tls, ca_file, cert_file, key_file)
    )
    called = names_for(site, device, names)
    _run(
        lambda clock: FrigateBridge(clock, prefix, called, max_age_s=max_age_s, silent_s=silent_s),
        endpoint,
        site,
        device,
    )


@app.command("home-assistant")
@said_plainly
def home_assistant(
    host: Host = "127.0.0.1",
    port: Port = None,
    prefix: Prefix = "homeassistant",
    silent_s: Silent = SILENT_S,
    site: Site = "+",
    device: Device = "+",
    username: Username = None,
    password_file: PasswordFile = None,
    tls: UseTls = False,
    ca_file: CaFile = None,
    cert_file: CertFile = None,
    key_file: KeyFile = None,
) -> None:
    """Announce guards to Home Assistant's MQTT discovery, until SIGTERM."""
    endpoint = _endpoint(
        "home-assistant",
        prefix,
        host,
        port,
        username,
        password_file,
        tls_of(tls, ca_file, cert_file, key_file),
    )
    _run(lambda clock: HomeAssistantBridge(clock, prefix, silent_s=silent_s), endpoint, site, device)


def _run(bridge: Callable[[Clock], Bridge], endpoint: Endpoint, site: str, device: str) -> None:
    logs.set_up("info", as_json=False)
    run_bridge(bridge, endpoint, site, device)


def _endpoint(
    kind: str,
    prefix: str,
    host: str,
    port: int | None,
    username: str | None,
    password_file: Path | None,
    tls: Tls | None,
) -> Endpoint:
    """One client id per kind and prefix: a second bridge there would double everything."""
    return Endpoint(
        host=host,
        port=port or (8883 if tls else 1883),
        client_id=f"edgeguard-bridge-{kind}-{re.sub('[^A-Za-z0-9]', '-', prefix)}"[:80],
        username=username,
        password=read_secret(password_file) if password_file else None,
        tls=tls,
    )
