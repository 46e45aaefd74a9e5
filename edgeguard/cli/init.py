"""`edgeguard init`: five questions, or as many flags, and a configuration that is valid."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Collection, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Annotated, Literal, TypeVar, cast
from urllib.parse import unquote

import typer

from edgeguard.cli._login import Login, Safe, ask_login, handed_over
from edgeguard.cli._output import fail
from edgeguard.clock import SystemClock
from edgeguard.config import parse, summary
from edgeguard.config.mqtt import PLAIN_PORT, TLS_PORT, is_loopback
from edgeguard.config.section import NAME_WORDS
from edgeguard.config.starter import GUARDED, Answers, Guarded, Place, starter, unseen
from edgeguard.config.url import why_refused
from edgeguard.errors import ConfigError
from edgeguard.files import write_private
from edgeguard.runtime.discovery import Found, local_cameras, local_microphones, network_cameras

T = TypeVar("T")
Sources = Annotated[list[str] | None, typer.Option(metavar="NAME=URL", help="Again for each.")]

_Section = Literal["cameras", "microphones"]
_SOURCES: dict[_Section, str] = {"cameras": "3/5 Cameras", "microphones": "4/5 Microphones"}
_LOGIN = re.compile(r"(?P<scheme>rtsps?://)(?P<user>[^:@/]+):(?P<password>[^/]+)@(?P<rest>[^@/]+(/.*)?)")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


def init(
    out: Annotated[Path, typer.Argument(metavar="CONFIG", help="The file to write.")],
    site: Annotated[str | None, typer.Option(help="Name of the site.")] = None,
    device: Annotated[str | None, typer.Option(help="Name of this box. [its host name]")] = None,
    broker: Annotated[str | None, typer.Option(metavar="HOST[:PORT]", help="MQTT broker.")] = None,
    username: Annotated[str | None, typer.Option(help="User at the broker.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the broker's password.")] = None,
    ca_file: Annotated[Path | None, typer.Option(help="Certificate authority of the broker.")] = None,
    certificates: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with ca.crt and this box's certificate and key."),
    ] = None,
    plaintext: Annotated[
        bool,
        typer.Option("--plaintext", help="Alerts may go unencrypted to a broker on another machine."),
    ] = False,
    camera: Sources = None,
    microphone: Sources = None,
    guard: Annotated[str | None, typer.Option(help=f"Some of {','.join(GUARDED)}.")] = None,
    closed: Annotated[
        str, typer.Option(metavar="FROM-TO", help="When nobody should be there.")
    ] = "20:00-06:00",
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: flags and defaults say it all.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over CONFIG.")] = False,
) -> None:
    """Write a first configuration, asking for what no flag said."""
    if out.is_dir():
        fail(f"{out} is a folder; name a file in it, such as {out / 'site.yaml'}")
    if out.exists() and not force:
        fail(f"{out} is there already; name another file, or add --force")
    ask = _Asker(quiet=yes)
    site = _level("site", ask.text("1/5 Site", site, "site"))
    device = _level("device", device or socket.gethostname())
    meant = plaintext or ca_file is not None or certificates is not None
    host, port = ask.read("2/5 MQTT broker", broker, "localhost", partial(_broker, any_port=meant))
    safe = Safe(out.resolve().parent / "credentials")
    login = _given_login(username, password_file, ca_file)
    if certificates is not None:
        login = handed_over(certificates, safe)
    elif login == Login() and not yes and not is_loopback(host):
        login = ask_login(ask.optional, safe)
    tls = _is_encrypted(host, login, plaintext)
    cameras = ask.sources("cameras", camera, lambda: [*local_cameras(), *network_cameras(SystemClock())])
    microphones = ask.sources("microphones", microphone, local_microphones, taken=cameras)
    answers = Answers(
        site=site,
        device=device,
        timezone=_timezone(),
        broker=host,
        port=port,
        tls=tls,
        plaintext=not tls and not is_loopback(host),
        ca_file=login.ca_file,
        cert_file=login.cert_file,
        key_file=login.key_file,
        username=login.username,
        password_file=login.password_file,
        cameras={name: ask.place(name, url, safe) for name, url in cameras.items()},
        microphones={name: ask.place(name, url, safe) for name, url in microphones.items()},
        guard=ask.guard("5/5 What to guard against", guard),
        closed=_closed(closed),
    )
    _write(out, answers, safe)


def _broker(words: str, any_port: bool) -> tuple[str, int | None]:
    """Host and port; unless it may be any, the port without encryption is refused on another machine."""
    host, port = _host_port(words)
    if port == PLAIN_PORT and not (any_port or is_loopback(host)):
        raise ConfigError(
            f"{host}:{port} is not encrypted, and {host} is another machine: use the broker's port for TLS "
            f"(mostly {TLS_PORT}), or add --plaintext where everybody on the way may read and forge alerts"
        )
    return host, port


def _is_encrypted(host: str, login: Login, plaintext: bool) -> bool:
    """Raises ConfigError for what would not connect as it was meant."""
    if login.ca_file is not None or login.cert_file is not None:
        if plaintext:
            raise ConfigError("there are certificates for the broker: leave out --plaintext, or them")
        return True
    return not (plaintext or is_loopback(host))


def _given_login(username: str | None, password_file: Path | None, ca_file: Path | None) -> Login:
    return Login(
        ca_file=str(ca_file.resolve()) if ca_file else None,
        username=username,
        password_file=str(password_file.resolve()) if password_file else None,
    )


def _write(out: Path, answers: Answers, safe: Safe) -> None:
    text = starter(answers)
    try:
        config = parse(text, str(out))  # whatever was answered wrongly is told at once
    except ConfigError as error:
        raise ConfigError(f"{error}\nNothing was written: {out} would have had these lines") from error
    safe.write()
    try:
        write_private(out, text.encode())  # a camera's URL may hold its password
    except OSError as error:
        raise ConfigError(f"cannot write {out}: {error.strerror}") from error
    print(f"{out}: {summary(config)}")
    for sentence in unseen(answers):
        print(f"advice: {sentence}")
    print(f"Next: edgeguard check {out}, edgeguard doctor {out}, then edgeguard run {out}")


class _Asker:
    """Asks what no flag said; with `quiet` takes the default instead."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def text(self, question: str, given: str | None, default: str) -> str:
        if given is not None or self._quiet:
            return given or default
        return str(typer.prompt(question, default=default))

    def read(self, question: str, given: str | None, default: str, understand: Callable[[str], T]) -> T:
        """What `understand` makes of the answer; asks again for one that it refuses, where one was asked."""
        if given is not None or self._quiet:
            return understand(given or default)
        while True:
            try:
                return understand(self.text(question, None, default))
            except ConfigError as error:
                print(f"  {error}")

    def optional(self, question: str) -> str:
        """Empty where there is nothing to say."""
        return str(typer.prompt(question, default="", show_default=False))

    def sources(
        self,
        section: _Section,
        given: Sequence[str] | None,
        find: Callable[[], list[Found]],
        taken: Collection[str] = (),
    ) -> dict[str, str]:
        """URL by name; none of the names is in `taken`."""
        if given is not None or self._quiet:
            return _all_named(given or ())
        print(f"{_SOURCES[section]}: looking ...")
        sources: dict[str, str] = {}
        for found in find():
            asked = f"  {found.what}: URL, or - to leave it out"
            url = self.read(asked, None, found.url, lambda url: url if url == "-" else _usable(url, section))
            if url != "-":
                sources[_free(found.what, {*sources, *taken})] = url
        while more := typer.prompt("  another one as name=url, or Enter", default="", show_default=False):
            try:
                name, url = _new(more, {*sources, *taken})
                sources[name] = _usable(url, section)
            except ConfigError as error:
                print(f"  {error}")
        return sources

    def place(self, name: str, url: str, safe: Safe) -> Place:
        """A network camera's login is asked for, or in its URL; the password goes into a file of its own."""
        within = _LOGIN.fullmatch(url)
        if within is not None:
            username, password = unquote(within["user"]), unquote(within["password"])
            return _with_login(name, within["scheme"] + within["rest"], username, password, safe)
        if self._quiet or not url.startswith("rtsp") or "@" in url:
            return Place(url)
        username = typer.prompt(f"  user at {name}, or Enter", default="", show_default=False)
        if not username:
            return Place(url)
        password = typer.prompt(f"  password of {username}", hide_input=True)
        return _with_login(name, url, username, password, safe)

    def guard(self, question: str, given: str | None) -> list[Guarded]:
        if given is None and not self._quiet:
            for known, meaning in GUARDED.items():
                print(f"  {known}: {meaning}")
        return self.read(question, given, ",".join(GUARDED), _kinds)


def _kinds(words: str) -> list[Guarded]:
    kinds = [kind.strip() for kind in words.split(",") if kind.strip()]
    for kind in kinds:
        if kind not in GUARDED:
            raise ConfigError(f"nothing is known of guarding against {kind!r}; known: {', '.join(GUARDED)}")
    return [cast(Guarded, kind) for kind in kinds]


def _with_login(name: str, url: str, username: str, password: str, safe: Safe) -> Place:
    return Place(url, username, safe.keep(name, f"{password}\n".encode()))


def _all_named(sources: Sequence[str]) -> dict[str, str]:
    """URL by name; two of one name are a mistake, not the second one alone."""
    found: dict[str, str] = {}
    for name, url in map(_named, sources):
        if name in found:
            raise ConfigError(f"two sources are called {name}: {found[name]} and {url}")
        found[name] = url
    return found


def _free(what: str, taken: Collection[str]) -> str:
    """A name for what was found: its first word and a number."""
    word = _as_level(what.split()[0])[:28]
    return next(name for number in count(1) if (name := f"{word}-{number}") not in taken)


def _new(source: str, taken: Collection[str]) -> tuple[str, str]:
    """What was typed, where the configuration could have it so."""
    name, url = _named(source)
    if name in taken:
        raise ConfigError(f"{name} is the name of another one; expected a new name")
    return name, url


def _usable(url: str, section: _Section) -> str:
    """The URL as it was typed, where the configuration takes it; a password goes elsewhere anyway."""
    within = _LOGIN.fullmatch(url)
    if why := why_refused(within["scheme"] + within["rest"] if within else url, section):
        raise ConfigError(f"this is no URL of {section}: {why}")
    return url


def _named(source: str) -> tuple[str, str]:
    name, equals, url = source.partition("=")
    if not equals or not name or not url:
        raise ConfigError(
            f"{source!r} is no source; expected name=url, such as gate=rtsp://192.0.2.10/stream"
        )
    if not _NAME.fullmatch(name.strip()):
        raise ConfigError(f"{name.strip()!r} is no name; expected {NAME_WORDS}")
    return name.strip(), url.strip()


def _host_port(broker: str) -> tuple[str, int | None]:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:]+?)(?::(\d{1,5}))?", broker)
    if match is None:
        raise ConfigError(f"{broker!r} is no broker; expected a host, or host:port")
    return match[1].strip("[]"), int(match[2]) if match[2] else None


def _level(what: str, name: str) -> str:
    """A name as topics take it; says so where that is another one than was meant."""
    level = _as_level(name)
    if level != name:
        print(f"The {what} {name!r} is called {level} here: MQTT topics take a-z, 0-9 and -, 32 at most.")
    return level


def _as_level(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.lower()).strip("-")[:32] or "edgeguard"


def _closed(span: str) -> tuple[str, str]:
    start, dash, end = span.partition("-")
    if not dash:
        raise ConfigError(f"{span!r} is no span of time; expected FROM-TO, such as 20:00-06:00")
    return start.strip(), end.strip()


def _timezone(link: Path = Path("/etc/localtime")) -> str:
    """The box's own, as its link says; UTC where it says nothing."""
    try:
        return str(link.readlink()).partition("zoneinfo/")[2] or "UTC"
    except OSError:
        return "UTC"
