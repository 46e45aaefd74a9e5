"""What may be sent, and what only the device's own file may say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edgeguard.config.proposal import Proposal
from edgeguard.errors import ConfigError

OWN = """
site: depot
device: gate-1
mqtt: {host: 127.0.0.1, accept_config: true}
cameras:
  gate: {url: 'rtsp://192.0.2.10/1', username: guard, password_file: gate-password}
  clip: {url: 'file:///srv/clip.mp4'}
rules: []
"""
HIDING = """
site: depot
device: gate-1
mqtt: {host: 127.0.0.1, accept_config: true}
cameras:
  gate: {url: 'rtsp://192.0.2.10/1', masks: [[[0, 0], [1, 0], [1, 1]]]}
  usb: {url: 'v4l2:///dev/video0', masks: [[[0, 0], [1, 0], [1, 1]]]}
microphones:
  desk: {url: 'alsa://default', transcripts: true}
  hall: {url: 'alsa://hw:1,0'}
rules: [{kind: blind, name: blind, after_s: 5}]
"""
MASKED = "masks: [[[0, 0], [1, 0], [1, 1]]]"
RULES = "rules: [{kind: blind, name: blind, after_s: 5}]"


def proposal(sent: str) -> Proposal:
    return replace(Proposal(OWN, "edgeguard.yaml", Path("/etc/edgeguard")), sent=sent)


def test_what_is_left_out_is_the_files() -> None:
    config = proposal("cameras: {gate: {url: 'scene://yard'}}").config()
    assert (config.site, config.mqtt.host, list(config.cameras)) == ("depot", "127.0.0.1", ["gate"])


def test_saying_what_the_file_says_is_no_fault() -> None:
    assert proposal("site: depot\n" + "cameras: {gate: {url: 'scene://yard'}}").config().site == "depot"


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("mqtt: {host: 192.0.2.66}", "config:1: mqtt: is for the device's own file"),
        ("state_dir: /etc", "state_dir: is for the device's own file"),
        ("evidence: {enabled: false}", "evidence: is for the device's own file"),
        ("escalation: {after_s: 1}", "escalation: is for"),
        ("models: {dir: /tmp}", "models: is for"),
        ("cameras: {gate: {url: 'rtsp://a:b@192.0.2.10/1'}}", "cameras.gate.url: expected no user"),
        ("cameras: {gate: {url: 'file:///etc/passwd'}}", "cameras.gate.url: expected a file that"),
        (
            "cameras: {gate: {url: 'rtsp://192.0.2.66/1', username: guard, password_file: gate-password}}",
            "cameras.gate.password_file: expected user and file",
        ),
        (
            "cameras: {gate: {url: 'rtsp://192.0.2.10/1', username: guard, password_file: /etc/shadow}}",
            "cameras.gate.password_file: expected user and file",
        ),
        (
            "cameras: {gate: {url: 'rtsps://192.0.2.10/1', ca_file: /etc/shadow}}",
            "cameras.gate.ca_file: expected one that",
        ),
        ("cameras: {gate: {url: 'scene://yard', fsp: 1}}", "fsp"),
        ("- 1", "config"),
        ("cameras: [", "config"),
    ],
)
def test_what_is_not_for_whoever_sends(sent: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        proposal(sent).config()
    assert words in str(caught.value)


def test_the_files_password_goes_where_the_file_sends_it() -> None:
    sent = "cameras: {door: {url: 'rtsp://192.0.2.10/2', username: guard, password_file: gate-password}}"
    assert proposal(sent).config().cameras["door"].username == "guard"


def hiding(sent: str) -> Proposal:
    return replace(Proposal(HIDING, "edgeguard.yaml", Path("/etc/edgeguard")), sent=sent)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("cameras: {gate: {url: 'rtsp://192.0.2.10/1'}}", "cameras.gate.masks: expected those"),
        ("cameras: {other: {url: 'rtsp://192.0.2.10/1'}}", "cameras.other.masks: expected those"),
        (
            f"cameras: {{a: {{url: 'rtsp://192.0.2.10:554/1', {MASKED}}}}}",
            "cameras.a.url: expected an address",
        ),
        (f"cameras: {{a: {{url: 'rtsp://192.0.2.10/2', {MASKED}}}}}", "cameras.a.url: expected an address"),
        ("cameras: {a: {url: 'v4l2:///dev/v4l/by-id/usb-1'}}", "cameras.a.url: expected an address"),
        ("microphones: {hall: {url: 'alsa://hw:1,0', transcripts: true}}", "transcripts: expected false"),
        ("cameras: {new: {url: 'rtsp://192.0.2.11/1', enabled: false}}", "nothing would be watched"),
    ],
)
def test_what_the_file_hides_stays_hidden_and_something_is_watched(sent: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        hiding(f"{sent}\n{RULES}\n").config()
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_masks_may_be_added_and_what_the_file_keeps_is_kept() -> None:
    more = "masks: [[[0, 0], [0.2, 0], [0.2, 0.2]], [[0, 0], [1, 0], [1, 1]]]"
    sent = f"cameras: {{gate: {{url: 'rtsp://192.0.2.10/1', {more}}}}}\n"
    sent += "microphones: {ear: {url: 'alsa://default', transcripts: true}}\n"
    assert len(hiding(sent + RULES).config().cameras["gate"].masks) == 2


@pytest.mark.parametrize("rules", ["", "rules: [{kind: blind, name: blind, after_s: 5, enabled: false}]"])
def test_some_rule_stays_enabled(rules: str) -> None:
    with pytest.raises(ConfigError, match="no alert would be raised"):
        hiding(f"cameras: {{new: {{url: 'rtsp://192.0.2.11/1'}}}}\n{rules}\n").config()


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        proposal("mqtt: {host: x}\nsite: other\ncameras: {gate: {url: 'scene://yard', fsp: 1}}").config()
    assert len(str(caught.value).splitlines()) == 3
