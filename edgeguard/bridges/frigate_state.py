"""A device's present state as Frigate's topics: counts, what works, rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from edgeguard.bridges.bridge import Message, topic_word, unix
from edgeguard.bridges.devices import Device

Naming = Callable[[str], str]
"""A camera's, microphone's or zone's name of one device to its name here."""

_WORKS = {"ok": "online", "off": "disabled"}


def topics(device: Device, name: Naming, there: bool) -> dict[str, str]:
    """What each topic below the prefix says now; what is counted only while somebody is `there` to count."""
    said: dict[str, str] = {}
    if there:
        said.update(_zone_counts(device, name))
        for camera, counts in device.counts.items():
            said.update(_camera_counts(name(camera), counts))
    sees = there and _detects(device)
    for camera, part in device.cameras.items():
        works = _works(part, there)
        said[f"{name(camera)}/status/detect"] = works if sees or works == "disabled" else "offline"
    for microphone, part in device.microphones.items():
        said[f"{name(microphone)}/status/audio"] = _works(part, there)
    return said


def camera_stats(device: Device, name: Naming) -> dict[str, Message]:
    """Frigate's rates of each camera; null where there is none."""
    return {name(camera): _rates(device, camera, part) for camera, part in device.cameras.items()}


def detector_stats(device: Device, name: Naming) -> dict[str, Message]:
    """Each detector; EdgeGuard tells no time per inference here."""
    return {
        name(part.replace("/", "_")): {"inference_speed": None, "detection_start": None, "pid": None}
        for part in _detectors(device)
    }


def service_stats(devices: Iterable[Device]) -> Message:
    """Of those that are online: the shortest uptime, all versions, the newest health."""
    ages, versions, updates = [], set(), []
    for device in devices:
        if device.started_at is not None:
            ages.append(device.age_s(device.started_at))
            versions.add(str(device.version))
        if device.health is not None:
            updates.append(unix(device.health["at"]))
    return {
        "uptime": max(0, round(min(ages))) if ages else None,
        "version": ", ".join(sorted(versions)) or None,
        "latest_version": None,
        "storage": {},
        "temperatures": {},
        "last_updated": max(updates, default=None),
    }


def _camera_counts(camera: str, counts: Message) -> dict[str, str]:
    said = _numbers(camera, counts["seen"], "")
    said.update(
        _numbers(camera, {label: counts["moving"].get(label, 0) for label in counts["seen"]}, "/active")
    )
    return said


def _zone_counts(device: Device, name: Naming) -> dict[str, str]:
    """A zone of the same name on several cameras is one zone in Frigate: what stands in it is added up.

    One that is called like a camera has no topics, since they would be the camera's.
    """
    totals: dict[str, dict[str, int]] = {}
    for counts in device.counts.values():
        for zone in counts["zones"].keys() - device.counts.keys():
            seen, total = counts["zones"][zone], totals.setdefault(name(zone), {})
            for label, number in seen.items():
                total[label] = total.get(label, 0) + number
    return {topic: text for zone, seen in totals.items() for topic, text in _numbers(zone, seen, "").items()}


def _numbers(place: str, seen: Mapping[str, int], ending: str) -> dict[str, str]:
    by_label = {f"{place}/{topic_word(label)}{ending}": str(number) for label, number in seen.items()}
    return {**by_label, f"{place}/all{ending}": str(sum(seen.values()))}


def _detectors(device: Device) -> dict[str, Message]:
    parts = {} if device.health is None else device.health["parts"]
    return {name: part for name, part in parts.items() if name == "detector" or name.startswith("detector/")}


def _detects(device: Device) -> bool:
    """Whether a detector has looked at pictures lately."""
    return any(part["rate_per_s"] for part in _detectors(device).values())


def _works(part: Message, there: bool) -> str:
    return _WORKS.get(part["state"], "offline") if there else "offline"


def _rates(device: Device, camera: str, part: Message) -> Message:
    given, skipped = part["rate_per_s"], device.skipped_per_s.get(camera)
    looked_at = None if given is None or skipped is None else round(max(0.0, given - skipped), 2)
    return {
        "camera_fps": given,
        "process_fps": looked_at,
        "skipped_fps": None if skipped is None else round(skipped, 2),
        "detection_fps": looked_at,
        "detection_enabled": part["state"] != "off",
        "pid": None,
        "capture_pid": None,
        "ffmpeg_pid": None,
    }
