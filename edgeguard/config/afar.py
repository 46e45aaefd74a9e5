"""What a configuration may say that was sent to the device, and what only the device's own file may say.

Who may send one decides what is guarded: cameras, microphones, places, rules. Where things go, who the device
is, what is kept and which files are read is for whoever can write to the device's file: else one message
could send alerts and passwords elsewhere, or read any file of the box. Nor may what is sent show what the
file hides, write down what people say where the file does not, or end the guarding.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from edgeguard.config.cameras import Camera
from edgeguard.config.document import Document
from edgeguard.config.faults import Fault, report
from edgeguard.config.guarding import ended
from edgeguard.config.root import Config
from edgeguard.config.source import Source
from edgeguard.errors import ConfigError

SENT = frozenset(
    {
        "timezone",
        "detector",
        "tracker",
        "cameras",
        "microphones",
        "speech",
        "sounds",
        "schedules",
        "holidays",
        "rules",
        "patterns",
        "fusion",
    }
)
"""Sections that may be sent; all others are the file's own."""


def completed(sent: Document, own: Any) -> Document:
    """The document that was sent, with the file's own sections; saying the same as the file is no fault."""
    if not isinstance(sent.tree, dict):
        return sent
    own = own if isinstance(own, dict) else {}
    kept = [key for key in Config.model_fields if key not in SENT]
    faults = [
        Fault((key,), "is for the device's own file to say: leave it out, or say what the file says")
        for key in kept
        if key in sent.tree and sent.tree[key] != own.get(key)
    ]
    tree = {**sent.tree, **{key: own[key] for key in kept if key in own}}
    for key in kept:
        if key not in own:
            tree.pop(key, None)
    return Document(tree, sent.lines, [*sent.faults, *faults])


def check(config: Config, own: Config) -> None:
    """Raises ConfigError with every fault, if the configuration that was sent reaches for what is not its."""
    faults = [
        *_sources(config, own),
        *_classifier(config, own),
        *_masks(config, own),
        *_transcripts(config, own),
        *ended(own, config),
    ]
    if faults:
        raise ConfigError(report(faults, {}, "config"))


def _sources(config: Config, own: Config) -> Iterator[Fault]:
    mine = [*own.cameras.values(), *own.microphones.values()]
    logins, files = {_login(one) for one in mine}, {one.url.address for one in mine}
    authorities = {one.ca_file for one in mine}
    for section, sources in (("cameras", config.cameras), ("microphones", config.microphones)):
        for name, source in sources.items():
            path = (section, name)
            if source.url.username is not None:
                yield Fault(
                    (*path, "url"),
                    "expected no user and password in it: name a password_file that the device's file "
                    "names for the same host",
                )
            if source.url.scheme == "file" and source.url.address not in files:
                yield Fault((*path, "url"), "expected a file that the device's own file plays")
            if source.password_file is not None and _login(source) not in logins:
                yield Fault(
                    (*path, "password_file"),
                    "expected user and file as the device's own file has them for this host and port",
                )
            if source.ca_file is not None and source.ca_file not in authorities:
                yield Fault((*path, "ca_file"), "expected one that the device's own file names")


def _login(source: Source) -> tuple[object, ...]:
    if not source.url.is_rtsp:  # a sound card's address has no port, but what looks like one
        return (source.url.address,)
    parts = urlsplit(source.url.address)
    return source.url.scheme, parts.hostname, parts.port, source.username, source.password_file


def _classifier(config: Config, own: Config) -> Iterator[Fault]:
    theirs, mine = config.speech.understanding.classifier, own.speech.understanding.classifier
    for key in ("model_file", "vocabulary_file", "labels_file"):
        if getattr(theirs, key) not in (None, getattr(mine, key)):
            path = ("speech", "understanding", "classifier", key)
            yield Fault(path, "expected the one that the device's own file names")


def _masks(config: Config, own: Config) -> Iterator[Fault]:
    """A picture that the file masks stays masked, under whatever name and address it is asked for."""
    mine = {camera.url.address for camera in own.cameras.values()}
    masked = {_place(camera) for camera in own.cameras.values() if camera.masks}
    for name, camera in config.cameras.items():
        needed = _needed(own, name, camera)
        if camera.url.address not in mine and _place(camera) in masked:
            yield Fault(
                ("cameras", name, "url"),
                "expected an address that the device's own file has: it masks pictures from there",
            )
        elif any(mask not in camera.masks for mask in needed):
            yield Fault(("cameras", name, "masks"), "expected those that the device's own file has, at least")


def _needed(own: Config, name: str, camera: Camera) -> list[object]:
    same = {key: one for key, one in own.cameras.items() if one.url.address == camera.url.address}
    return [mask for one in ([same[name]] if name in same else same.values()) for mask in one.masks]


def _place(camera: Camera) -> object:
    """What may give the same picture by another address."""
    url = camera.url
    if url.is_rtsp:
        return urlsplit(url.address).hostname
    return url.scheme if url.scheme in ("v4l2", "csi") else url.address


def _transcripts(config: Config, own: Config) -> Iterator[Fault]:
    kept = {one.url.address for one in own.microphones.values() if one.transcripts}
    for name, microphone in config.microphones.items():
        if microphone.transcripts and microphone.url.address not in kept:
            yield Fault(
                ("microphones", name, "transcripts"),
                "expected false: only the device's own file has whole sentences kept",
            )
