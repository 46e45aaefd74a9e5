"""When rules are armed."""

from __future__ import annotations

import re
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from edgeguard.config.section import Section, Some

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"]
_DAYS: dict[Day, str] = {
    "mon": "monday",
    "tue": "tuesday",
    "wed": "wednesday",
    "thu": "thursday",
    "fri": "friday",
    "sat": "saturday",
    "sun": "sunday",
    "holiday": "holiday",
}
_TIME = r"^(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_TIME_WORDS = "a time of day from 00:00 to 24:00, such as 22:00"


def _time(value: Any) -> time:
    if isinstance(value, time):
        return value
    if not isinstance(value, str) or not re.match(_TIME, value) or value.endswith("\n"):
        raise ValueError(f"expected {_TIME_WORDS}")
    hour, minute = value.split(":")
    return time(int(hour) % 24, int(minute))


Time = Annotated[
    time,
    PlainValidator(_time),
    PlainSerializer(lambda value: f"{value:%H:%M}"),
    WithJsonSchema({"type": "string", "pattern": _TIME, "patternErrorMessage": _TIME_WORDS}),
]
"""Local time of day; 24:00 is 00:00."""


def _holiday(value: str) -> str:
    try:
        date.fromisoformat(value if len(value) > 5 else f"2000-{value}")  # a leap year
    except ValueError:
        raise ValueError(f"expected {_DATE_WORDS}") from None
    return value


_DATE_WORDS = "a date such as 2026-12-24, or 01-01 for every year"
Holiday = Annotated[
    str,
    Field(pattern=r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$", json_schema_extra={"patternErrorMessage": _DATE_WORDS}),
    AfterValidator(_holiday),
]


class Period(Section):
    """A daily span of time. An end that is not after the start lies on the next day."""

    days: Some[Day] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    """Days on which it begins: mon, tue, wed, thu, fri, sat, sun, and holiday for the days in `holidays`,
    which keep their weekday beside it."""
    start: Time = Field(alias="from", examples=["22:00"])
    """Local time at which it begins, hh:mm."""
    end: Time = Field(alias="to", examples=["06:00"])
    """Local time at which it ends, hh:mm; if that is not after `from`, on the next day. The same time as
    `from` means a whole day."""

    @property
    def weekdays(self) -> frozenset[str]:
        """The days written out: `monday`, `tuesday`, ..."""
        return frozenset(_DAYS[day] for day in self.days)
