"""Eyes and ears together: observations that complete each other become a new one.

Belongs here: rules over observations of several sources.
Does not belong here: models, pictures, sound; severity and cooldown (alerts).
May import: types.
Called by: runtime.
To add one, copy `heard_and_seen.py` and its test.
"""

from edgeguard.fusion.fuser import Fuser, FusionRule
from edgeguard.fusion.heard_and_seen import HeardAndSeen

__all__ = ["Fuser", "FusionRule", "HeardAndSeen"]
