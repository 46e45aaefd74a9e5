"""Whether a configuration leaves a box that guards nothing."""

from __future__ import annotations

from collections.abc import Iterator

from edgeguard.config.faults import Fault
from edgeguard.config.root import Config


def ended(before: Config, after: Config) -> Iterator[Fault]:
    """What `before` did and `after` does not do at all any more: watching, and raising alerts."""
    if _watches(before) and not _watches(after):
        yield Fault(("cameras",), "expected one that is enabled, or a microphone: nothing would be watched")
    if _warns(before) and not _warns(after):
        yield Fault(("rules",), "expected one that is enabled, or a pattern: no alert would be raised")


def cut_off(before: Config, after: Config) -> str | None:
    """Why `after` looks like half a file: every rule is gone. With one that is not enabled it is meant so."""
    if not _warns(before) or after.rules or after.patterns:
        return None
    return (
        "rules: none is left, so no alert would be raised; is this the whole file? "
        "Where it is meant, leave one with `enabled: false`"
    )


def _watches(config: Config) -> bool:
    return any(one.enabled for one in (*config.cameras.values(), *config.microphones.values()))


def _warns(config: Config) -> bool:
    return any(one.enabled for one in (*config.rules, *config.patterns))
