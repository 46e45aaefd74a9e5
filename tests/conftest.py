"""Fixtures shared by every room's tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parent.parent

settings.register_profile("untimed", deadline=None)  # speed is for tools/bench.py to judge
settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for real processes comes first, so that no worker is left alone with it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is None)


def mirror_folder() -> Path | None:
    """The folder of real clips and models, if this machine has one."""
    folder = Path(os.environ.get("EDGEGUARD_MIRROR", REPOSITORY.parent / "shared"))
    return folder if (folder / "MANIFEST.md").is_file() else None


@pytest.fixture(scope="session")
def mirror() -> Path:
    folder = mirror_folder()
    if folder is None:
        pytest.skip("no folder of real clips and models: set EDGEGUARD_MIRROR to one")
    return folder
