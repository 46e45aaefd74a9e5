from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from edgeguard.config import load, load_collector, parse
from edgeguard.config.rules import examples
from edgeguard.errors import ConfigError
from tests.config.trees import built, refusal, tree

WRONG = """\
site: Harbour
device: guard-1
cameras:
  gate:
    url: rtsp://guard:hunter2@192.0.2.10:port/stream
    analyse_fps: 0
    fps: 5
    zones:
      dock:
        polygon: [[0.1, 0.1], [640, 0.2], [0.2, 0.9]]
microphones:
  mic: {url: "http://guard:hunter2@192.0.2.10/", camera: gaet}
rules:
  - {kind: zone_entered, name: a, camera: gate, zone: dokc, classes: [persn, dog]}
  - kind: loiter
    name: a
mqtt:
  host: broker.example
  password: hunter2
site: harbour
"""

KINDS = [example["kind"] for example in examples()]
TOLD = """\
guard.yaml:1: site: given "Harbour", expected a name (a-z, 0-9, -; a letter or digit first, 32 \
characters at most)
guard.yaml:5: cameras.gate.url: given "rtsp://***@192.0.2.10:port/stream", expected \
rtsp://host[:port]/path without blanks; percent-encode what is not a letter or digit in a password, \
or better put it in password_file
guard.yaml:6: cameras.gate.analyse_fps: given 0, expected a number above 0, up to 60
guard.yaml:7: cameras.gate.fps: unknown key; did you mean "analyse_fps"?
guard.yaml:10: cameras.gate.zones.dock.polygon[1]: given [640, 0.2], expected a point [x, y], each from \
0 to 1: shares of the picture, not pixels
guard.yaml:12: microphones.mic.camera: given "gaet", expected a camera (gate); did you mean "gate"?
guard.yaml:12: microphones.mic.url: given "http://***@192.0.2.10/", expected a URL that begins with one of \
alsa://, rtsp://, rtsps://, file://, scene://
guard.yaml:14: rules[0].classes[0]: given "persn", expected a class that detectors know: a COCO class or \
motion; did you mean "person"?
guard.yaml:14: rules[0].classes[1]: given "dog", expected a class that camera gate looks for (person, \
bicycle, car, motorcycle, bus, truck, motion)
guard.yaml:14: rules[0].zone: given "dokc", expected a zone of camera gate (dock); did you mean "dock"?
guard.yaml:15: rules[1].kind: given "loiter", expected one of KINDS; \
did you mean "loitering"?
guard.yaml:16: rules[1].name: expected another name: rules[0] has this one
guard.yaml:17: mqtt.tls: is not enabled, but broker.example is another machine: alerts would be readable \
for everybody on the way; expected enabled: true, or mqtt.allow_plaintext: true where that is acceptable
guard.yaml:19: mqtt.password: unknown key; did you mean "password_file"?
guard.yaml:20: site: is there already, in line 1""".replace("KINDS", ", ".join(sorted(KINDS)))


def test_every_fault_is_told_at_once_and_no_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(WRONG, "guard.yaml")
    assert str(caught.value) == TOLD
    assert caught.value.__cause__ is caught.value.__context__ is None  # which would show what was given


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "test.yaml:1: is not YAML: "),
        ("just words", 'test.yaml:1: given "just words", expected a mapping (`key: value`)'),
        ("- a\n- b", 'test.yaml:1: given ["a", "b"], expected a mapping (`key: value`)'),
    ],
)
def test_what_is_no_configuration(text: str, told: str) -> None:
    assert refusal(text).splitlines()[-1].startswith(told)


def test_an_empty_file_lacks_what_is_required() -> None:
    assert [line.split(": ")[1] for line in refusal("").splitlines()] == ["cameras", "device", "mqtt", "site"]


def saved(folder: Path, **sections: Any) -> Path:
    path = folder / "guard.yaml"
    path.write_text(yaml.safe_dump(tree(**sections)))
    return path


def test_relative_paths_start_at_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEGUARD_MIRROR", raising=False)
    mqtt = {"host": "::1", "username": "u", "password_file": "secrets/mqtt"}
    saved(tmp_path, state_dir="state", mqtt=mqtt, models={"dir": "/models", "mirrors": ["usb"]})
    monkeypatch.chdir(tmp_path)
    found = load(Path("guard.yaml"))
    assert found.state_dir == tmp_path / "state"
    assert found.evidence.dir == tmp_path / "state" / "evidence"
    assert found.mqtt.password_file == tmp_path / "secrets" / "mqtt"
    assert (found.models.dir, found.models.mirrors) == (Path("/models"), (tmp_path / "usb",))


def test_evidence_may_have_a_place_of_its_own(tmp_path: Path) -> None:
    assert load(saved(tmp_path, evidence={"dir": "proof"})).evidence.dir == tmp_path / "proof"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, state_dir="state", models={"mirrors": ["usb"]})
    monkeypatch.setenv("EDGEGUARD_STATE_DIR", "/run/state")
    monkeypatch.setenv("EDGEGUARD_MODELS", "/run/models")
    monkeypatch.setenv("EDGEGUARD_MIRROR", "/run/mirror")
    found = load(path)
    assert (found.state_dir, found.evidence.dir) == (Path("/run/state"), Path("/run/state/evidence"))
    assert (found.models.dir, found.models.mirrors) == (Path("/run/models"), (Path("/run/mirror"),))
    assert parse(path.read_text(), "x", tmp_path).state_dir == tmp_path / "state"


def test_the_environment_does_not_hide_a_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGEGUARD_MODELS", "/run/models")
    path = tmp_path / "guard.yaml"
    for text, told in (("models: 5", "models: given 5"), ("- a", "expected a mapping")):
        path.write_text(text)
        with pytest.raises(ConfigError, match=told):
            load(path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        (b"site: \xff", "not UTF-8"),
        (b"\xef\xbb\xbfsite: a", "device"),
        (b"#" * 2_000_000, "longer"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: bytes | None, told: str) -> None:
    path = tmp_path / "guard.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=told) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not a file"):
        load(tmp_path)


def test_what_is_built_is_frozen() -> None:
    config = built(tree())
    with pytest.raises(ValidationError):
        config.site = "other"
    with pytest.raises(ValidationError):
        config.cameras["gate"].analyse_fps = 9
    for named in (config.cameras, config.cameras["gate"].zones, config.schedules):
        with pytest.raises(TypeError):
            named["new"] = None  # type: ignore[index]


def test_an_alias_may_stand_for_what_is_repeated() -> None:
    text = """
    {site: a, device: b, mqtt: {host: localhost}, cameras: {
      one: &camera {url: "scene://yard", analyse_fps: 8, detector: {confidence: 0.5}},
      two: {<<: *camera, url: "scene://dock"}}}
    """
    cameras = parse(text, "test.yaml").cameras
    assert cameras["two"] == cameras["one"].model_copy(update={"url": cameras["two"].url})
    assert cameras["two"].url.address == "scene://dock"


def test_a_collectors_file_is_loaded_and_its_names_follow(tmp_path: Path) -> None:
    path = tmp_path / "collector.yaml"
    path.write_text("name: centre-1\nstate_dir: state\nmqtt: {host: localhost}\n")
    config = load_collector(path)
    assert config.mqtt.client_id == "edgeguard-collector-centre-1"
    assert config.http.tokens_file == tmp_path / "state" / "tokens"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "database: {url: 'postgresql://u:secret@db/x'}",
            'given "postgresql://***@db/x", expected postgresql://USER',
        ),
        ("database: {url: 'mysql://u@db/x'}", "expected postgresql://USER"),
        ("http: {host: 192.0.2.1}", "http.allow_plaintext: is false and there is no cert_file"),
        ("http: {cert_file: a.pem}", "expected both cert_file and key_file, or neither"),
        ("retention: {days: 0}", "expected a whole number from 1 to 36500"),
        ("mqtt: {host: broker.example}", "mqtt.tls: is not enabled"),
        ("camera: {}", "unknown key"),
    ],
)
def test_a_collectors_faults_are_told_with_their_lines(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "collector.yaml"
    start = "name: centre-1\n" + ("" if line.startswith("mqtt") else "mqtt: {host: localhost}\n")
    path.write_text(f"{start}{line}\n")
    with pytest.raises(ConfigError) as caught:
        load_collector(path)
    assert words in str(caught.value)
    assert f":{start.count(chr(10)) + 1}: " in str(caught.value)
