"""Which cameras have a gate before their decoder, and what opens it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from edgeguard.capture import ActivityGate, Gate, KeyframeGate, head
from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.cameras import Camera
from edgeguard.runtime.glancing import Doorkeeper, Lockstep
from edgeguard.vision.attention import Attention

HEADER_BYTES = 4096
"""Enough of a packet for its parameter sets and its first slice header."""


def needs_every_picture(rule: kinds.SceneRule) -> bool:
    """What goes over a line may be there on no keyframe; whatever else is alerted for lasts."""
    return isinstance(rule, kinds.LineCrossed)


def rules_at(config: Config, camera: str) -> list[kinds.SceneRule]:
    """The rules on what that camera sees, in the order of the file."""
    rules = [rule for rule in config.rules if rule.enabled and isinstance(rule, kinds.SceneRule)]
    return [rule for rule in rules if rule.camera == camera]


def gate_of(camera: Camera, rules: Sequence[kinds.SceneRule]) -> Gate | None:
    """The gate of a camera with these rules; None: everything is decoded."""
    if camera.url.scheme == "scene":
        return None
    if camera.gate == "keyframes":
        return KeyframeGate()
    if camera.gate == "off" or any(map(needs_every_picture, rules)):
        return None
    return ActivityGate(partial(head, size=HEADER_BYTES))


def doorkeeper_of(
    gate: Gate | None,
    lockstep: Lockstep | None,
    labels: tuple[str, ...],
    wanted: Sequence[frozenset[str] | None],
    begin_confidence: float,
    low_confidence: float,
) -> Doorkeeper | None:
    """What answers the gate's glances; `wanted` has each rule's classes, and None where all count."""
    if not isinstance(gate, ActivityGate):
        return None
    some = [classes for classes in wanted if classes is not None]
    classes = frozenset().union(*some) if len(some) == len(wanted) else None
    tell = gate.saw if lockstep is None else lockstep.tell
    return Doorkeeper(Attention(labels, classes, begin_confidence, low_confidence), tell)
