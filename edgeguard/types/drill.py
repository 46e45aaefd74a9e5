"""Names that belong to the drill: no configuration may use them."""

from __future__ import annotations

CAMERA, MICROPHONE = "drill", "drill-mic"
"""The hidden sources; also the `source` of its alerts."""
INTRUSION, NOISE, CALL = "drill-intrusion", "drill-noise", "drill-call"
"""Rules on the hidden sources, whose alerts are flagged `drill`."""
MISSED = "drill-missed"
"""The rule, and `drill_missed` the kind, of the alert that a drill failed; it is no exercise."""
SOURCES = frozenset({CAMERA, MICROPHONE})
RULES = frozenset({INTRUSION, NOISE, CALL})
RESERVED = frozenset({*SOURCES, *RULES, MISSED})
