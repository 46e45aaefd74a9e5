from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from edgeguard.broker.roles import DEVICES, RIGHTS, acl, check_name
from edgeguard.cli.main import app
from edgeguard.errors import ConfigError

SHIPPED = Path(__file__).resolve().parents[2] / "deploy" / "broker"


def test_the_shipped_list_is_made_of_the_shipped_roles() -> None:
    made = CliRunner().invoke(app, ["broker", "acl", str(SHIPPED / "roles.yaml")])
    assert made.exit_code == 0
    assert made.stdout == (SHIPPED / "acl").read_text()


def test_the_shipped_roles_show_every_role() -> None:
    assert set(yaml.safe_load((SHIPPED / "roles.yaml").read_text())) == {DEVICES, *RIGHTS}


@pytest.mark.parametrize("roles", [{}, {"devices": ["depot/gate-1"]}])
def test_without_users_only_devices_have_rights(roles: dict[str, list[str]]) -> None:
    lines = [line for line in acl(roles).splitlines() if line and not line.startswith("#")]
    assert lines == [
        "pattern write edgeguard/v1/%u/up/#",
        "pattern read edgeguard/v1/%u/down/#",
        "pattern read edgeguard/v1/%u/up/alert/drill/#",
        "pattern read edgeguard/v1/%u/up/alert/drill-mic/#",
    ]


@pytest.mark.parametrize(
    ("roles", "words"),
    [
        (None, "expected roles"),
        (["wall"], "expected roles"),
        ({"admins": ["a"]}, "'admins' is no role; known are devices, dashboards"),
        ({"dashboards": "wall"}, "dashboards: expected a list"),
        ({"dashboards": [1]}, "dashboards: expected a list"),
        ({"dashboards": ["wall", "wall"]}, "wall is among dashboards and dashboards"),
        ({"devices": ["wall"]}, "devices: 'wall' is no device"),
        ({"devices": "depot/gate-1"}, "devices: expected a list"),
        ({"dashboards": ["wall"], "operators": ["wall"]}, "wall is among dashboards and operators"),
        ({"dashboards": ["depot/gate-1"]}, "depot/gate-1 is the name of a device"),
        ({"dashboards": ["wall\ntopic readwrite #"]}, "cannot be a user"),
        ({"dashboards": ["#"]}, "cannot be a user"),
        ({"dashboards": [""]}, "cannot be a user"),
    ],
)
def test_what_is_refused(roles: object, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        acl(roles)


@pytest.mark.parametrize("name", ["a/b/c", "/b", "a/", "+/b", "a/#", "a/up", "a b"])
def test_what_cannot_be_anybodys_name(name: str) -> None:
    with pytest.raises(ConfigError):
        check_name(name)


@pytest.mark.parametrize("text", ["dashboards: [", "dashboards: {a: 1}", "\x00"])
def test_a_file_that_is_no_list_of_roles_is_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "roles.yaml").write_text(text)
    said = CliRunner().invoke(app, ["broker", "acl", str(tmp_path / "roles.yaml")])
    assert said.exit_code == 78
    assert "roles.yaml" in said.stderr
