from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from edgeguard.runtime import logs


@pytest.fixture(autouse=True)
def _own_logging() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    yield
    root.level, root.handlers[:] = before


def test_machines_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("info", as_json=True)
    log = logging.getLogger("edgeguard.runtime.stage")
    log.debug("not this")
    log.warning("capture-%s failed:\nTür", "gate")
    try:
        int("many")
    except ValueError:
        log.exception("vision failed")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["level"] == "warning"
    assert first["room"] == "edgeguard.runtime.stage"
    assert first["message"] == "capture-gate failed:\nTür"
    assert first["thread"] == "MainThread"
    assert first["time"].endswith("+00:00")
    assert "traceback" not in first
    assert "ValueError: invalid literal" in second["traceback"]


def test_people_get_words(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("warning", as_json=False)
    log = logging.getLogger("edgeguard.runtime.stage")
    log.info("not this")
    log.error("stuck: vision")
    assert capsys.readouterr().err.endswith("ERROR   MainThread: stuck: vision\n")


def test_setting_up_again_replaces_and_does_not_double(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        logs.set_up("info", as_json=False)
    logging.getLogger("edgeguard").info("once")
    assert capsys.readouterr().err.count("once") == 1
