"""`edgeguard init`, asked and unasked."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edgeguard.cli import init as command
from edgeguard.cli.main import app
from edgeguard.config import load
from edgeguard.runtime.discovery import Found
from tests.cli.conftest import Type

FLAGS = ("--yes", "--site", "Harbour 7", "--device", "guard-1", "--broker", "mqtt.example.net:8884")


def test_flags_say_it_all(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    result = type_in(
        *(
            "init",
            out,
            *FLAGS,
            "--camera",
            "gate=rtsp://192.0.2.10/stream1",
            "--microphone",
            "hall=alsa://default",
        ),
        *("--guard", "intrusion,help", "--closed", "22:00-05:30"),
    )
    assert result.exit_code == 0, result.output
    config = load(out)
    assert (config.site, config.mqtt.host, config.mqtt.port) == ("harbour-7", "mqtt.example.net", 8884)
    assert config.mqtt.tls.enabled
    assert [rule.kind for rule in config.rules] == ["zone_entered", "intent"]
    assert config.rules[0].schedule == "closed"


def test_what_it_writes_is_checked_without_a_fault(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    made = type_in("init", out, "--yes", "--camera", "yard=scene://yard", "--microphone", "hall=scene://hall")
    assert f"Next: edgeguard check {out}, edgeguard doctor {out}, then" in made.output
    result = type_in("check", out)
    assert result.exit_code == 0, result.output
    assert "1 camera, 1 microphone, 5 rules" in result.output


def test_questions_are_asked_and_passwords_stay_out_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "local_cameras", lambda: [Found("v4l2:///dev/video0", "USB Camera")])
    monkeypatch.setattr(
        command,
        "network_cameras",
        lambda _clock: [Found("rtsp://192.0.2.7:554/", "network camera at 192.0.2.7")],
    )
    monkeypatch.setattr(command, "local_microphones", list)
    out = tmp_path / "site.yaml"
    answers = [
        "Corner Shop",
        "localhost",
        "-",
        "rtsp://192.0.2.7:554/h264",
        "",
        "",
        "viewer",
        "hunter2",
        "intrusion",
    ]
    result = CliRunner().invoke(app, ["init", str(out)], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    config = load(out)
    (camera,) = config.cameras.values()
    assert camera.credentials() == ("viewer", "hunter2")
    assert "hunter2" not in out.read_text() + result.output
    (secret,) = (tmp_path / "credentials").iterdir()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_what_cannot_be_guarded_is_told(type_in: Type, tmp_path: Path) -> None:
    result = type_in("init", tmp_path / "a.yaml", "--yes", "--camera", "yard=scene://yard", "--guard", "help")
    assert "help would need a microphone" in result.output


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--camera", "gate"], "'gate' is no source; expected name=url"),
        (["--camera", "Gate=scene://yard"], "'Gate' is no name; expected a name (a-z"),
        (["--camera", "gate=http://192.0.2.1/"], "cameras.gate.url"),
        (["--camera", "gate=http://192.0.2.1/"], "Nothing was written"),
        (["--camera", "gate=scene://yard", "--device", "up"], 'device: given "up", expected another name'),
        (["--camera", "a=scene://yard", "--guard", "ghosts"], "guarding against 'ghosts'"),
        (["--camera", "a=scene://yard", "--closed", "night"], "is no span of time"),
        (["--camera", "a=scene://yard", "--broker", "a:b:c"], "is no broker"),
        (["--camera", "a=scene://yard", "--camera", "a=scene://gate"], "two sources are called a"),
        ([], "expected at least one camera or microphone"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_written(
    type_in: Type, tmp_path: Path, words: list[str], told: str
) -> None:
    out = tmp_path / "site.yaml"
    result = type_in("init", out, "--yes", *words)
    assert result.exit_code != 0
    assert told in result.stderr
    assert not out.exists()


def test_a_file_that_is_there_is_left_alone(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    out.write_text("mine")
    assert "is there already" in type_in("init", out, "--yes", "--camera", "a=scene://yard").stderr
    assert out.read_text() == "mine"


def test_cameras_whose_long_names_begin_alike_have_rules_of_their_own(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    cameras = [
        word
        for side in ("one", "two")
        for word in ("--camera", f"warehouse-north-entrance-{side}=scene://yard")
    ]
    result = type_in("init", out, "--yes", *cameras)
    assert result.exit_code == 0, result.output
    assert len({rule.name for rule in load(out).rules}) == 6


def test_nobody_else_reads_what_may_hold_a_password(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    type_in("init", out, "--yes", "--camera", "gate=rtsp://viewer:hunter2@192.0.2.10/")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


def test_a_folder_that_is_missing_is_told_in_a_sentence(type_in: Type, tmp_path: Path) -> None:
    result = type_in("init", tmp_path / "none" / "site.yaml", "--yes", "--camera", "a=scene://yard")
    assert result.exit_code == 78
    assert "site.yaml: No such file or directory" in result.stderr


def test_a_folder_in_the_place_of_the_file_is_refused_before_a_secret_is_written(
    type_in: Type, tmp_path: Path
) -> None:
    out = tmp_path / "guard"
    out.mkdir()
    result = type_in("init", out, "--yes", "--force", "--camera", "a=rtsp://eyes:v@192.0.2.1/s")
    assert result.exit_code == 1
    assert "is a folder" in result.stderr
    assert [*tmp_path.rglob("*")] == [out]


@pytest.mark.parametrize("asked", [True, False])
def test_a_name_that_topics_do_not_take_is_changed_and_told(asked: bool, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    flags = ["--device", "Gate_1", "--camera", "a=scene://yard"]
    if asked:
        flags += ["--microphone", "b=scene://hall", "--broker", "localhost", "--guard", "intrusion"]
    else:
        flags += ["--site", "Harbour 7", "--yes"]
    result = CliRunner().invoke(app, ["init", str(out), *flags], input="Harbour 7\n" if asked else None)
    assert result.exit_code == 0, result.output
    assert "The site 'Harbour 7' is called harbour-7 here" in result.output
    assert "The device 'Gate_1' is called gate-1 here" in result.output
    config = load(out)
    assert (config.site, config.device) == ("harbour-7", "gate-1")


def test_a_name_that_is_kept_is_not_spoken_of(type_in: Type, tmp_path: Path) -> None:
    flags = ("--yes", "--site", "depot", "--device", "gate-1", "--camera", "a=scene://yard")
    assert "is called" not in type_in("init", tmp_path / "site.yaml", *flags).output


def test_a_camera_called_broker_and_the_broker_have_passwords_of_their_own(tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    flags = ["--site", "s", "--device", "d", "--broker", "mqtt.example.net", "--guard", "intrusion"]
    sources = ["--camera", "broker=rtsp://v:eyes@192.0.2.1/", "--microphone", "hall=scene://hall"]
    result = CliRunner().invoke(app, ["init", str(out), *flags, *sources], input="\nporter\nmail\n")
    assert result.exit_code == 0, result.output
    config = load(out)
    assert config.cameras["broker"].credentials() == ("v", "eyes")
    assert config.mqtt.password() == "mail"


def test_what_is_refused_changes_no_password(type_in: Type, tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    assert type_in("init", out, "--yes", "--camera", "a=rtsp://v:eyes@192.0.2.1/").exit_code == 0
    both = ("--camera", "a=rtsp://v:eyes@192.0.2.1/", "--microphone", "a=rtsp://v:ears@192.0.2.2/")
    refused = type_in("init", out, "--yes", "--force", *both)
    assert refused.exit_code == 78
    assert "microphones.a: expected another name: a camera has this one" in refused.stderr
    assert load(out).cameras["a"].credentials() == ("v", "eyes")


def test_what_is_found_has_names_of_its_own_and_what_is_mistyped_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "local_cameras", lambda: [Found("v4l2:///dev/video0", "USB Camera")])
    monkeypatch.setattr(command, "network_cameras", lambda _clock: [])
    monkeypatch.setattr(command, "local_microphones", lambda: [Found("alsa://plughw:1,0", "USB Audio")])
    out = tmp_path / "site.yaml"
    answers = ["", "", "/dev/video0", "", "Gate=scene://yard", "gate", "gate=rstp://192.0.2.1/x"]
    answers += ["gate=scene://yard", "gate=scene://dock", ""]
    answers += ["", "gate=scene://hall", "ear=csi://0", "", "intrusion"]
    result = CliRunner().invoke(app, ["init", str(out)], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    config = load(out)
    assert {name: str(camera.url) for name, camera in config.cameras.items()} == {
        "usb-1": "v4l2:///dev/video0",
        "gate": "scene://yard",
    }
    assert list(config.microphones) == ["usb-2"]
    assert "'Gate' is no name" in result.output
    assert "'gate' is no source" in result.output
    assert result.output.count("this is no URL of cameras: expected a URL that begins with") == 2
    assert "this is no URL of microphones" in result.output
    assert result.output.count("gate is the name of another one") == 2


def test_an_answer_that_is_not_understood_is_asked_for_again(tmp_path: Path) -> None:
    out = tmp_path / "site.yaml"
    flags = ["--site", "s", "--device", "d", "--camera", "a=scene://yard", "--microphone", "b=scene://hall"]
    answers = ["mqtt://mqtt.example.net:1", "mqtt.example.net", "nowhere", "", "", "intrusoin", "intrusion"]
    result = CliRunner().invoke(app, ["init", str(out), *flags], input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    for told in ("is no broker", "nowhere: expected ca.crt", "guarding against 'intrusoin'"):
        assert told in result.output
    config = load(out)
    assert (config.mqtt.host, [rule.kind for rule in config.rules]) == ("mqtt.example.net", ["zone_entered"])
