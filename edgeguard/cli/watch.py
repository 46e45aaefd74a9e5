"""`edgeguard watch`: see what guards tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from edgeguard.alerts.link import Tls
from edgeguard.alerts.messages import Message
from edgeguard.cli._output import Json
from edgeguard.client import (
    Client,
    ConnectionChanged,
    GapChanged,
    News,
    PresenceChanged,
    Told,
    ToldUnknown,
    connect,
)
from edgeguard.config.secrets import read_secret

COLOURS = {"info": "cyan", "warning": "yellow", "alarm": "bold red", "critical": "bold white on red"}

Host = Annotated[str, typer.Option(help="The broker.")]
Port = Annotated[int | None, typer.Option(help="Its port; without it 8883 with TLS, 1883 without.")]
Site = Annotated[str, typer.Option(help="Only this site.")]
Device = Annotated[str, typer.Option(help="Only this device.")]
Username = Annotated[str | None, typer.Option(help="User at the broker.")]
PasswordFile = Annotated[Path | None, typer.Option(help="File whose first line is the password.")]
UseTls = Annotated[bool, typer.Option("--tls", help="Encrypt, trusting the system's authorities.")]
CaFile = Annotated[Path | None, typer.Option(help="Encrypt, trusting the authorities in this PEM file.")]
CertFile = Annotated[Path | None, typer.Option(help="PEM file with a certificate to present.")]
KeyFile = Annotated[Path | None, typer.Option(help="PEM file with its private key (chmod 600).")]
Everything = Annotated[bool, typer.Option("--all", help="Also everything else that is told, and gaps.")]


def watch(
    host: Host = "127.0.0.1",
    port: Port = None,
    site: Site = "+",
    device: Device = "+",
    username: Username = None,
    password_file: PasswordFile = None,
    tls: UseTls = False,
    ca_file: CaFile = None,
    cert_file: CertFile = None,
    key_file: KeyFile = None,
    everything: Everything = False,
    as_json: Json = False,
) -> None:
    """Print alerts as they arrive, until Ctrl-C."""
    encrypted = tls_of(tls, ca_file, cert_file, key_file)
    password = read_secret(password_file) if password_file else None
    with connect(
        host, port, site=site, device=device, username=username, password=password, tls=encrypted
    ) as client:
        _print_until_stopped(client, everything, as_json)


def tls_of(tls: bool, ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> Tls | None:
    """What the options for encryption ask for."""
    wanted = tls or ca_file or cert_file or key_file
    return Tls(ca_file, cert_file, key_file) if wanted else None


def _print_until_stopped(client: Client, everything: bool, as_json: bool) -> None:
    console, aside = (Console(stderr=err, highlight=False, soft_wrap=True) for err in (False, True))
    while True:
        for news in client.receive(0.5):
            if isinstance(news, Told):
                if everything or news.name == "alert":
                    print(json.dumps(news.body), flush=True) if as_json else console.print(line(news))
            elif everything or isinstance(news, ConnectionChanged):
                aside.print(Text(_printable(remark(news)), style="dim"))


def remark(news: News) -> str:
    """What is no message, in words."""
    match news:
        case ConnectionChanged(reason=reason):
            return reason or "connected"
        case PresenceChanged(site=site, device=device, state=state):
            return f"{site}/{device} is {state}"
        case GapChanged(site=site, device=device, gap=gap):
            numbers = f"{gap.first}" if gap.first == gap.last else f"{gap.first} to {gap.last}"
            return f"{site}/{device} {numbers}: {gap.state}"
        case ToldUnknown(topic=topic):
            return f"{topic} is of a later version, and not known here"
    return ""


def line(told: Told) -> Text:
    """One message as one line for people."""
    body = told.body
    if told.name != "alert":
        who = f"{body['site']}/{body['device']} {told.name} {body.get('state', '')}".rstrip()
        return Text(_printable(", ".join([who, *_unwell(body)])), style="dim")
    text = Text(f"{body['observed_at'][11:23]} ", style="dim")
    severity, state = body["severity"], body["state"]
    text.append(severity, style=COLOURS[severity]).append(" " * (9 - len(severity)))
    return text.append(_printable(f"{state:<8}{body['source']:<12}{body['kind']:<15}{body['summary']}"))


def _unwell(body: Message) -> Iterator[str]:
    """Of health: each part that is degraded, and the word for why."""
    for name, part in body.get("parts", {}).items():
        if part["state"] == "degraded":
            yield f"{name}: {part.get('code') or part['reason']}"


def _printable(text: str) -> str:
    """What comes over the wire does not get to steer the terminal."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
