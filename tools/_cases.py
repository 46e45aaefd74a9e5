"""The clips whose alerts are known: `tests/expected/*.yaml`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from _scoring import Expected

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "expected"


@dataclass(frozen=True, slots=True)
class Case:
    """One clip, what is configured for it, and what should be told about it."""

    name: str
    clip: str
    """File name."""
    sha256: str
    duration_s: float
    camera: str
    """Name of its only camera."""
    settings: dict[str, Any]
    """That camera's configuration, without `url`."""
    rules: list[dict[str, Any]]
    expected: list[Expected]

    def find(self, mirror: Path) -> Path:
        """The clip below `mirror`. Raises ValueError if it is missing or is another one."""
        for path in sorted(mirror.rglob(self.clip)):
            found = hashlib.sha256(path.read_bytes()).hexdigest()
            if found != self.sha256:
                raise ValueError(
                    f"{path} has sha256 {found}, but {self.name}.yaml was written for {self.sha256}"
                )
            return path
        raise ValueError(f"{self.clip} is nowhere below {mirror}; name another folder with --mirror")


def load_case(path: Path) -> Case:
    """Raises KeyError, TypeError or ValueError for a file that is not as it should be."""
    data = yaml.safe_load(path.read_text())
    [(camera, settings)] = data["cameras"].items()
    return Case(
        name=path.stem,
        clip=data["clip"],
        sha256=data["sha256"],
        duration_s=data["duration_s"],
        camera=camera,
        settings=settings,
        rules=data["rules"],
        expected=[Expected(**one) for one in data["expected"]],
    )


def load_cases(names: list[str] | None = None) -> list[Case]:
    """Those named, or all. Raises ValueError for a name that is none."""
    files = {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}
    if unknown := set(names or ()) - set(files):
        raise ValueError(f"no clip is called {', '.join(sorted(unknown))}; known are {', '.join(files)}")
    return [load_case(files[name]) for name in names or files]
