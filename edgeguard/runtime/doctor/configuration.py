"""The configuration itself: what it says, and what it probably does not mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning

CHECK = "config"


def unread(path: Path | None, said: str | None) -> Finding:
    """There is none, or it is wrong: then what depends on it cannot be looked at."""
    if path is None:
        return skipped(
            CHECK, "no configuration was named: broker, cameras, microphones and models are not looked at"
        )
    return fault(
        CHECK,
        said or f"{path} cannot be used",
        "the file says what the guard does not understand, is not there, or cannot be read by this user",
        f"correct it; `edgeguard check {path}` tells the same, `edgeguard config reference` all keys",
        str(path),
    )


def advised(path: Path | None, summary: str, advice: Sequence[str]) -> Iterator[Finding]:
    """It is valid; each piece of advice is a warning."""
    place = "the configuration" if path is None else str(path)
    yield fine(CHECK, f"valid: {summary}", None if path is None else place)
    for remark in advice:
        key, _, problem = remark.partition(": ")
        yield warning(
            CHECK,
            problem or remark,
            f"{key} is allowed, and probably not meant as it stands" if problem else "it is allowed, but odd",
            f"change {key} in {place}, or leave it where it is meant",
            key,
        )
