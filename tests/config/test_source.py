from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeguard.errors import ConfigError
from tests.config.trees import built, camera, faults


def gate(**keys: Any) -> Any:
    return built(camera(**keys)).cameras["gate"]


@pytest.mark.parametrize(
    ("keys", "fault"),
    [
        ({"pace": "fast"}, 'pace: given "fast", expected realtime: rtsp:// sources set the pace themselves'),
        ({"loop": True}, "loop: given true, expected false: rtsp:// sources have no end to begin again at"),
        (
            {"url": "scene://yard", "loop": True},
            "loop: given true, expected false: scene:// sources have no end",
        ),
        ({"url": "v4l2:///dev/video0", "transport": "udp"}, 'transport: given "udp", expected tcp: v4l2://'),
        (
            {"url": "scene://yard", "username": "u"},
            'username: given "u", expected none: scene:// sources have no',
        ),
        ({"password_file": "p"}, 'password_file: given "p", expected a username beside it'),
        (
            {"url": "rtsp://u:p@h/s", "username": "u"},
            'username: given "u", expected the credentials in one place',
        ),
        ({"latency_ms": -1}, "latency_ms: given -1, expected a whole number from 0 to 10000"),
        ({"analyse_fps": 0}, "analyse_fps: given 0, expected a number above 0, up to 60"),
        ({"transport": "tpc"}, 'transport: given "tpc", expected one of tcp, udp; did you mean "tcp"?'),
        ({"enabled": "yes"}, 'enabled: given "yes", expected true or false'),
        ({"enabled": 1}, "enabled: given 1, expected true or false"),
    ],
)
def test_what_does_not_fit_the_url(keys: dict[str, Any], fault: str) -> None:
    (told,) = faults(camera(**keys))
    assert told.startswith(f"cameras.gate.{fault}")


@pytest.mark.parametrize(
    "keys",
    [
        {"url": "file://a.mp4", "pace": "fast", "loop": True},
        {"url": "scene://yard", "pace": "fast"},
        {"transport": "udp", "latency_ms": 0, "username": "u"},
        {"url": "v4l2:///dev/video0", "pace": "realtime", "loop": False, "transport": "tcp"},
    ],
)
def test_what_fits(keys: dict[str, Any]) -> None:
    source = gate(**keys).model_dump(exclude={"url"})
    assert {key: value for key, value in keys.items() if key != "url"}.items() <= source.items()


def test_credentials_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2\n")
    (tmp_path / "secret").chmod(0o600)
    source = gate(username="guard", password_file=str(tmp_path / "secret"))
    assert source.credentials() == ("guard", "hunter2")


def test_credentials_from_the_url() -> None:
    assert gate(url="rtsp://guard:hunter2@h/s").credentials() == ("guard", "hunter2")


def test_no_credentials() -> None:
    assert gate().credentials() is None
    assert gate(username="guard").credentials() == ("guard", "")


def test_a_missing_secret_is_told_when_it_is_needed() -> None:
    source = gate(username="guard", password_file="/nowhere/secret")
    with pytest.raises(ConfigError, match="/nowhere/secret"):
        source.credentials()
