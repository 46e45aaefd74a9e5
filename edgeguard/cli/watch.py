"""`edgeguard watch`: see what guards tell."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from edgeguard.alerts.link import Endpoint, LinkEvent, Tls
from edgeguard.alerts.mqtt import MqttLink
from edgeguard.alerts.subscriber import Subscriber, Told
from edgeguard.alerts.topics import up_filter
from edgeguard.cli._output import Json
from edgeguard.config.secrets import read_secret
from edgeguard.runtime.channel import Channel, WhenFull

COLOURS = {"info": "cyan", "warning": "yellow", "alarm": "bold red"}

Host = Annotated[str, typer.Option(help="The broker.")]
Port = Annotated[int | None, typer.Option(help="Its port; without it 8883 with TLS, 1883 without.")]
Site = Annotated[str, typer.Option(help="Only this site.")]
Device = Annotated[str, typer.Option(help="Only this device.")]
Username = Annotated[str | None, typer.Option(help="User at the broker.")]
PasswordFile = Annotated[Path | None, typer.Option(help="File whose first line is the password.")]
UseTls = Annotated[bool, typer.Option("--tls", help="Encrypt, trusting the system's authorities.")]
CaFile = Annotated[Path | None, typer.Option(help="Encrypt, trusting the authorities in this PEM file.")]
Everything = Annotated[bool, typer.Option("--all", help="Also status and health.")]


def watch(
    host: Host = "127.0.0.1",
    port: Port = None,
    site: Site = "+",
    device: Device = "+",
    username: Username = None,
    password_file: PasswordFile = None,
    tls: UseTls = False,
    ca_file: CaFile = None,
    everything: Everything = False,
    as_json: Json = False,
) -> None:
    """Print alerts as they arrive, until Ctrl-C."""
    encrypted = Tls(ca_file) if tls or ca_file else None
    password = read_secret(password_file) if password_file else None
    endpoint = Endpoint(
        host=host,
        port=port or (8883 if encrypted else 1883),
        client_id=f"edgeguard-watch-{uuid.uuid4().hex[:8]}",
        username=username,
        password=password,
        tls=encrypted,
        session_expiry_s=0,
    )
    subscriber = open_subscriber(endpoint, up_filter(site, device))
    subscriber.start()
    console = Console(highlight=False, soft_wrap=True)
    try:
        _print_until_stopped(subscriber, console, everything, as_json)
    finally:
        subscriber.stop()


def open_subscriber(endpoint: Endpoint, topic_filter: str) -> Subscriber:
    """A subscriber with a link of its own, not started yet."""
    inbox: Channel[LinkEvent] = Channel(100_000, WhenFull.WAIT)
    return Subscriber(MqttLink(endpoint, inbox.put, subscriptions=[topic_filter]), inbox)


def _print_until_stopped(subscriber: Subscriber, console: Console, everything: bool, as_json: bool) -> None:
    connection: str | None = ""
    while True:
        for told in subscriber.receive(0.5):
            if everything or told.name == "alert":
                print(json.dumps(told.body), flush=True) if as_json else console.print(line(told))
        if subscriber.disconnected != connection:
            connection = subscriber.disconnected
            Console(stderr=True, highlight=False).print(
                f"[dim]{connection or 'connected'}[/dim]", soft_wrap=True
            )


def line(told: Told) -> Text:
    """One message as one line for people."""
    body = told.body
    if told.name != "alert":
        return Text(f"{body['site']}/{body['device']} {told.name} {body['state']}", style="dim")
    text = Text(f"{body['observed_at'][11:23]} ", style="dim")
    text.append(f"{body['severity']:<8}", style=COLOURS[body["severity"]])
    return text.append(
        _printable(f"{body['state']:<8}{body['source']:<12}{body['kind']:<15}{body['summary']}")
    )


def _printable(text: str) -> str:
    """What comes over the wire does not get to steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
