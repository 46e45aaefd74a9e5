"""Proof: files that belong to alerts, with their hashes; and what was said, where a site keeps it.

Belongs here: writing evidence so that it is whole or absent, hashing, retention.
Does not belong here: drawing and masking pictures (vision), deciding what deserves evidence (alerts).
May import: types, clock, files, errors.
Called by: runtime.
To add one, copy `store.py`.
"""

from edgeguard.evidence.believing import BelievedTime
from edgeguard.evidence.store import EvidenceStore
from edgeguard.evidence.transcripts import Sentence, Transcripts

__all__ = ["BelievedTime", "EvidenceStore", "Sentence", "Transcripts"]
