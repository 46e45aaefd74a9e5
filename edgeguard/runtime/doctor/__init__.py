"""Checks of a box, each in a file of its own: what is there, what is missing, why, and how to have it."""

from edgeguard.runtime.doctor.examination import Check, Look, examine, healthy
from edgeguard.runtime.doctor.finding import Finding, Verdict

__all__ = ["Check", "Finding", "Look", "Verdict", "examine", "healthy"]
