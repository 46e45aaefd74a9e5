"""Alerts as Frigate's tracked objects and review items.

Frigate says what it tracks, EdgeGuard what a rule decided: one alert is one tracked object and one review
item. A field for which an alert has no true value is null; all that an alert says is under `edgeguard`.
"""

from __future__ import annotations

import hashlib
import string
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from edgeguard.bridges.bridge import Message, unix
from edgeguard.client.times import utc_ns
from edgeguard.types import drill

SOUND_KINDS = frozenset({"sound", "keyword", "intent"})
"""What was heard, and not seen."""

_OF_THE_DEVICE = ("system", drill.MISSED)
"""Rules whose alerts are about the device, and no camera's."""
_MOST_LIVES = 10_000
_DIGITS = string.digits + string.ascii_lowercase
_OWN_FIELDS = (
    *("site", "device", "alert_id", "revision", "kind", "severity", "rule", "zone", "label", "tracks"),
    *("summary", "evidence", "acknowledged", "drill", "replayed"),
)
_UNKNOWN = (
    *("snapshot", "snapshot_clean", "sub_label", "computed_score", "box", "area", "ratio", "region"),
    *("active", "stationary", "motionless_count", "position_changes", "pending_loitering"),
    *("current_estimated_speed", "average_estimated_speed", "velocity_angle", "recognized_license_plate"),
)
"""An alert does not say these."""


@dataclass(slots=True)
class _Life:
    """What was said of one alert so far."""

    event: Message | None
    review: Message
    revision: int
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One message on `events` (if it was seen) and `reviews`."""

    type: str
    """`new`, `update` or `end`."""
    event: tuple[Message, Message] | None
    """Before and after."""
    review: tuple[Message, Message]


class Lives:
    """Alerts from `new` to `end`, each once and in this order, however often and late their revisions come.

    An alert that is first heard of when it is older than `max_age_s` by its last observation has no life
    here: who asks Frigate wants to know what happens, not what happened.
    """

    def __init__(self, max_age_s: float) -> None:
        self.too_old = 0
        """Messages that were left out for their age."""
        self._max_age_s = max_age_s
        self._lives: OrderedDict[str, _Life] = OrderedDict()

    def take(
        self, alert: Message, camera: str, zone: str | None, age_s: Callable[[str], float]
    ) -> list[Change]:
        """What a revision changes; `camera` and `zone` are their names here. Raises ValueError."""
        if alert["drill"] or alert["rule"] in _OF_THE_DEVICE:
            return []
        life = self._lives.get(alert["alert_id"])
        if life is None:
            return self._begin(alert, camera, zone, age_s)
        if life.ended or alert["revision"] <= life.revision:
            return []
        event, review = _event(alert, camera, zone, life.event), _review(alert, camera, zone)
        self._lives.move_to_end(alert["alert_id"])
        life.revision = alert["revision"]
        return [self._go_on(life, event, review)]

    def end_all(self) -> list[Change]:
        """Nobody watches what goes on any more: it ends with what was seen last."""
        return [_end(life) for life in self._lives.values() if not life.ended]

    def _begin(
        self, alert: Message, camera: str, zone: str | None, age_s: Callable[[str], float]
    ) -> list[Change]:
        if age_s(alert["observed_at"]) > self._max_age_s:
            self.too_old += 1
            return []
        event, review = _event(alert, camera, zone, None), _review(alert, camera, zone)
        over = review["end_time"] is not None
        begun = None if event is None else {**event, "end_time": None}
        life = _Life(begun, {**review, "end_time": None}, alert["revision"])
        self._lives[alert["alert_id"]] = life
        changes = [_change("new", life, life.event, life.review)]
        if over:
            changes.append(self._go_on(life, event, review))
        return changes + self._forget_surplus()

    def _go_on(self, life: _Life, event: Message | None, review: Message) -> Change:
        life.ended = review["end_time"] is not None
        change = _change("end" if life.ended else "update", life, event, review)
        life.event, life.review = event, review
        return change

    def _forget_surplus(self) -> list[Change]:
        if len(self._lives) <= _MOST_LIVES:
            return []
        _, oldest = self._lives.popitem(last=False)
        return [] if oldest.ended else [_end(oldest)]


def _change(kind: str, life: _Life, event: Message | None, review: Message) -> Change:
    both = None if event is None or life.event is None else (life.event, event)
    return Change(kind, both, (life.review, review))


def _end(life: _Life) -> Change:
    """An end of which the alert itself has not told: its last observation."""
    last_s = life.review["edgeguard"]["observed_time"]
    event = None if life.event is None else {**life.event, "end_time": last_s}
    life.ended = True
    return _change("end", life, event, {**life.review, "end_time": last_s})


def _event(alert: Message, camera: str, zone: str | None, before: Message | None) -> Message | None:
    if alert["kind"] in SOUND_KINDS:
        return None
    score = alert["confidence"]
    return {
        **dict.fromkeys(_UNKNOWN),
        "id": frigate_id(alert, "event"),
        "camera": camera,
        "frame_time": unix(alert["observed_at"]),
        "label": alert["label"],
        "top_score": score if before is None else max(score, before["top_score"]),
        "score": score,
        "false_positive": False,
        **_times(alert),
        "current_zones": [] if zone is None or alert["kind"] == "zone_left" else [zone],
        "entered_zones": [] if zone is None else [zone],
        "has_clip": False,
        "has_snapshot": False,
        "attributes": {},
        "current_attributes": [],
        "path_data": [],
        "max_severity": _severity(alert),
        "edgeguard": _own(alert),
    }


def _review(alert: Message, camera: str, zone: str | None) -> Message:
    heard = alert["kind"] in SOUND_KINDS
    labels = [] if alert["label"] is None else [alert["label"]]
    return {
        "id": frigate_id(alert, "review"),
        "camera": camera,
        **_times(alert),
        "severity": _severity(alert),
        "thumb_path": None,
        "data": {
            "detections": [] if heard else [frigate_id(alert, "event")],
            "objects": [] if heard else labels,
            "verified_objects": [],
            "sub_labels": [],
            "zones": [] if zone is None else [zone],
            "audio": labels if heard else [],
            "thumb_time": None,
            "metadata": None,
        },
        "edgeguard": _own(alert),
    }


def _times(alert: Message) -> Message:
    closed = alert["closed_at"]
    return {"start_time": unix(alert["opened_at"]), "end_time": None if closed is None else unix(closed)}


def _severity(alert: Message) -> str:
    return "detection" if alert["severity"] == "info" else "alert"


def _own(alert: Message) -> Message:
    return {**{name: alert[name] for name in _OWN_FIELDS}, "observed_time": unix(alert["observed_at"])}


def frigate_id(alert: Message, of: str) -> str:
    """`<seconds>.<microseconds>-<6 letters>`: the same for all revisions of an alert. Raises ValueError."""
    seconds, rest = divmod(utc_ns(alert["opened_at"]) // 1000, 1_000_000)
    number = int.from_bytes(hashlib.sha256(f"{of} {alert['alert_id']}".encode()).digest()[:8], "big")
    letters = ""
    for _ in range(6):
        number, digit = divmod(number, len(_DIGITS))
        letters += _DIGITS[digit]
    return f"{seconds}.{rest:06d}-{letters}"
