"""A configuration as somebody wrote it: in the device's own file, or sent to it on top of that file."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from edgeguard.config import afar, document, environment
from edgeguard.config.loading import build, parse_with_environment, text_of
from edgeguard.config.root import Config
from edgeguard.errors import ConfigError

_STATE_DIR = re.compile(r"^state_dir:[ \t]+[\"']?([^\s\"'#\[{|>&*][^\s\"'#]*)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be in effect, before anybody judged it; it may hold secrets."""

    file_text: str
    """What the device's own file says."""
    name: str
    """What messages call the file."""
    folder: Path
    """Where relative paths start."""
    sent: str | None = None
    """What was sent to the device instead; None: its own file holds."""
    sent_id: str | None = None
    sent_by: str | None = None

    @property
    def origin(self) -> str:
        """`file` or `broker`."""
        return "file" if self.sent is None else "broker"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all that was written."""
        return hashlib.sha256(repr((self.file_text, self.sent)).encode()).hexdigest()

    def config(self) -> Config:
        """What it says, with what the environment overrides. Raises ConfigError that lists every fault."""
        own = parse_with_environment(self.file_text, self.name, self.folder)
        if self.sent is None:
            return own
        read = afar.completed(document.read(self.sent), document.read(self.file_text).tree)
        config = build(read, "config", self.folder, environment.overrides())
        afar.check(config, own)
        return config


def propose(path: Path) -> Proposal:
    """What the file says now. Raises ConfigError if it cannot be read."""
    return Proposal(text_of(path), str(path), path.absolute().parent)


def state_dir_of(path: Path) -> Path:
    """Where the service of this file keeps its state, as far as can be told of a file that is wrong."""
    override = dict(environment.overrides()).get(("state_dir",))
    folder = override or _state_dir_in(path) or Config.model_fields["state_dir"].default
    return path.absolute().parent / os.fspath(folder)  # type: ignore[arg-type]


def _state_dir_in(path: Path) -> str | None:
    try:
        text = text_of(path)
    except ConfigError:
        return None
    tree = document.read(text).tree
    if isinstance(tree, dict) and isinstance(tree.get("state_dir"), str):
        return str(tree["state_dir"])
    found = _STATE_DIR.search(text)
    return found[1] if found else None
