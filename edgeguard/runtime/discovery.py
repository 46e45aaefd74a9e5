"""Cameras and microphones that this box can find: its own, and those that answer on the network.

Network cameras are asked by WS-Discovery (OASIS 2009), as section 7 of ONVIF's Core Specification has it: a
Probe to 239.255.255.250:3702, and each camera answers with its addresses. Only the host of an answer is used;
what else it says is not trusted.
"""

from __future__ import annotations

import re
import socket
import uuid
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from edgeguard.clock import Clock
from edgeguard.files import text_of

_GROUP = ("239.255.255.250", 3702)
_PROBE = """<?xml version="1.0" encoding="UTF-8"?>
<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"
 xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>uuid:{id}</w:MessageID>
<w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>
<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header>
<e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"""
# A pattern and no XML parser: an answer may come from anybody, and nothing but addresses is wanted of it.
_ADDRESSES = re.compile(rb"XAddrs>([^<]{1,2000})<")
_NAME = re.compile(rb"onvif://www\.onvif\.org/name/([A-Za-z0-9%._-]{1,64})")
_MOST_BYTES, _MOST_ANSWERS = 16_384, 256


@dataclass(frozen=True, slots=True)
class Found:
    """One camera or microphone."""

    url: str
    """For a network camera without its path, which its manual tells."""
    what: str
    """For people: `USB Camera`, `network camera Acme-100`."""


def local_cameras(dev: Path = Path("/dev"), sys: Path = Path("/sys/class/video4linux")) -> list[Found]:
    """Video4Linux devices that capture; of the several nodes of one camera the first."""
    nodes = sorted(sys.glob("video*"), key=lambda path: (len(path.name), path.name))
    return [
        Found(f"v4l2://{dev / node.name}", text_of(node / "name") or "video device")
        for node in nodes
        if text_of(node / "index") in ("", "0")
    ]


def local_microphones(proc: Path = Path("/proc/asound")) -> list[Found]:
    """Capture devices of the sound cards."""
    found = []
    for info in sorted(proc.glob("card*/pcm*c/info")):
        fields = dict(line.split(": ", 1) for line in text_of(info).splitlines() if ": " in line)
        if "card" in fields and "device" in fields:
            url = f"alsa://plughw:{fields['card']},{fields['device']}"
            found.append(Found(url, fields.get("name") or "sound card"))
    return found


def network_cameras(clock: Clock, wait_s: float = 3.0, group: tuple[str, int] = _GROUP) -> list[Found]:
    """Cameras that answer within `wait_s`; none where the network cannot be asked."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
            door.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 2)
            door.sendto(_PROBE.format(id=uuid.uuid4()).encode(), group)
            answers = _answers(door, clock, wait_s)
    except OSError:
        return []
    found: dict[str, Found] = {}
    for answer in answers:
        if (camera := camera_of(answer)) is not None:
            found.setdefault(camera.url, camera)
    return list(found.values())


def camera_of(answer: bytes) -> Found | None:
    """The camera that a ProbeMatch tells of; None for anything else."""
    addresses = _ADDRESSES.search(answer)
    for address in addresses[1].decode("utf-8", "replace").split() if addresses else ():
        host = _host(address)
        if host is not None:
            name = _NAME.search(answer)
            told = f" {name[1].decode()}" if name else ""
            return Found(f"rtsp://{host}:554/", f"network camera{told} at {host}")
    return None


def _host(address: str) -> str | None:
    """The numeric host of an address; a name could lead anywhere."""
    try:
        host = urlsplit(address).hostname or ""
        number = ip_address(host)
    except ValueError:
        return None
    return f"[{host}]" if number.version == 6 else host


def _answers(door: socket.socket, clock: Clock, wait_s: float) -> list[bytes]:
    deadline_ns = clock.monotonic_ns() + round(wait_s * 1e9)
    answers: list[bytes] = []
    while len(answers) < _MOST_ANSWERS and (left_ns := deadline_ns - clock.monotonic_ns()) > 0:
        door.settimeout(left_ns / 1e9)
        try:
            answers.append(door.recv(_MOST_BYTES))
        except TimeoutError:
            break
    return answers
