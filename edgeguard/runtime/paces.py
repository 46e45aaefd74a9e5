"""What each part of the daemon is expected to do, and how long it may go without."""

from __future__ import annotations

from edgeguard.runtime.pace import Pace

_ANSWER_S = 10.0
"""Within which whoever works on what others bring does a unit of it, however busy the machine is."""
_PUBACK_S = 5.0
_HEALTHS = 3
"""Reports of health in a row that a broker acknowledges one of."""

INFERENCE = Pace(_ANSWER_S, "no_inference", "frames come, but none was looked at", on_demand=True)
RULES = Pace(_ANSWER_S, "no_rules", "frames are looked at, but no rule was applied", on_demand=True)
LISTENING = Pace(_ANSWER_S, "no_listening", "sound comes, but none was listened to", on_demand=True)
DECISIONS = Pace(_ANSWER_S, "no_decisions", "things are noticed, but none was decided on", on_demand=True)
COMMITS = Pace(_ANSWER_S, "no_commits", "alerts wait, but none was written to the disk", on_demand=True)


def frames(silent_s: float) -> Pace:
    """Of a camera that is watched as it happens."""
    return Pace(silent_s, "no_frames", "no frame came")


def chunks(silent_s: float) -> Pace:
    """Of a microphone that is heard as it happens."""
    return Pace(silent_s, "no_chunks", "no sound came")


def pubacks(health_every_s: float) -> Pace:
    """Of a broker that is told our health so often, whatever else happens."""
    return Pace(_HEALTHS * health_every_s + _PUBACK_S, "no_pubacks", "the broker acknowledged nothing")
