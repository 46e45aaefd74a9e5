"""Whether systemd will start the guard with the box: read from its folders, without asking it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning

CHECK = "service"
_FOLDERS = ("etc/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system")
_INSTALL = "sudo deploy/install.sh --config CONFIG"
_UNITS = (
    ("edgeguard.service", "multi-user.target.wants", "the guard does not start with the box"),
    ("edgeguard-engines.service", "multi-user.target.wants", "no engine is built after an upgrade"),
    ("edgeguard-retention.timer", "timers.target.wants", "nothing is removed while the guard does not run"),
    ("edgeguard-drill.timer", "timers.target.wants", "no drill shows that alerts still come through"),
)


def service(root: Path = Path("/"), running: bool | None = False) -> Iterator[Finding]:
    """The units, whether they are enabled, and whether the guard runs now (None: that cannot be told)."""
    if not (root / "run/systemd/system").is_dir():
        yield skipped(CHECK, "systemd does not run here, so nothing starts the guard but you")
        return
    if not _installed(root, _UNITS[0][0]):
        yield warning(
            CHECK,
            "edgeguard.service is not installed",
            "EdgeGuard was not installed as a service",
            _INSTALL,
        )
        return
    yield from (finding for unit in _UNITS if (finding := _unit(root, *unit)) is not None)
    if running is None:
        yield skipped(CHECK, "this user may not know whether the guard runs: run this with sudo")
    elif running:
        yield fine(CHECK, "the guard runs")
    else:
        yield fault(
            CHECK,
            "the guard is installed and does not run",
            "it was stopped, or it ended: its last words are in the journal",
            "sudo systemctl start edgeguard; journalctl -u edgeguard -n 50",
        )


def _unit(root: Path, name: str, wants: str, consequence: str) -> Finding | None:
    """What is wrong with one unit; None if nothing is."""
    if not _installed(root, name):
        return warning(
            CHECK,
            f"{name} is not installed: {consequence}",
            "an older release was installed, or the unit was removed",
            _INSTALL,
            name,
        )
    if not any((root / folder / wants / name).is_symlink() for folder in _FOLDERS):
        return warning(
            CHECK,
            f"{name} is not enabled: {consequence}",
            "somebody disabled it, or it was copied and not enabled",
            f"sudo systemctl enable --now {name}",
            name,
        )
    return None


def _installed(root: Path, name: str) -> bool:
    return any((root / folder / name).exists() for folder in _FOLDERS)
