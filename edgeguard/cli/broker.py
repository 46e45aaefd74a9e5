"""`edgeguard broker`: rights and certificates for a site's own broker."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
import yaml

from edgeguard.broker.definitions import definitions
from edgeguard.broker.roles import acl
from edgeguard.cli._output import said_plainly
from edgeguard.clock import SystemClock
from edgeguard.errors import ConfigError
from edgeguard.wording import counted

if TYPE_CHECKING:
    from edgeguard.broker.authority import Authority, Issued

Made = TypeVar("Made")

app = typer.Typer(help="Make what a site's own broker needs: rights and certificates.", no_args_is_help=True)

Roles = Annotated[
    Path, typer.Argument(metavar="ROLES", help="YAML file: devices, and the users of each role.")
]
Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the authority; keep it off the broker.")
]
Name = Annotated[
    str, typer.Argument(metavar="NAME", help="<site>/<device> for a device, else a user's name.")
]
Days = Annotated[int, typer.Option(min=1, max=7300, help="How long it is valid.")]


@app.command("acl")
@said_plainly
def show_acl(roles: Roles) -> None:
    """Print mosquitto's access list for the users in ROLES; devices need no entry."""
    print(_made(acl, roles), end="")


@app.command("definitions")
@said_plainly
def show_definitions(roles: Roles) -> None:
    """Print RabbitMQ's definitions for the devices and users in ROLES, and the collectors' queue."""
    print(json.dumps(_made(definitions, roles), indent=2))


@app.command()
@said_plainly
def ca(
    folder: Folder,
    name: Annotated[str, typer.Option(help="What its certificate is called.")] = "EdgeGuard site authority",
) -> None:
    """Make a certificate authority in DIR."""
    from edgeguard.broker.authority import Authority  # not everybody has cryptography

    Authority.create(folder, name, SystemClock())
    print(f"{folder}/ca.crt is what everybody trusts; {folder}/ca.key is the site's master key: guard it")


@app.command()
@said_plainly
def server(
    folder: Folder,
    host: Annotated[list[str], typer.Option(help="Name or address of the broker; may be repeated.")],
    days: Days = 730,
) -> None:
    """Make key and certificate of the broker; again: new ones."""
    _say(_open(folder).server(host, days))


@app.command()
@said_plainly
def client(
    folder: Folder,
    name: Name,
    days: Days = 730,
    request: Annotated[
        Path | None, typer.Option(help="A certificate request (PEM), whose key stays where it is.")
    ] = None,
) -> None:
    """Make key and certificate of a device or user; again: new ones, the old stay valid until revoked."""
    authority = _open(folder)
    _say(authority.sign(name, days, _read(request)) if request else authority.client(name, days))


@app.command()
@said_plainly
def revoke(folder: Folder, name: Name) -> None:
    """Revoke every certificate of NAME: give the broker DIR/ca.crl, then make it reload."""
    revoked = counted(_open(folder).revoke(name), "certificates")
    print(f"{revoked} of {name} revoked; copy {folder}/ca.crl to the broker and reload it")


def _made(make: Callable[[object], Made], roles: Path) -> Made:
    """Of what the file says."""
    try:
        return make(yaml.safe_load(roles.read_text()))
    except (OSError, ValueError, yaml.YAMLError, ConfigError) as error:
        raise ConfigError(f"cannot use the roles in {roles}: {error}") from error


def _open(folder: Path) -> Authority:
    from edgeguard.broker.authority import Authority

    return Authority(folder, SystemClock())


def _say(issued: Issued) -> None:
    for path in filter(None, (issued.certificate, issued.key)):
        print(path)
    print(f"valid until {issued.expires:%Y-%m-%d}")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from error
