"""The collector's commands, on a database that a collector left behind."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgeguard.collector.database import open_sqlite
from edgeguard.collector.writing import Writer
from tests.cli.conftest import Type
from tests.support.alerts import UTC_NS
from tests.support.centre import a_status, an_alert, arrivals

ID = "019b0000-0000-7000-8000-000000000001"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "collector.yaml"
    path.write_text("name: centre-1\nstate_dir: state\nmqtt: {host: 127.0.0.1}\n")
    return str(path)


@pytest.fixture
def filled(config: str, tmp_path: Path) -> str:
    (tmp_path / "state").mkdir()
    database = open_sqlite(tmp_path / "state" / "collector.db")
    database.prepare()
    told = [
        a_status(),
        an_alert(1, alert_values={"alert_id": ID}, rule="=cmd()", summary="\x1b]0;mine\x07"),
        *(an_alert(seq, severity="alarm") for seq in (2, 3)),
    ]
    Writer(database).store(arrivals(told), UTC_NS)
    database.close()
    return config


def test_alerts_are_listed_and_filtered(type_in: Type, filled: str) -> None:
    said = type_in("alerts", "list", filled)
    assert said.exit_code == 0, said.stderr
    assert len(said.stdout.splitlines()) == 4
    alarms = type_in("alerts", "list", filled, "--severity", "alarm", "--unacknowledged", "--json")
    assert [alert["severity"] for alert in json.loads(alarms.stdout)] == ["alarm", "alarm"]
    assert len(json.loads(type_in("alerts", "list", filled, "--limit", "1", "--json").stdout)) == 1
    later = type_in("alerts", "list", filled, "--since", "2030-01-01", "--json")
    assert json.loads(later.stdout) == []


def test_one_alert_is_shown_whole(type_in: Type, filled: str) -> None:
    shown = json.loads(type_in("alerts", "show", filled, ID).stdout)
    assert [one["revision"] for one in shown["revisions"]] == [1]
    missing = type_in("alerts", "show", filled, ID[:-1] + "9")
    assert missing.exit_code == 1
    assert "no alert" in missing.stderr


def test_everything_can_be_exported(type_in: Type, filled: str) -> None:
    lines = type_in("alerts", "export", filled).stdout.splitlines()
    assert [json.loads(line)["message"]["seq"] for line in lines] == [3, 2, 1]
    rows = list(csv.DictReader(io.StringIO(type_in("alerts", "export", filled, "--format", "csv").stdout)))
    assert rows[2]["rule"] == "'=cmd()", "no formula for a spreadsheet"
    assert type_in("alerts", "export", filled, "--format", "xml").exit_code == 2


@pytest.mark.parametrize("what", ["devices", "gaps", "precision"])
def test_the_rest_is_shown_as_table_and_json(type_in: Type, filled: str, what: str) -> None:
    table = type_in("alerts", what, filled)
    assert table.exit_code == 0
    assert table.stdout.startswith((" site", "site"))
    assert isinstance(json.loads(type_in("alerts", what, filled, "--json").stdout), list)


def test_looking_changes_nothing_and_makes_nothing(type_in: Type, config: str, tmp_path: Path) -> None:
    said = type_in("alerts", "list", config)
    assert said.exit_code == 1
    assert "cannot use the collector's database" in said.stderr
    assert not (tmp_path / "state").exists()


def test_tokens_are_made_and_ended(type_in: Type, config: str, tmp_path: Path) -> None:
    made = type_in("token", config, "wall")
    assert len(made.stdout.strip()) == 43
    assert made.stdout.strip() not in (tmp_path / "state" / "tokens").read_text()
    assert type_in("token", config, "Wall!").exit_code == 78
    assert type_in("token", config, "wall", "--revoke").exit_code == 0
    assert type_in("token", config, "wall", "--revoke").exit_code == 78


def test_what_is_wrong_in_the_file_is_told_with_its_line(type_in: Type, tmp_path: Path) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text("name: Centre\nmqtt: {host: 127.0.0.1}\nhttp: {host: 0.0.0.0}\nretension: {}\n")
    said = type_in("collect", str(path))
    assert said.exit_code == 78
    for words in (
        ":1: name",
        ":3: http.allow_plaintext",
        ':4: retension: unknown key; did you mean "retention"',
    ):
        assert words in said.stderr


def test_a_missing_extra_is_one_sentence(filled: str) -> None:
    without = "import sys; sys.modules['sqlalchemy'] = None; from edgeguard.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", without, "alerts", "list", filled], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    said = done.stderr.strip()
    assert said.startswith("the collector needs sqlalchemy, which is not installed: ")
    assert said.endswith(
        "-m pip install 'sqlalchemy>=2.0.30' 'pg8000>=1.31' 'fastapi>=0.115' 'uvicorn>=0.30' 'pika>=1.3'"
    )
