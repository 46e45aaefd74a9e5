"""Proof: files that belong to alerts, with their hashes.

Belongs here: writing evidence so that it is whole or absent, hashing, retention.
Does not belong here: drawing and masking pictures (vision), deciding what deserves evidence (alerts).
May import: types, clock, files, errors.
Called by: runtime.
To add one, copy `store.py`.
"""

from edgeguard.evidence.store import EvidenceStore

__all__ = ["EvidenceStore"]
