"""Whether a camera's picture and a microphone's sound belong to the same moment.

Belongs here: how strongly sound begins, how both are laid side by side, the offset, and when it is too large.
Does not belong here: pictures and how much moves in them (vision); what is joined in time (fusion); threads.
May import: types.
Called by: runtime.
To add one, copy `onsets.py` for another thing to compare, `offset.py` for another way to do it.
"""

from edgeguard.sync.drift import DRIFT, SyncCheck
from edgeguard.sync.offset import Offset, estimate

__all__ = ["DRIFT", "Offset", "SyncCheck", "estimate"]
