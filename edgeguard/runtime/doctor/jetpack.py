"""JetPack, L4T, CUDA, TensorRT and Python: whether they are a row of the support matrix."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from edgeguard.files import text_of
from edgeguard.runtime.doctor.finding import Finding, fault, fine, skipped, warning

CHECK = "jetpack"
_RELEASE = re.compile(r"R(\d+) \(release\), REVISION: (\d+)\.?(\d*)")
_CUDA_PACKAGE = re.compile(r"cuda-cudart-(\d+)-(\d+)")
_FLASH = "flash JetPack 6.2 or 7.2 (NVIDIA SDK Manager), then run deploy/install.sh again"


@dataclass(frozen=True, slots=True)
class Row:
    """One release that is known."""

    jetpack: str
    l4t: tuple[tuple[int, int], tuple[int, int]]
    """First and last, both included."""
    cuda: str
    tensorrt: str
    python: str
    supported: bool = True


MATRIX = (
    Row("JetPack 4", ((0, 0), (34, 99)), "10.2", "8.2", "3.6", supported=False),
    Row("JetPack 5", ((35, 0), (35, 99)), "11.4", "8.5", "3.8", supported=False),
    Row("JetPack 6.0", ((36, 0), (36, 3)), "12.2", "8.6", "3.10", supported=False),
    Row("JetPack 6.1 to 6.2.2", ((36, 4), (36, 5)), "12.6", "10.3", "3.10"),
    Row("JetPack 7.0 or 7.1", ((38, 0), (38, 99)), "13.0", "10.13", "3.12"),
    Row("JetPack 7.2", ((39, 2), (39, 2)), "13.2", "10.16", "3.12"),
)


@dataclass(frozen=True, slots=True)
class Installed:
    """What this box has; None for what was not found."""

    l4t: tuple[int, int] | None
    cuda: str | None
    tensorrt: str | None
    jetpack: str | None
    """Of the package nvidia-jetpack, where it is installed."""


def is_jetson(root: Path = Path("/")) -> bool:
    compatible = text_of(root / "proc/device-tree/compatible")
    return (root / "etc/nv_tegra_release").exists() or "nvidia,tegra" in compatible


def installed(root: Path = Path("/")) -> Installed:
    """As NVIDIA's release file and dpkg's own records say."""
    release = _RELEASE.search(text_of(root / "etc/nv_tegra_release"))
    packages = _packages(root / "var/lib/dpkg/status")
    tensorrt = [version for name, version in packages.items() if re.fullmatch(r"libnvinfer\d+", name)]
    return Installed(
        (int(release[1]), int(release[2])) if release else None,
        _cuda(root, packages),
        _short(max(tensorrt, key=_numbers)) if tensorrt else None,
        packages.get("nvidia-jetpack"),
    )


def jetpack(
    root: Path = Path("/"),
    machine: str = platform.machine(),
    python: tuple[int, int] = sys.version_info[:2],
) -> Iterator[Finding]:
    """One finding that names the row, then one for each thing that is not as the row says."""
    if not is_jetson(root):
        yield skipped(CHECK, f"this is no Jetson ({machine}), so the support matrix does not apply")
        return
    box = installed(root)
    if box.l4t is None:
        yield fault(
            CHECK,
            "this is a Jetson, but which L4T release runs is not told",
            "/etc/nv_tegra_release is missing or not understood, as in a container that was not given it",
            "install nvidia-l4t-core, or start the container with `--runtime nvidia`",
        )
        return
    yield from _against(_row(box.l4t), box, f"{python[0]}.{python[1]}")


def _against(row: Row | None, box: Installed, python: str) -> Iterator[Finding]:
    assert box.l4t is not None
    l4t = f"{box.l4t[0]}.{box.l4t[1]}"
    figures = {"l4t": l4t, "cuda": box.cuda, "tensorrt": box.tensorrt, "python": python}
    if row is None:
        yield warning(
            CHECK,
            f"L4T {l4t} is no row of the support matrix",
            "it is newer than this version of EdgeGuard, or between two releases",
            f"run `edgeguard doctor --zero-copy` and the engines' gate; where they fail, {_FLASH}",
            figures=figures,
        )
        return
    if not row.supported:
        yield fault(
            CHECK, f"{row.jetpack} (L4T {l4t}) is not supported", _why_not(row), _FLASH, figures=figures
        )
        return
    told = ", ".join(f"{name} {value or 'none'}" for name, value in figures.items() if name != "l4t")
    yield fine(CHECK, f"{row.jetpack} (L4T {l4t}): {told}", figures=figures)
    yield from _differences(row, box, python)


def _differences(row: Row, box: Installed, python: str) -> Iterator[Finding]:
    if box.tensorrt is None:
        yield warning(
            CHECK,
            "TensorRT is not installed, so models run on the CPU",
            "the image was flashed without JetPack's components",
            "sudo apt install nvidia-jetpack (or tensorrt and python3-libnvinfer alone)",
            "tensorrt",
        )
    elif box.tensorrt != row.tensorrt:
        yield warning(
            CHECK,
            f"TensorRT is {box.tensorrt}; {row.jetpack} has {row.tensorrt}",
            "it was installed from elsewhere, or NVIDIA's packages were upgraded in part",
            "sudo apt install --reinstall nvidia-jetpack, then edgeguard engines build CONFIG",
            "tensorrt",
        )
    if box.cuda is not None and box.cuda != row.cuda:
        yield warning(
            CHECK,
            f"CUDA is {box.cuda}; {row.jetpack} has {row.cuda}",
            "CUDA was upgraded beside JetPack, which NVIDIA allows and nobody tried with EdgeGuard",
            "run `edgeguard doctor --zero-copy`; where it fails, install JetPack's own CUDA",
            "cuda",
        )
    if python != row.python:
        yield warning(
            CHECK,
            f"Python is {python}; the TensorRT bindings of {row.jetpack} are for {row.python}",
            "the virtual environment was made from another Python than the system's",
            "make it anew: deploy/install.sh --python /usr/bin/python3",
            "python",
        )


def _why_not(row: Row) -> str:
    if _numbers(row.python) < (3, 10):
        return f"it has Python {row.python}, and EdgeGuard needs 3.10"
    return f"it has TensorRT {row.tensorrt}, and EdgeGuard needs 10.3"


def _row(l4t: tuple[int, int]) -> Row | None:
    return next((row for row in MATRIX if row.l4t[0] <= l4t <= row.l4t[1]), None)


def _packages(status: Path) -> Mapping[str, str]:
    """Version by name of what dpkg has installed."""
    found = {}
    for stanza in text_of(status).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line[:60])
        if fields.get("Status", "").endswith(" installed") and "Version" in fields:
            found[fields.get("Package", "")] = fields["Version"]
    return found


def _cuda(root: Path, packages: Mapping[str, str]) -> str | None:
    with suppress(ValueError, KeyError, TypeError):
        told = json.loads(text_of(root / "usr/local/cuda/version.json"))
        return _short(str(told["cuda"]["version"]))
    found = [match for name in packages if (match := _CUDA_PACKAGE.fullmatch(name))]
    return max((f"{match[1]}.{match[2]}" for match in found), key=_numbers, default=None)


def _short(version: str) -> str:
    """`10.3` of `10.3.0.30-1+cuda12.5`."""
    return ".".join(str(number) for number in _numbers(version)[:2])


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0]))
