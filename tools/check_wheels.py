"""Whether everything that EdgeGuard needs comes as a wheel for the boxes that it is made for.

    python tools/check_wheels.py

pip resolves the dependencies, and those of the extras that a box may have, for arm64 with Python 3.10
(JetPack 6) and 3.12 (JetPack 7), from wheels alone. Nothing is installed. The last line is one JSON object.
It ends with 1 if anything has no wheel; where no index of packages answers it says so and ends with 0. The
extra `jetson` is left out: pycuda is compiled on the box.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    from pip._vendor import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parent.parent

MACHINE = "aarch64"
GLIBC = {"3.10": 35, "3.12": 39}
"""By Python: second number of the C library of Ubuntu 22.04 and of 24.04."""
EXTRAS = ("collector", "keywords", "broker")
_OLDEST_GLIBC = 17
_ROUNDS = 5
_OFFLINE = re.compile(
    r"name resolution|Network is unreachable|NewConnectionError|Connection refused|ProxyError"
)
_LACKING = re.compile(r"No matching distribution found for [^\n]*|Cannot install [^\n]*")


class NoWheelError(Exception):
    """Something has no wheel; the message names it."""


class OfflineError(Exception):
    """No index of packages answers."""


def platforms(python: str) -> list[str]:
    """The tags that a box with that Python takes: wheels for each older C library run, too."""
    newest = GLIBC[python]
    tags = [f"manylinux_2_{minor}_{MACHINE}" for minor in range(newest, _OLDEST_GLIBC - 1, -1)]
    return [*tags, f"manylinux2014_{MACHINE}"]


def box(python: str, extra: str = "") -> dict[str, str]:
    """What markers of requirements are judged by: the box, not the machine that asks."""
    return {
        "python_version": python,
        "python_full_version": f"{python}.12",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": MACHINE,
        "extra": extra,
    }


def declared() -> list[str]:
    """The requirements in pyproject.toml, with those of the extras."""
    with (REPOSITORY / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    return [
        *project["dependencies"],
        *(line for extra in EXTRAS for line in project["optional-dependencies"][extra]),
    ]


def applying(lines: Sequence[str], python: str, extras: Collection[str]) -> Iterator[Requirement]:
    """The requirements that hold on the box, without their markers."""
    for line in lines:
        requirement = Requirement(line)
        marker, requirement.marker = requirement.marker, None
        if marker is None or any(marker.evaluate(box(python, extra)) for extra in ("", *extras)):
            yield requirement


def resolve(python: str) -> Mapping[str, str]:
    """The wheel of each package, by its name. NoWheelError, OfflineError.

    pip judges markers by the machine it runs on, so what they ask for on the box alone is added, and all is
    resolved again, until nothing is missing.
    """
    wanted = {str(one) for one in applying(declared(), python, ())}
    for _ in range(_ROUNDS):
        items = _asked(python, sorted(wanted))
        found = {canonicalize_name(item["metadata"]["name"]): item for item in items}
        more = {
            str(requirement)
            for item in items
            for requirement in applying(
                item["metadata"].get("requires_dist", []), python, item.get("requested_extras", [])
            )
            if canonicalize_name(requirement.name) not in found
        }
        if not more:
            return {name: _wheel(item) for name, item in found.items()}
        wanted |= more
    raise NoWheelError(f"the requirements of {', '.join(sorted(more))} come to no end")


def _asked(python: str, wanted: Sequence[str]) -> list[dict[str, Any]]:
    tags = [word for tag in platforms(python) for word in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        asked = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"),
                *("--dry-run", "--ignore-installed", "--only-binary=:all:", "--implementation", "cp"),
                *("--python-version", python, *tags, "--report", str(report)),
                *("--target", str(Path(folder) / "none"), *wanted),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode:
            raise _failure(asked.stderr)
        items: list[dict[str, Any]] = json.loads(report.read_text())["install"]
        return items


def _failure(said: str) -> Exception:
    lacking = _LACKING.search(said)
    if _OFFLINE.search(said):
        return OfflineError("no index of packages answers")
    return NoWheelError(lacking[0] if lacking else said.strip()[-500:])


def _wheel(item: Mapping[str, Any]) -> str:
    """Its file name. NoWheelError if it is none for the box after all."""
    name = str(item["download_info"]["url"]).rpartition("/")[2]
    if not name.endswith(".whl") or not (name.endswith("-any.whl") or MACHINE in name):
        raise NoWheelError(f"{name} is no wheel for {MACHINE}")
    return name


def main() -> int:
    wheels: dict[str, int] = {}
    faults: dict[str, str] = {}
    for python in GLIBC:
        try:
            found = resolve(python)
        except OfflineError as error:
            print(f"Python {python} on {MACHINE}: not looked at: {error}", file=sys.stderr)
            print(json.dumps({"ok": not faults, "skipped": str(error), "faults": faults}))
            return 1 if faults else 0
        except NoWheelError as error:
            faults[python] = str(error)
            print(f"Python {python} on {MACHINE}: {error}", file=sys.stderr)
            continue
        native = sum(not name.endswith("-any.whl") for name in found.values())
        wheels[python] = len(found)
        print(f"Python {python} on {MACHINE}: {len(found)} packages, {native} of them with native wheels")
    print(json.dumps({"ok": not faults, "machine": MACHINE, "wheels": wheels, "faults": faults}))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
