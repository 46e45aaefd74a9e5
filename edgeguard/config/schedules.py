"""When rules are armed."""

from __future__ import annotations

import re
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from edgeguard.config.section import Section, Some

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: dict[Day, str] = {
    "mon": "monday",
    "tue": "tuesday",
    "wed": "wednesday",
    "thu": "thursday",
    "fri": "friday",
    "sat": "saturday",
    "sun": "sunday",
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


class Period(Section):
    """A daily span of time. An end that is not after the start lies on the next day."""

    days: Some[Day] = tuple(_DAYS)
    """Days on which it begins: mon, tue, wed, thu, fri, sat, sun."""
    start: Time = Field(alias="from", examples=["22:00"])
    """Local time at which it begins, hh:mm."""
    end: Time = Field(alias="to", examples=["06:00"])
    """Local time at which it ends, hh:mm; if that is not after `from`, on the next day. The same time as
    `from` means a whole day."""

    @property
    def weekdays(self) -> frozenset[str]:
        """The days written out: `monday`, `tuesday`, ..."""
        return frozenset(_DAYS[day] for day in self.days)
