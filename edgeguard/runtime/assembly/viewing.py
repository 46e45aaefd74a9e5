"""Which cameras are watched for tampering, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.config import rules as kinds
from edgeguard.config.cameras import Camera
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.views import Keepsake, TamperRule, View, Views
from edgeguard.types import Frame
from edgeguard.vision.sanity import Sanity


def views_of(
    cameras: Mapping[str, Camera],
    rules: tuple[kinds.Rule, ...],
    board: HealthBoard,
    to_host: Callable[[Frame], Frame],
    state_dir: Path,
    clock: Clock,
) -> Views:
    """One view for each camera whose `sanity` is enabled; a drawn scene is nobody's to tamper with.

    What each usually shows is kept in `state_dir`, but of no file, and of no camera with privacy masks.
    """
    watched = {
        name: _view(name, camera, board, clock, state_dir)
        for name, camera in cameras.items()
        if camera.sanity.enabled and camera.url.scheme != "scene"
    }
    asking = [
        TamperRule(rule.name, rule.camera, None if rule.what is None else frozenset(rule.what))
        for rule in rules
        if rule.enabled and isinstance(rule, kinds.Tampered)
    ]
    return Views(watched, asking, to_host)


def _view(name: str, camera: Camera, board: HealthBoard, clock: Clock, state_dir: Path) -> View:
    sanity = _sanity(name, camera)
    keepsake = None
    if not camera.masks and camera.url.scheme != "file":
        keepsake = Keepsake(state_dir / "views" / name, str(camera.url), clock)
        keepsake.recall(sanity)
    return View(sanity, board.part(f"view/{name}"), keepsake)


def _sanity(name: str, camera: Camera) -> Sanity:
    settings = camera.sanity
    return Sanity(name, settings.sensitivity, settings.hold_s, settings.ignore)
