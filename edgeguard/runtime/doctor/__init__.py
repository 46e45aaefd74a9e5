"""Checks of a box, each in a file of its own: what is there, what is missing, and how to have it."""

from edgeguard.runtime.doctor.finding import Finding
from edgeguard.runtime.doctor.zero_copy import healthy, zero_copy

__all__ = ["Finding", "healthy", "zero_copy"]
