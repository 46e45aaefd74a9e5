"""Whether the box runs as fast as it may: a Jetson's power mode, or the governor of the processor."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from edgeguard.files import text_of
from edgeguard.runtime.doctor.finding import Finding, fine, skipped, warning

CHECK = "power"
_MODEL = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=(\S+?)\s*>")
_DEFAULT = re.compile(r"<\s*PM_CONFIG\s+DEFAULT=(\d+)\s*>")
_WATTS = re.compile(r"(\d+)W")
_SLOW_GOVERNORS = ("powersave", "conservative")
_OWN_GOVERNORS = ("intel_pstate", "amd-pstate-epp", "amd-pstate")
"""Drivers whose `powersave` is quick when there is work."""


def power(root: Path = Path("/")) -> Iterator[Finding]:
    """The power mode of a Jetson, else the processor's governor."""
    if (root / "etc/nvpmodel.conf").exists():
        yield _mode(root)
    governor = text_of(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    if governor:
        yield _governor(governor, text_of(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_driver"))
    elif not (root / "etc/nvpmodel.conf").exists():
        yield skipped(CHECK, "this box tells no power mode and no governor")


def _mode(root: Path) -> Finding:
    text = text_of(root / "etc/nvpmodel.conf")
    names = dict(_MODEL.findall(text))
    default = _DEFAULT.search(text)
    now = text_of(root / "var/lib/nvpmodel/status").removeprefix("pmode:").lstrip("0") or "0"
    name = names.get(now)
    if name is None:
        return warning(
            CHECK,
            f"the power mode is {now}, which /etc/nvpmodel.conf does not name",
            "the image's power modes were changed after the mode was chosen",
            "sudo nvpmodel -q, then sudo nvpmodel -m NUMBER with one of its modes",
        )
    usual = names.get(default[1]) if default else None
    if usual is not None and _watts(name) < _watts(usual):
        return warning(
            CHECK,
            f"the power mode is {name}, below the module's usual {usual}",
            "somebody chose it to save power, or the power supply asked for it",
            f"sudo nvpmodel -m {default[1] if default else now}, if power supply and cooling allow it",
            figures={"mode": name},
        )
    return fine(CHECK, f"power mode {name}, of {', '.join(names.values())}", figures={"mode": name})


def _governor(governor: str, driver: str) -> Finding:
    if governor in _SLOW_GOVERNORS and driver not in _OWN_GOVERNORS:
        return warning(
            "governor",
            f"the processor's governor is {governor}: it stays slow under load",
            "the system was set up to save power",
            "sudo cpupower frequency-set -g schedutil (or performance)",
            figures={"governor": governor},
        )
    return fine("governor", f"the processor's governor is {governor}", figures={"governor": governor})


def _watts(name: str) -> float:
    """`MAXN` is bounded by nothing."""
    found = _WATTS.search(name)
    return float(found[1]) if found else math.inf
