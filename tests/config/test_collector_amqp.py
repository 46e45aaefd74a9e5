from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from edgeguard.config.collector import Amqp
from edgeguard.config.loading import load_collector
from edgeguard.errors import ConfigError


def amqp(folder: Path, keys: dict[str, Any], tls: bool = False) -> Amqp:
    path = folder / "collector.yaml"
    mqtt = {"host": "127.0.0.1", "tls": {"enabled": tls}}
    path.write_text(yaml.safe_dump({"name": "centre-1", "mqtt": mqtt, "amqp": keys}))
    return load_collector(path).amqp


def test_without_a_queue_the_collector_listens_to_mqtt(tmp_path: Path) -> None:
    assert amqp(tmp_path, {}).queue is None


def test_the_port_follows_from_tls_unless_it_is_given(tmp_path: Path) -> None:
    assert amqp(tmp_path, {"queue": "edgeguard"}).port == 5672
    assert amqp(tmp_path, {"queue": "edgeguard"}, tls=True).port == 5671
    assert amqp(tmp_path, {"queue": "edgeguard", "port": 5}, tls=True).port == 5


@pytest.mark.parametrize("keys", [{"queue": ""}, {"port": 0}, {"url": "amqp://guest:guest@h"}])
def test_what_is_refused(tmp_path: Path, keys: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"amqp\."):
        amqp(tmp_path, keys)
