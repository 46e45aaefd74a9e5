from __future__ import annotations

import pytest

from edgeguard.config import Config
from edgeguard.errors import ConfigError, SourceError
from edgeguard.runtime.assembly.house import House
from edgeguard.runtime.locked import LockedSource


class Told:
    """A source without anything to give."""

    name = "gate"
    opened = closed = 0

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> None:
        return None

    def close(self) -> None:
        self.closed += 1


def test_it_is_opened_once_its_password_can_be_read() -> None:
    source, may = Told(), [False]

    def make() -> Told:
        if not may[0]:
            raise ConfigError("cannot use the secret")
        return source

    locked: LockedSource = LockedSource("gate", make)  # type: ignore[type-arg]
    with pytest.raises(SourceError, match="cannot use the secret") as told:
        locked.open()
    assert told.value.cause == "refused_login"
    locked.close()
    assert locked.counters() == {}
    may[0] = True
    locked.open()
    assert (locked.read(0), source.opened) == (None, 1)
    locked.close()
    assert source.closed == 1
    assert locked.counters() == {}


def test_one_camera_without_its_password_does_not_keep_the_others_from_being_watched(
    tmp_path: object,
) -> None:
    bad = {"url": "rtsp://127.0.0.1:9/", "username": "u", "password_file": f"{tmp_path}/none"}
    config = Config.model_validate(
        {
            "site": "trial",
            "device": "box",
            "state_dir": f"{tmp_path}/state",
            "cameras": {"gate": bad, "yard": {"url": "scene://yard"}},
            "microphones": {"hall": bad},
            "mqtt": {"host": "127.0.0.1"},
        }
    )
    house = House(config)
    assert house.daemon() is not None
