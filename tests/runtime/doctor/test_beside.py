"""The doctor beside a guard that it may not look at, or that says nothing."""

from __future__ import annotations

import os
import pwd
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgeguard.config import Config
from edgeguard.models import ModelStore, load_catalog
from edgeguard.runtime.assembly import doctoring
from edgeguard.runtime.claim import claim
from edgeguard.runtime.doctor import Verdict
from edgeguard.runtime.doctor.daemon import is_running, parts_of
from edgeguard.runtime.doctor.models import models
from edgeguard.runtime.doctor.permissions import permissions
from edgeguard.runtime.doctor.service import service
from edgeguard.runtime.doctor.sources import Place, as_the_guard_sees
from tests.runtime.doctor.test_box import systemd
from tests.support.daemon import settings


@contextmanager
def answering(body: bytes) -> Iterator[int]:
    """The port of somebody who answers each request so."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + body)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize("body", [b"[]", b'{"parts": []}', b'{"parts": null}', b"{", b'{"parts": {"a": 1}}'])
def test_somebody_else_on_the_guard_s_port_is_not_taken_for_it(body: bytes) -> None:
    with answering(body) as port:
        assert parts_of(port) == {}


def test_what_the_guard_says_of_its_parts_is_taken() -> None:
    with answering(b'{"parts": {"camera/yard": {"state": "ok"}}}') as port:
        assert parts_of(port) == {"camera/yard": {"state": "ok"}}


def test_whether_a_guard_runs_is_told_or_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert is_running(tmp_path) is False
    with claim(tmp_path):
        assert is_running(tmp_path) is True
    assert is_running(tmp_path) is False

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert is_running(tmp_path) is None


def test_who_may_not_know_whether_it_runs_is_not_told_that_it_stands(tmp_path: Path) -> None:
    systemd(tmp_path)
    assert [one.verdict for one in service(tmp_path, None)][-1] is Verdict.SKIPPED


def test_a_device_of_a_guard_that_says_nothing_is_not_opened() -> None:
    place = Place("microphone", "hall", "alsa", None, unheard=True)
    assert place.held
    assert as_the_guard_sees(place).verdict is Verdict.SKIPPED
    assert not Place("camera", "yard", "rtsp", None, unheard=True).held


def test_the_service_s_folder_is_judged_by_its_user_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """To hand it over to the user who asks would stop the guard."""

    class Entry:
        pw_uid = 987

    monkeypatch.setattr(pwd, "getpwnam", lambda _name: Entry)
    for asks in (0, 1000):
        monkeypatch.setattr(os, "geteuid", lambda asks=asks: asks)
        assert doctoring._uid(Path("/var/lib/edgeguard")) == 987


def test_a_state_folder_that_is_closed_to_this_user_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "iterdir", refuse)
    (found,) = permissions(None, [], tmp_path, os.geteuid())
    assert found.verdict is Verdict.SKIPPED


@pytest.mark.parametrize(("denoise", "asked"), [("always", True), ("auto", False)])
def test_the_denoiser_is_looked_for_where_speech_waits_for_it(denoise: str, asked: bool) -> None:
    config = settings(
        9, {}, [], microphones={"hall": {"url": "alsa://plughw:0,0"}}, speech={"denoise": denoise}
    )
    wanted = {one.name for one in doctoring._wanted(Config.model_validate(config))}
    assert ("gtcrn" in wanted) is asked


def test_a_camera_that_is_switched_off_makes_nobody_blind() -> None:
    camera = {"url": "rtsp://192.0.2.1/stream", "detector": {"model": "yolox-nano-416"}}
    blind = {**camera, "detector": {"model": "yolox-nano-416", "fallback": "none"}, "enabled": False}
    (one,) = doctoring._wanted(Config.model_validate(settings(9, {"yard": camera, "gate": blind}, [])))
    assert not one.needed


@pytest.mark.parametrize("enabled", [True, False])
def test_a_detector_without_which_nobody_can_be_told_as_down_is_needed(enabled: bool) -> None:
    zones = {"floor": {"polygon": [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]}}
    down = {"kind": "person_down", "name": "fallen", "camera": "yard", "zone": "floor", "enabled": enabled}
    cameras = {"yard": {"url": "scene://yard", "zones": zones, "detector": {"model": "yolox-nano-416"}}}
    (one,) = doctoring._wanted(Config.model_validate(settings(9, cameras, [down])))
    assert (one.needed, "fallen can tell nobody" in one.without) == (enabled, enabled)


WAITING = {
    "a rule on words": ({"rules": [{"kind": "keyword", "name": "help-called"}]}, {"asr"}),
    "a rule on meaning": ({"rules": [{"kind": "intent", "name": "cry"}]}, {"asr"}),
    "a rule on sounds": ({"rules": [{"kind": "sound", "name": "glass", "tags": ["glass"]}]}, {"sound-tags"}),
    "a pattern on sounds": (
        {"patterns": [{"kind": "repeated", "name": "twice", "of": {"kind": "sound"}, "count": 2}]},
        {"sound-tags"},
    ),
    "a rule that is off": ({"rules": [{"kind": "sound", "name": "glass", "enabled": False}]}, set()),
    "nothing": ({}, set()),
}


@pytest.mark.parametrize("waiting", WAITING)
def test_a_model_that_a_rule_or_a_pattern_waits_for_is_needed(waiting: str, tmp_path: Path) -> None:
    asked, needed = WAITING[waiting]
    hall = {"url": "alsa://plughw:0,0"}
    speech = {"model": "zipformer-en-20m", "keywords": [{"phrase": "help me"}]}
    config = Config.model_validate(
        settings(9, {}, asked.get("rules", []), microphones={"hall": hall}, speech=speech)
        | {"patterns": asked.get("patterns", [])}
    )
    wanted = doctoring._wanted(config)
    assert {one.task for one in wanted if one.needed} == needed
    found = models(wanted, load_catalog(), ModelStore(tmp_path))
    faults = [one for one in found if one.verdict is Verdict.FAULT]
    assert all("in vain" in one.said and one.cause and one.fix for one in faults)
    assert len(faults) == len(needed)


@pytest.mark.parametrize(("phrase", "verdict"), [("help me", Verdict.OK), ("open sesame", Verdict.FAULT)])
def test_a_phrase_that_the_model_never_hears_is_a_fault_where_a_rule_waits_for_it(
    phrase: str, verdict: Verdict, tmp_path: Path
) -> None:
    catalog, store = load_catalog(), ModelStore(tmp_path)
    rules = [{"kind": "keyword", "name": "called"}]
    speech = {"keywords": [{"phrase": phrase}]}
    config = Config.model_validate(
        settings(9, {}, rules, microphones={"hall": {"url": "alsa://plughw:0,0"}}, speech=speech)
    )
    wanted = doctoring._wanted(config, doctoring._to_be_known(config, catalog, store))
    (found,) = (one for one in models(wanted, catalog, store) if one.about == "phrases-en")
    assert found.verdict is verdict
    assert (phrase in found.said) is (verdict is Verdict.FAULT)
