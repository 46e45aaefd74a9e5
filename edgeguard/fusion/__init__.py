"""Eyes and ears together: observations that complete each other become a new one.

Belongs here: rules and patterns over observations of several sources.
Does not belong here: models, pictures, sound; severity and cooldown (alerts).
May import: types.
Called by: runtime.
To add one, copy `together.py` and its test; config/patterns.py gives it its keys.
"""

from edgeguard.fusion.absent import Absent
from edgeguard.fusion.fuser import Fuser, FusionRule
from edgeguard.fusion.heard_and_seen import HeardAndSeen
from edgeguard.fusion.pattern import Pattern
from edgeguard.fusion.repeated import Repeated
from edgeguard.fusion.sequence import Sequence
from edgeguard.fusion.term import KIND, Term
from edgeguard.fusion.together import Together
from edgeguard.fusion.witnessed import ALONE, Witnessed

__all__ = [
    "ALONE",
    "KIND",
    "Absent",
    "Fuser",
    "FusionRule",
    "HeardAndSeen",
    "Pattern",
    "Repeated",
    "Sequence",
    "Term",
    "Together",
    "Witnessed",
]
