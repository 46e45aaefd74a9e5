"""What the database holds, for whoever asks: alerts, devices, gaps, how good each rule is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, select, tuple_

from edgeguard.alerts.messages import rfc3339
from edgeguard.collector.database import Database
from edgeguard.collector.tables import alert, clock_step, coverage, device, gap, quarantine, result, revision

Answer = dict[str, Any]
_NAMES = ("site", "device")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which alerts; None is any."""

    since_ns: int | None = None
    """Opened then or later,"""
    until_ns: int | None = None
    """and before."""
    site: str | None = None
    device: str | None = None
    severity: tuple[str, ...] = ()
    kind: str | None = None
    rule: str | None = None
    state: str | None = None
    acknowledged: bool | None = None
    drill: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """As SQL, on `alert` joined with `device`."""
        exact = (alert.c.kind, alert.c.rule, alert.c.state, alert.c.acknowledged, alert.c.drill)
        found = [column == wanted for column in exact if (wanted := getattr(self, column.name)) is not None]
        found += [device.c[name] == wanted for name in _NAMES if (wanted := getattr(self, name)) is not None]
        if self.severity:
            found.append(alert.c.severity.in_(self.severity))
        if self.since_ns is not None:
            found.append(alert.c.opened_ns >= self.since_ns)
        if self.until_ns is not None:
            found.append(alert.c.opened_ns < self.until_ns)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some alerts, newest first."""

    alerts: list[Answer]
    next: tuple[int, int] | None
    """Where the next page begins; None: there is none."""


class Reader:
    """Every method raises StorageError where the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def alerts(self, which: Filter, limit: int, after: tuple[int, int] | None = None) -> Page:
        """Alerts at their newest revision, the one opened last first."""
        query = _alerts().where(*which.conditions()).order_by(alert.c.opened_ns.desc(), alert.c.id.desc())
        if after is not None:
            query = query.where(tuple_(alert.c.opened_ns, alert.c.id) < tuple_(*after))
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(limit + 1)).all()
        last = rows[limit - 1] if len(rows) > limit else None
        return Page([_alert(row) for row in rows[:limit]], (last.opened_ns, last.id) if last else None)

    def alert(self, alert_id: str, site: str | None = None, device_name: str | None = None) -> list[Answer]:
        """The alerts of that id with all their revisions; more than one only if devices share an id."""
        which = Filter(site=site, device=device_name)
        with self._database.reading() as connection:
            rows = connection.execute(
                _alerts().where(alert.c.alert_id == alert_id, *which.conditions()).limit(10)
            ).all()
            return [{**_alert(row), "revisions": _revisions(connection, row)} for row in rows]

    def newest_position(self) -> int:
        """How far the row of revisions goes."""
        with self._database.reading() as connection:
            return connection.execute(select(func.max(revision.c.id))).scalar() or 0

    def revisions_after(self, position: int, limit: int) -> list[tuple[int, Answer]]:
        """Revisions in the order in which they were committed, each with its position."""
        query = (
            select(revision.c.id, revision.c.body)
            .where(revision.c.id > position)
            .order_by(revision.c.id)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return [(row.id, json.loads(row.body)) for row in connection.execute(query)]

    def devices(self, site: str | None = None, name: str | None = None) -> list[Answer]:
        """Every device, by site and name."""
        which = [device.c[key] == wanted for key, wanted in (("site", site), ("device", name)) if wanted]
        missing = (
            select(gap.c.device_id, func.sum(gap.c.to_seq - gap.c.from_seq + 1).label("missing"))
            .where(gap.c.reason.is_(None))
            .group_by(gap.c.device_id)
            .subquery()
        )
        query = (
            select(device, missing.c.missing)
            .select_from(device.outerjoin(missing, missing.c.device_id == device.c.id))
            .where(*which)
            .order_by(device.c.site, device.c.device)
        )
        with self._database.reading() as connection:
            return [_device(row) for row in connection.execute(query)]

    def gaps(self, *, unexplained: bool, limit: int) -> list[Answer]:
        """Numbers that are missing, newest first; `unexplained`: only those without a reason."""
        query = select(gap, device.c.site, device.c.device).join(device, device.c.id == gap.c.device_id)
        if unexplained:
            query = query.where(gap.c.reason.is_(None))
        with self._database.reading() as connection:
            return [_gap(row) for row in connection.execute(query.order_by(gap.c.id.desc()).limit(limit))]

    def coverage(
        self, since: str | None, until: str | None, site: str | None, name: str | None, limit: int
    ) -> list[Answer]:
        """Days of coverage from `since` to `until` (days, included), the newest first."""
        which = [device.c[key] == wanted for key, wanted in zip(_NAMES, (site, name), strict=True) if wanted]
        which += [coverage.c.day >= since] if since else []
        which += [coverage.c.day <= until] if until else []
        query = (
            select(coverage, device.c.site, device.c.device)
            .join(device, device.c.id == coverage.c.device_id)
            .where(*which)
            .order_by(coverage.c.day.desc(), device.c.site, device.c.device)
        )
        with self._database.reading() as connection:
            return [_day(row) for row in connection.execute(query.limit(limit))]

    def precision(self) -> list[Answer]:
        """Per rule of each device how many of its alerts were judged, and how many of these were true."""
        judged = {name: _count(alert.c.verdict == name) for name in ("true", "false_alarm")}
        query = (
            select(device.c.site, device.c.device, alert.c.rule, func.count().label("alerts"))
            .add_columns(judged["true"].label("true"), judged["false_alarm"].label("false_alarm"))
            .join(device, device.c.id == alert.c.device_id)
            .where(~alert.c.drill)
            .group_by(device.c.site, device.c.device, alert.c.rule)
            .order_by(device.c.site, device.c.device, alert.c.rule)
        )
        with self._database.reading() as connection:
            return [_precision(dict(row._mapping)) for row in connection.execute(query)]

    def answer(self, request_id: str) -> Answer | None:
        """What a device answered to a command or an acknowledgement."""
        query = select(result.c.body).where(result.c.request_id == request_id)
        with self._database.reading() as connection:
            body = connection.execute(query).scalar()
        return None if body is None else json.loads(body)

    def totals(self) -> Answer:
        """How much there is of everything."""
        unexplained = func.coalesce(func.sum(gap.c.to_seq - gap.c.from_seq + 1), 0)
        silent = select(func.count()).select_from(device).where(device.c.silent_since_ns.is_not(None))
        queries = {
            "devices": select(func.count()).select_from(device),
            "silent_devices": silent,
            "alerts": select(func.count()).select_from(alert),
            "missing": select(unexplained).where(gap.c.reason.is_(None)),
            "quarantined": select(func.count()).select_from(quarantine),
        }
        with self._database.reading() as connection:
            return {name: int(connection.execute(query).scalar_one()) for name, query in queries.items()}


def _alerts() -> Select[Any]:
    return select(alert, device.c.site, device.c.device).join(device, device.c.id == alert.c.device_id)


def _alert(row: Any) -> Answer:
    same = ("site", "device", "alert_id", "revision", "state", "severity", "kind", "source", "rule", "drill")
    return {
        **{name: getattr(row, name) for name in same},
        "acknowledged": row.acknowledged,
        "verdict": row.verdict,
        "opened_at": rfc3339(row.opened_ns),
        "clock_step_ms": row.step_ns / 1e6,
        "received_at": rfc3339(row.received_ns),
        "message": json.loads(row.body),
    }


def _revisions(connection: Connection, one: Any) -> list[Answer]:
    of_it = and_(revision.c.device_id == one.device_id, revision.c.alert_id == one.alert_id)
    rows = connection.execute(select(revision).where(of_it).order_by(revision.c.revision)).all()
    steps = connection.execute(select(clock_step).where(clock_step.c.device_id == one.device_id)).all()
    return [
        {
            "revision": row.revision,
            "received_at": rfc3339(row.received_ns),
            "clock_step_ms": sum(s.step_ms for s in steps if s.boot_id == row.boot_id and s.seq > row.seq),
            "message": json.loads(row.body),
        }
        for row in rows
    ]


def _device(row: Any) -> Answer:
    return {
        **{name: getattr(row, name) for name in ("site", "device", "boot_id", "version", "custody")},
        "state": "unknown" if row.silent_since_ns is not None else row.state or "unknown",
        "started_at": _time(row.started_ns),
        "last_seen_at": rfc3339(row.last_seen_ns),
        "silent_since": _time(row.silent_since_ns),
        "seq_high": row.seq_high,
        "complete_to": row.audited_to,
        "missing": int(row.missing or 0),
        "health": None if row.health is None else json.loads(row.health),
    }


def _gap(row: Any) -> Answer:
    return {
        **{name: getattr(row, name) for name in ("site", "device", "from_seq", "to_seq", "reason", "asked")},
        "noticed_at": rfc3339(row.noticed_ns),
    }


def _day(row: Any) -> Answer:
    return {
        **{name: getattr(row, name) for name in ("site", "device", "day")},
        "received_at": rfc3339(row.received_ns),
        "message": json.loads(row.body),
    }


def _precision(counts: Answer) -> Answer:
    judged = counts["true"] + counts["false_alarm"]
    return {**counts, "precision": round(counts["true"] / judged, 4) if judged else None}


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _time(utc_ns: int | None) -> str | None:
    return None if utc_ns is None else rfc3339(utc_ns)


def names(answers: Sequence[Answer]) -> list[str]:
    """The columns of a table of answers, plain values only."""
    return (
        [key for key, value in answers[0].items() if not isinstance(value, (dict, list))] if answers else []
    )
