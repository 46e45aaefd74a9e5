"""Writes down what was said, where microphones may be written down."""

from __future__ import annotations

from edgeguard.errors import StorageError
from edgeguard.evidence import Transcripts
from edgeguard.runtime.codes import code_of
from edgeguard.runtime.health import Part, State
from edgeguard.types import Observation


class Secretary:
    """Keeps sentences that come with their text; a disk that refuses turns its health and nothing else."""

    def __init__(self, transcripts: Transcripts, part: Part) -> None:
        self._transcripts = transcripts
        self._part = part
        part.set(State.OK)

    def tidy(self) -> None:
        """Let go of what is too old, whether anybody speaks or not."""
        try:
            self._transcripts.tidy()
        except StorageError as error:
            self._part.set(State.DEGRADED, str(error), code_of(error))

    def write(self, observation: Observation) -> None:
        if observation.kind != "utterance" or not observation.text:
            return
        try:
            self._transcripts.keep(observation.source, observation.utc_ns, observation.text)
        except StorageError as error:
            self._part.set(State.DEGRADED, str(error), code_of(error))
        else:
            self._part.count("kept")
            self._part.set(State.OK)
