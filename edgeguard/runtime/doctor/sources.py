"""What cameras and microphones have in common here: devices that the running guard holds, and causes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from edgeguard.errors import ConfigError, DependencyError, EdgeGuardError
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning

_DEVICES = ("v4l2", "csi", "alsa")

_CAUSES = {
    "refused_login": (
        "it does not know this user, or the password is another",
        "correct `username` and the file in `password_file`; many cameras lock an account for minutes after "
        "wrong tries",
    ),
    "no_stream": (
        "the path in its `url` is another's",
        "take the path from the maker's manual or from an ONVIF tool, and correct `url`",
    ),
    "unreachable": (
        "it has no power, another address, or a firewall is between",
        "ping it from this box; correct `url`; look at cable and switch",
    ),
    "connecting": (
        "it takes the connection and sends nothing",
        "restart it; try `transport: tcp`; look for a limit of connections in its settings",
    ),
    "stalled": ("it stopped sending", "restart it, and look at the network between"),
    "undecodable": (
        "it sends what cannot be decoded here",
        "set it to H.264 or H.265 without vendor extensions (`Smart codec` off)",
    ),
}
_FILE = ("the file was moved, is closed to this user, or holds no such stream", "correct its `url`")
_LOCKED = ("its password cannot be read", "see the check `permissions`; write it into its `password_file`")
_DEVICE: Mapping[str, tuple[str, str]] = {
    "v4l2": (
        "it is not plugged in, has another number now, another program has it, or it is closed to this user",
        "look at `v4l2-ctl --list-devices` and `fuser -v /dev/video*`; correct `url`; run this with sudo",
    ),
    "alsa": (
        "it is not plugged in, has another name, is in use by another program, or is closed to this user",
        "look at `arecord -l` and `fuser -v /dev/snd/*`; correct `url`; run this with sudo",
    ),
    "csi": (
        "its ribbon is loose, the device tree does not know the sensor, or nvargus-daemon hangs",
        "sudo systemctl restart nvargus-daemon; look at `dmesg`; set the sensor up with jetson-io.py",
    ),
}
_ANY = (
    "it broke off, or is not what its `url` says",
    "read the problem; try the address with `gst-play-1.0 URL` on this box",
)


class _Opens(Protocol):
    def open(self) -> None: ...

    def close(self) -> None: ...


@contextmanager
def opened(source: _Opens) -> Iterator[None]:
    """Open it, and close it in any case; a close that hangs hides no other problem, and is none by itself."""
    try:
        source.open()
        yield
    finally:
        with suppress(EdgeGuardError):
            source.close()


@dataclass(frozen=True, slots=True)
class Place:
    """One camera or microphone, and what the guard says of it, if it runs."""

    check: str
    """`camera` or `microphone`."""
    name: str
    scheme: str
    part: Mapping[str, Any] | None = None
    unheard: bool = False
    """A guard runs that says nothing of its parts."""

    @property
    def held(self) -> bool:
        """Whether the running guard has it open, or may have, so that nobody else may."""
        return (self.part is not None or self.unheard) and self.scheme in _DEVICES


def as_the_guard_sees(place: Place) -> Finding:
    """A device has one user: what the guard says of it is all that can be told while it runs."""
    if place.part is None:
        said = "a guard runs that probably has it open, and tells nothing (health.http_port); stop it to look"
        return skipped(place.check, said, place.name)
    if place.part.get("state") == "ok":
        rate = place.part.get("rate_per_s")
        gets = "" if rate is None else f", which gets {rate} a second"
        said = f"in use by the running guard{gets}; stop the guard to look closer"
        return fine(place.check, said, place.name)
    return fault(
        place.check,
        f"in use by the running guard, which says: {place.part.get('reason') or place.part.get('state')}",
        "see the problem: the guard has the device open, so it was not opened here",
        "mend what the guard says; for more, stop the guard and run the doctor again",
        place.name,
    )


def refused(place: Place, error: EdgeGuardError) -> Finding:
    """It could not be opened or read."""
    if place.part is not None and place.part.get("state") == "ok":
        return warning(
            place.check,
            f"the running guard is served, a second connection is not: {error}",
            "it allows few connections at once",
            "nothing, if the guard is to be its only viewer; else raise the limit in its settings",
            place.name,
        )
    if isinstance(error, DependencyError):
        cause = "GStreamer or a part of it is missing"
        return fault(place.check, str(error), cause, "deploy/install.sh installs it", place.name)
    if isinstance(error, ConfigError):
        return fault(place.check, str(error), *_LOCKED, place.name)
    if place.scheme == "file":
        return fault(place.check, str(error), *_FILE, place.name)
    cause, fix = _DEVICE.get(place.scheme) or _CAUSES.get(getattr(error, "cause", ""), _ANY)
    return fault(place.check, str(error), cause, fix, place.name)
