"""What a dashboard has to remember: the newest revision of each alert, how devices are, what is missing."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]
MOST_ALERTS = 1000


@dataclass
class Gap:
    """Numbers that a device gave out and that did not come."""

    first: int
    last: int
    since_s: float
    told: bool = False


@dataclass
class Device:
    """One device: its row of numbered messages, its newest run, and when it was last heard."""

    highest: int | None = None
    gaps: list[Gap] = field(default_factory=list)
    boot_id: str = ""
    started_at: str = ""
    state: str = "unknown"
    heard_s: float = 0.0
    health: str = ""

    def gave_out(self, seq: int, now_s: float) -> None:
        """All up to `seq` exists. What was before the first that we heard of is not ours to miss."""
        if self.highest is None:
            self.highest = seq
        elif seq > self.highest:
            self.gaps.append(Gap(self.highest + 1, seq, now_s))
            self.highest = seq

    def settled(self, first: int, last: int) -> None:
        """These came, or the device said why they never will."""
        left = []
        for gap in self.gaps:
            if last < gap.first or gap.last < first:
                left.append(gap)
                continue
            if gap.first < first:
                left.append(Gap(gap.first, first - 1, gap.since_s, gap.told))
            if last < gap.last:
                left.append(Gap(last + 1, gap.last, gap.since_s, gap.told))
        self.gaps = left

    def missing(self, now_s: float, late_after_s: float) -> list[Gap]:
        """What is news: gaps older than the time of grace, each told once."""
        late = [gap for gap in self.gaps if not gap.told and now_s - gap.since_s >= late_after_s]
        for gap in late:
            gap.told = True
        return late

    def status(self, body: Json, retained: bool) -> bool:
        """False for a last will of an older run, which comes late and means nothing."""
        newer: bool = body["boot_id"] == self.boot_id or body["started_at"] > self.started_at
        if not newer and (retained or body["state"] == "offline"):
            return False
        changed: bool = body["state"] != self.state
        self.boot_id, self.started_at, self.state = body["boot_id"], body["started_at"], body["state"]
        return changed

    def silent(self, now_s: float, silent_after_s: float) -> bool:
        """True once, when a device that said it is online has said nothing for too long."""
        if self.state != "online" or now_s - self.heard_s < silent_after_s:
            return False
        self.state = "unknown"
        return True


class Book:
    """Alerts and devices, kept in a file so that a restart forgets nothing."""

    def __init__(self, path: Path, now_s: float) -> None:
        self.alerts: dict[str, Json] = {}
        """By id, the oldest first. A larger dashboard has a database here."""
        self.devices: dict[str, Device] = {}
        self._path = path
        if path.exists():
            saved = json.loads(path.read_text("utf-8"))
            self.alerts = saved["alerts"]
            for name, row in saved["rows"].items():
                gaps = [Gap(**{**gap, "since_s": now_s}) for gap in row["gaps"]]
                self.devices[name] = Device(row["highest"], gaps)

    def device(self, name: str, now_s: float) -> Device:
        """A device that said something now."""
        device = self.devices.setdefault(name, Device())
        device.heard_s = now_s
        return device

    def is_news(self, alert: Json, line: str) -> bool:
        """False for a copy, and for a revision older than one we have; else `line` is how it is shown."""
        known = self.alerts.get(alert["alert_id"])
        if known and known["revision"] >= alert["revision"]:
            return False
        kept = {key: alert[key] for key in ("alert_id", "site", "device", "revision", "closed_at")}
        self.alerts[alert["alert_id"]] = {**kept, "line": line}
        if len(self.alerts) > MOST_ALERTS:
            over = (key for key, alert in self.alerts.items() if alert["closed_at"])
            del self.alerts[next(over, next(iter(self.alerts)))]
        return True

    def open(self) -> list[str]:
        """What goes on, as lines."""
        return [alert["line"] for alert in self.alerts.values() if not alert["closed_at"]]

    def find(self, ending: str) -> Json | None:
        """The alert whose id ends so."""
        return next((body for key, body in self.alerts.items() if ending and key.endswith(ending)), None)

    def save(self) -> None:
        """Whole or not at all. Acknowledge a message to the broker after this, never before."""
        rows = {
            name: {"highest": device.highest, "gaps": [asdict(gap) for gap in device.gaps]}
            for name, device in self.devices.items()
        }
        new = self._path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump({"alerts": self.alerts, "rows": rows}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
