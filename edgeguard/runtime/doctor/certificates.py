"""How long the certificates hold that the configuration names, and whether each goes with its key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edgeguard.alerts.link import Tls
from edgeguard.alerts.tls import tls_context
from edgeguard.clock import Clock
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning
from edgeguard.runtime.doctor.pem import Validity, validities
from edgeguard.wording import counted

CHECK = "certificate"
SOON = timedelta(days=30)


def certificates(named: Iterable[tuple[str, Path]], tls: Tls | None, clock: Clock) -> Iterator[Finding]:
    """`named` are keys and PEM files; `tls` is what the broker is shown."""
    now = datetime.fromtimestamp(clock.utc_ns() / 1e9, timezone.utc)
    files = list(named)
    if not files:
        yield skipped(CHECK, "the configuration names no certificate")
    for key, path in files:
        yield _file(key, path, now)
    if tls is not None and tls.cert_file is not None:
        yield from _pair(tls)


def judged(about: str, what: str, found: Validity, now: datetime) -> Finding:
    """One certificate against today."""
    figures = {"ends": found.ends.isoformat(), "days_left": (found.ends - now).days}
    renew = (
        "have its authority issue a new one (`edgeguard broker client` or `server` where that is yours), and "
        "put it in the old one's place: files are read at each connect"
    )
    if now > found.ends:
        return fault(
            CHECK,
            f"{what} ended on {found.ends:%Y-%m-%d}",
            "nobody renewed it; or the clock is ahead",
            renew,
            about,
            figures=figures,
        )
    if now < found.begins:
        return fault(
            CHECK,
            f"{what} begins on {found.begins:%Y-%m-%d %H:%M} UTC only",
            "the clock of this box is behind, or of the one that made it ahead",
            "set the clock (`timedatectl`), or have the certificate made anew",
            about,
            figures=figures,
        )
    if found.ends - now < SOON:
        return warning(
            CHECK,
            f"{what} ends on {found.ends:%Y-%m-%d}, in {counted((found.ends - now).days, 'days')}",
            "certificates have an end",
            renew,
            about,
            figures=figures,
        )
    return fine(CHECK, f"{what} holds until {found.ends:%Y-%m-%d}", about, figures=figures)


def _file(key: str, path: Path, now: datetime) -> Finding:
    about = str(path)
    try:
        found = validities(path.read_text("ascii", errors="replace"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return fault(
            CHECK,
            f"{key}: {path} cannot be used: {reason}",
            "it was moved, is closed to this user, or is damaged",
            f"put the PEM file there again, or correct {key}",
            about,
        )
    if not found:
        return fault(
            CHECK,
            f"{key}: there is no certificate in {path}",
            "it holds something else: a key, or a certificate in another form than PEM",
            f"convert it: openssl x509 -inform der -in {path} -out {path.with_suffix('.pem')}",
            about,
        )
    holding = [one for one in found if one.begins <= now <= one.ends]
    ends_first = min(found, key=lambda one: one.ends)
    if key.endswith("cert_file"):  # a chain: each has to hold
        wrong = next((one for one in found if one not in holding), ends_first)
        return judged(about, key, wrong, now)
    # Of several authorities one that holds is enough; what it is for, only the connection tells.
    return judged(about, key, min(holding, key=lambda one: one.ends) if holding else ends_first, now)


def _pair(tls: Tls) -> Iterator[Finding]:
    try:
        tls_context(tls)
    except OSError as error:
        yield fault(
            CHECK,
            str(error),
            "certificate and key do not belong together, the key has a passphrase, or others can read it",
            "issue both anew; keys are without passphrase, and chmod 600",
            str(tls.cert_file),
        )
