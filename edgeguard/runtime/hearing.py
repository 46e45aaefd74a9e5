"""The speech thread: chunks of every microphone in, observations out."""

from __future__ import annotations

from edgeguard.clock import Clock
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.ears import EarMaker
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.secretary import Secretary
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.speech import Listener
from edgeguard.types import AudioChunk, Observation

_RETRY_MODELS_NS = 60_000_000_000


class HearingStage(Stage):
    """Gives each chunk to its microphone's listener; the models are loaded when the stage opens."""

    name = "speech"

    def __init__(
        self,
        chunks: Channel[AudioChunk],
        observations: Channel[Observation],
        ears: EarMaker,
        part: Part,
        clock: Clock,
        secretary: Secretary | None = None,
    ) -> None:
        self._secretary = secretary
        self._chunks = chunks
        self._observations = observations
        self._ears = ears
        self._part = part
        self._clock = clock
        self._listeners: dict[str, Listener] = {}

    def open(self) -> None:
        self._ears.load()
        self._listeners = self._ears.listeners()
        self._retry_ns = self._clock.monotonic_ns() + _RETRY_MODELS_NS

    def step(self) -> None:
        self._try_models_again()
        chunk = self._chunks.get(STEP_S)
        if chunk is not None:
            self._hear(chunk)
        self._part.note(
            chunks_dropped=sum(self._chunks.drops().values()),
            holes=sum(listener.holes for listener in self._listeners.values()),
        )
        self._part.set(State.OK)

    def close(self) -> None:
        for listener in self._listeners.values():
            self._tell(listener.finish())
        self._listeners = {}

    def _try_models_again(self) -> None:
        if self._clock.monotonic_ns() < self._retry_ns:
            return
        self._retry_ns = self._clock.monotonic_ns() + _RETRY_MODELS_NS
        if self._ears.load():
            self.close()
            self._listeners = self._ears.listeners()

    def _hear(self, chunk: AudioChunk) -> None:
        self._part.worked()
        self._tell(self._listeners[chunk.source].accept(chunk))

    def _tell(self, noticed: list[Observation]) -> None:
        for observation in noticed:
            if self._secretary is not None:
                self._secretary.write(observation)
            self._observations.put(observation)
