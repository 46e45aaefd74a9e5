"""Which cameras are watched for tampering, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgeguard.config import rules as kinds
from edgeguard.config.cameras import Camera
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.views import TamperRule, View, Views
from edgeguard.types import Frame
from edgeguard.vision.sanity import Sanity


def views_of(
    cameras: Mapping[str, Camera],
    rules: tuple[kinds.Rule, ...],
    board: HealthBoard,
    to_host: Callable[[Frame], Frame],
) -> Views:
    """One view for each camera whose `sanity` is enabled; a drawn scene is nobody's to tamper with."""
    watched = {
        name: View(_sanity(name, camera), board.part(f"view/{name}"))
        for name, camera in cameras.items()
        if camera.sanity.enabled and camera.url.scheme != "scene"
    }
    asking = [
        TamperRule(rule.name, rule.camera, None if rule.what is None else frozenset(rule.what))
        for rule in rules
        if rule.enabled and isinstance(rule, kinds.Tampered)
    ]
    return Views(watched, asking, to_host)


def _sanity(name: str, camera: Camera) -> Sanity:
    settings = camera.sanity
    return Sanity(name, settings.sensitivity, settings.hold_s, settings.ignore)
