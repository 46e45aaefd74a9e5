"""How a configuration that `edgeguard init` writes gets in at the broker and at cameras."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeguard.cli.main import app
from edgeguard.config import load
from tests.cli.conftest import Type
from tests.cli.test_init import FLAGS


def folder_of(tmp_path: Path, *names: str) -> Path:
    """What whoever runs the broker hands over, on a stick."""
    folder = tmp_path / "stick"
    folder.mkdir()
    for name in names:
        (folder / name).write_text(name)
    return folder


def test_a_certificate_that_was_handed_over_is_kept_with_the_secrets(type_in: Type, tmp_path: Path) -> None:
    stick = folder_of(tmp_path, "ca.crt", "gate-1.crt", "gate-1.key")
    out = tmp_path / "site.yaml"
    result = type_in("init", out, *FLAGS, "--camera", "a=scene://yard", "--certificates", stick)
    assert result.exit_code == 0, result.output
    tls = load(out).mqtt.tls
    assert tls.enabled
    kept = tmp_path / "credentials"
    assert [tls.ca_file, tls.cert_file, tls.key_file] == [
        kept / name for name in ("ca.crt", "gate-1.crt", "gate-1.key")
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()} == {0o600}


@pytest.mark.parametrize(
    "names", [(), ("ca.crt",), ("ca.crt", "a.crt"), ("ca.crt", "a.crt", "a.key", "b.crt", "b.key")]
)
def test_a_folder_that_holds_anything_else_is_refused(
    names: tuple[str, ...], type_in: Type, tmp_path: Path
) -> None:
    stick = folder_of(tmp_path, *names)
    result = type_in("init", tmp_path / "site.yaml", *FLAGS, "--certificates", stick)
    assert result.exit_code == 78
    assert "expected ca.crt and one certificate with its key" in result.output


def test_a_key_that_cannot_be_read_is_told_and_another_folder_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stick, read = folder_of(tmp_path, "ca.crt", "gate-1.crt", "gate-1.key"), Path.read_bytes

    def closed(path: Path) -> bytes:
        if path.suffix == ".key":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", closed)
    answers = ["s", "mqtt.example.net", str(stick), "", "", "intrusion"]
    flags = ["--camera", "a=scene://yard", "--microphone", "b=scene://hall"]
    result = CliRunner().invoke(app, ["init", str(tmp_path / "s.yaml"), *flags], input="\n".join(answers))
    assert result.exit_code == 0, result.output
    assert "cannot read what is in it: Permission denied" in result.output
    assert not (tmp_path / "credentials").exists()


@pytest.mark.parametrize(
    ("answers", "login"),
    [(["", "porter", "secret"], ("porter", "secret")), (["", ""], (None, None))],
)
def test_a_broker_elsewhere_is_asked_about(
    answers: list[str], login: tuple[str | None, str | None], tmp_path: Path
) -> None:
    out = tmp_path / "site.yaml"
    flags = ["--site", "s", "--broker", "mqtt.example.net", "--guard", "intrusion"]
    sources = ["--camera", "a=scene://yard", "--microphone", "b=scene://hall"]
    result = CliRunner().invoke(app, ["init", str(out), *flags, *sources], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    mqtt = load(out).mqtt
    password = mqtt.password_file.read_text().strip() if mqtt.password_file else None
    assert (mqtt.username, password) == login


def test_the_plain_port_of_another_machine_is_no_accident(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    plain = ("init", out, "--yes", "--camera", "yard=scene://yard", "--broker")
    refused = type_in(*plain, "mqtt.example.net:1883")
    assert refused.exit_code == 78
    assert "--plaintext" in refused.stderr
    assert "8883" in refused.stderr
    assert not out.exists()
    assert type_in(*plain, "mqtt.example.net:1883", "--plaintext").exit_code == 0
    mqtt = load(out).mqtt
    assert (mqtt.port, mqtt.tls.enabled, mqtt.allow_plaintext) == (1883, False, True)
    assert type_in(*plain, "localhost:1883", "--force").exit_code == 0
    assert not load(out).mqtt.allow_plaintext
    (tmp_path / "ca.crt").write_text("")
    both = type_in(*plain, "mqtt.example.net", "--force", "--plaintext", "--ca-file", tmp_path / "ca.crt")
    assert both.exit_code == 78
    assert "leave out" in both.stderr


def test_the_plain_port_of_another_machine_is_asked_about_before_the_login(tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    flags = ["--site", "s", "--device", "d", "--camera", "a=scene://yard", "--microphone", "b=scene://hall"]
    answers = ["mqtt.example.net:1883", "mqtt.example.net:8883", "", "", "intrusion"]
    result = CliRunner().invoke(app, ["init", str(out), *flags], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert result.output.index("is not encrypted") < result.output.index("user at the broker")
    assert result.output.count("--plaintext") == 1
    assert (load(out).mqtt.port, load(out).mqtt.tls.enabled) == (8883, True)


@pytest.mark.parametrize("password", ["hunter%402", "hunter@2"])
def test_a_login_in_a_flag_goes_into_a_file_of_its_own(type_in: Type, tmp_path: Path, password: str) -> None:
    out = tmp_path / "site.yaml"
    result = type_in("init", out, "--yes", "--camera", f"gate_1=rtsp://viewer:{password}@192.0.2.10/s?a=b")
    assert result.exit_code == 0, result.output
    assert "hunter" not in out.read_text()
    camera = load(out).cameras["gate_1"]
    assert (str(camera.url), camera.username) == ("rtsp://192.0.2.10/s?a=b", "viewer")
    secret = tmp_path / "credentials" / "gate_1"
    assert secret.read_text() == "hunter@2\n"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
