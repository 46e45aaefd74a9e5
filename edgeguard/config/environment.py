"""What the environment says about the configuration, and the machine's time zone.

The only other variables looked at are systemd's NOTIFY_SOCKET and WATCHDOG_USEC, in `runtime/notify.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

Override = tuple[tuple[str, ...], object]
"""Path of a key, and its value."""


def overrides(environ: Mapping[str, str] | None = None) -> list[Override]:
    """What the environment says in place of the configuration; relative paths start at the working folder."""
    environ = os.environ if environ is None else environ
    said: list[Override] = []
    if folder := environ.get("EDGEGUARD_STATE_DIR"):
        said.append((("state_dir",), str(Path(folder).absolute())))
    if models := models_folder(environ):
        said.append((("models", "dir"), str(models)))
    if mirror := models_mirror(environ):
        said.append((("models", "mirrors"), [str(mirror)]))
    return said


def models_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """Where models are kept, in place of `models.dir`: EDGEGUARD_MODELS."""
    folder = (os.environ if environ is None else environ).get("EDGEGUARD_MODELS")
    return Path(folder).absolute() if folder else None


def models_mirror(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder with copies of models, in place of `models.mirrors`: EDGEGUARD_MIRROR."""
    folder = (os.environ if environ is None else environ).get("EDGEGUARD_MIRROR")
    return Path(folder).absolute() if folder else None


def credentials_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """Where systemd laid out what the unit's LoadCredential= names; None outside such a unit."""
    folder = (os.environ if environ is None else environ).get("CREDENTIALS_DIRECTORY")
    return Path(folder) if folder else None


def stand_in_for_systemd(config_file: Path) -> None:
    """Let root find the secrets of an installed configuration as the service does: in the `credentials`
    beside it, which systemd would hand out. Does nothing where it did, or where there is no such folder."""
    folder = config_file.absolute().parent / "credentials"
    if credentials_folder() is None and os.geteuid() == 0 and folder.is_dir():
        os.environ["CREDENTIALS_DIRECTORY"] = str(folder)


def mirror_folder(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of real clips and models: EDGEGUARD_MIRROR, else `../shared` where there is one."""
    folder = models_mirror(environ) or Path("../shared").absolute()
    return folder if folder.is_dir() else None


def local_timezone(localtime: Path = Path("/etc/localtime")) -> str:
    """Name of the machine's time zone, as in `Europe/Zurich`; UTC if it has none."""
    name = str(localtime.resolve()).partition("zoneinfo/")[2]
    return name.removeprefix("posix/") or "UTC"
