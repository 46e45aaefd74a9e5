"""The section on drills, and the names that belong to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeguard.types import drill
from tests.config.trees import built, faults, tree


def test_a_drill_can_be_held_and_is_not_held_by_itself() -> None:
    settings = built(tree()).drill
    assert (settings.enabled, settings.every_h, settings.password()) == (True, None, None)


def test_the_subscriber_may_have_a_login_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("right\n")
    secret.chmod(0o600)
    settings = built(tree(drill={"username": "drill-1", "password_file": str(secret)})).drill
    assert (settings.username, settings.password()) == ("drill-1", "right")


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        ({"password_file": "/secret"}, "expected `username` as well"),
        ({"cert_file": "/a.crt"}, "expected both cert_file and key_file, or neither"),
        ({"every_h": 0.5}, "drill.every_h"),
        ({"timeout_s": 5}, "drill.timeout_s"),
        ({"schedule": "nights"}, "drill.schedule"),
    ],
)
def test_what_cannot_be_is_told(section: dict[str, Any], fault: str) -> None:
    assert fault in "\n".join(faults(tree(drill=section)))


@pytest.mark.parametrize("name", sorted(drill.RESERVED))
@pytest.mark.parametrize("section", ["cameras", "microphones"])
def test_its_names_are_nobody_elses(section: str, name: str) -> None:
    url = "rtsp://192.0.2.10/1"
    told = "\n".join(faults(tree(**{section: {name: {"url": url}}})))
    assert f"{section}.{name}: expected another name: {name} belongs to the drill" in told


def test_neither_for_a_rule() -> None:
    rules = [{"kind": "sound", "name": drill.NOISE}]
    assert "belongs to the drill" in "\n".join(faults(tree(rules=rules)))
