"""Behaviour as data: what the tracks of one camera do, one file per rule.

Belongs here: a rule's own state, its thresholds, the observation with its why.
Does not belong here: severity, schedules and cooldown (alerts); pictures; clocks.
May import: types; shapely for polygons.
Called by: runtime.
To add one, copy `loitering.py` and `tests/rules/test_loitering.py`.
"""

from edgeguard.rules.crowd import Crowd
from edgeguard.rules.headcount import Headcount
from edgeguard.rules.line import LineCrossed
from edgeguard.rules.loitering import Loitering
from edgeguard.rules.person_down import PersonDown
from edgeguard.rules.rule import Rule
from edgeguard.rules.zone import Presence, ZoneEntered, ZoneLeft

__all__ = [
    "Crowd",
    "Headcount",
    "LineCrossed",
    "Loitering",
    "PersonDown",
    "Presence",
    "Rule",
    "ZoneEntered",
    "ZoneLeft",
]
