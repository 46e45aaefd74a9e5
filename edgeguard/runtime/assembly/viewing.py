"""Which cameras are watched for tampering, and how."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from edgeguard.clock import Clock
from edgeguard.config import Config
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
        if _is_watched(camera)
    }
    return Views(watched, _asking(rules), to_host)


def views_with(
    views: Views, config: Config, anew: Collection[str], board: HealthBoard, clock: Clock
) -> tuple[dict[str, View], list[TamperRule]]:
    """Views and rules by `config`; of cameras that are not in `anew` the view stays as it is."""
    cameras = {name: one for name, one in config.cameras.items() if one.enabled and _is_watched(one)}
    kept = {name: view for name in cameras if name not in anew and (view := views.get(name)) is not None}
    made = {
        name: _view(name, camera, board, clock, config.state_dir)
        for name, camera in cameras.items()
        if name not in kept
    }
    return {**kept, **made}, _asking(config.rules)


def _is_watched(camera: Camera) -> bool:
    return camera.sanity.enabled and camera.url.scheme != "scene"


def _asking(rules: tuple[kinds.Rule, ...]) -> list[TamperRule]:
    return [
        TamperRule(rule.name, rule.camera, None if rule.what is None else frozenset(rule.what))
        for rule in rules
        if rule.enabled and isinstance(rule, kinds.Tampered)
    ]


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
