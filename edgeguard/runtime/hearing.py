"""The speech thread: chunks of every microphone in, observations out."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from edgeguard.clock import Clock
from edgeguard.runtime.channel import Channel
from edgeguard.runtime.ears import EarMaker
from edgeguard.runtime.health import Part, State
from edgeguard.runtime.heed import Strides
from edgeguard.runtime.latency import Note, unnoted
from edgeguard.runtime.paces import LISTENING
from edgeguard.runtime.secretary import Secretary
from edgeguard.runtime.stage import STEP_S, Stage
from edgeguard.runtime.strain import Strain
from edgeguard.runtime.syncing import Syncing
from edgeguard.speech import Effort, Listener
from edgeguard.types import AudioChunk, Observation

_RETRY_MODELS_NS = 60_000_000_000

_GIVEN_UP = {
    Effort.WORDS: "sentences and denoising are given up",
    Effort.SOUNDS: "sentences and keywords are given up",
    Effort.NOTHING: "sentences, keywords and sounds are given up",
}


class HearingStage(Stage):
    """Gives each chunk to its microphone's listener; the models are loaded when the stage opens.

    It takes one chunk of every microphone that has one, and lets the models hear all of them at once. Late
    with them, it gives up work as `strain` says; without `strain` the microphones wait for it.
    """

    name = "speech"
    open_s = 240.0
    """A model is loaded then: on a slow card that takes minutes. Each of several may take as long."""

    def __init__(
        self,
        chunks: Channel[AudioChunk],
        observations: Channel[Observation],
        ears: EarMaker,
        part: Part,
        clock: Clock,
        secretary: Secretary | None = None,
        *,
        strain: Strain | None = None,
        microphones: Mapping[str, Part] | None = None,
        syncing: Syncing | None = None,
        note_latency: Note = unnoted,
    ) -> None:
        self._secretary = secretary
        self._chunks = chunks
        self._observations = observations
        self._ears = ears
        self._part = part
        part.expect(LISTENING)
        self._clock = clock
        self.strides = Strides(clock)
        self._strain = strain
        self._microphones = microphones or {}
        self._syncing = syncing or Syncing()
        self._note_latency = note_latency
        self._effort = Effort.ALL
        self._listeners: dict[str, Listener] = {}
        self._waiting: list[AudioChunk] = []

    def open(self) -> None:
        self._ears.load(self.live)
        self._listen()
        self._retry_ns = self._clock.monotonic_ns() + _RETRY_MODELS_NS

    def step(self) -> None:
        self.step_s = 0.0
        self._try_models_again()
        if not self._waiting:
            self._waiting = self._chunks.get_all(STEP_S)
        self._adapt()
        self._hear(self._round())
        if self._secretary is not None:
            self._secretary.tidy()
        self._report()
        self.strides.took()

    def refit(self, over: Collection[str], microphones: Mapping[str, Part], syncing: Syncing) -> None:
        """What was heard of those in `over` is over; listen to all that the maker of ears has by now.

        For its own thread.
        """
        self._microphones, self._syncing = microphones, syncing
        for name in self._listeners.keys() & over:
            self._tell(self._listeners.pop(name).finish())
        self._waiting = [chunk for chunk in self._waiting if chunk.source not in over]
        self._chunks.discard(lambda chunk: chunk.source in over)
        self._part.rest()
        made = self._ears.listeners(but=self._listeners)
        if self._effort is not Effort.ALL:
            for listener in made.values():
                self._tell(listener.limit(self._effort))
        self._listeners |= made

    def close(self) -> None:
        for listener in self._listeners.values():
            self._tell(listener.finish())
        self._listeners = {}

    @property
    def gave_up(self) -> bool:
        """Whether there is no time to listen at all. For any thread."""
        return self._effort is Effort.NOTHING

    @property
    def idle(self) -> bool:
        """Whether everything was heard that came."""
        return not self._waiting and not len(self._chunks)

    def _listen(self) -> None:
        self._listeners = self._ears.listeners()
        self._effort = Effort.ALL

    def _try_models_again(self) -> None:
        if self._clock.monotonic_ns() < self._retry_ns:
            return
        self._retry_ns = self._clock.monotonic_ns() + _RETRY_MODELS_NS
        self.step_s = self.open_s  # who loads a model is not stuck
        if self._ears.load(self.live):
            self.close()
            self._listen()

    def _adapt(self) -> None:
        if self._strain is None:
            return
        now_ns = self._clock.monotonic_ns()
        late_s = max((now_ns - chunk.arrived_ns for chunk in self._waiting), default=0) / 1e9
        effort = self._strain.update(late_s, now_ns)
        self._part.note(late_s=round(late_s, 2), effort=effort.name.lower())
        if effort is not self._effort:
            self._effort = effort
            for listener in self._listeners.values():
                self._tell(listener.limit(effort))

    def _round(self) -> list[AudioChunk]:
        """The oldest chunk of each microphone."""
        first: dict[str, AudioChunk] = {}
        rest = [chunk for chunk in self._waiting if first.setdefault(chunk.source, chunk) is not chunk]
        self._waiting = rest
        return [*first.values()]

    def _hear(self, chunks: list[AudioChunk]) -> None:
        chunks = [chunk for chunk in chunks if chunk.source in self._listeners]
        start_ns = self._clock.monotonic_ns()
        for chunk in chunks:
            self._note_latency("listen_wait", start_ns - chunk.arrived_ns)
            self._part.worked()
            self._tell(self._listeners[chunk.source].feed(chunk))
            self._tell(self._syncing.heard(chunk))
        self._ears.decode()
        for chunk in chunks:
            self._tell(self._listeners[chunk.source].poll())
        if chunks:
            self._note_latency("listen", self._clock.monotonic_ns() - start_ns)

    def _report(self) -> None:
        listeners = self._listeners.values()
        self._part.note(
            chunks_dropped=sum(self._chunks.drops().values()),
            holes=sum(listener.holes for listener in listeners),
        )
        for name, part in self._microphones.items():
            _note(part, self._listeners[name])
        reasons = [f"the processor is short: {_GIVEN_UP[self._effort]}"] if self._effort else []
        reasons += [
            f"microphone {name}: {', '.join(listener.check.faults)}"
            for name, listener in self._listeners.items()
            if listener.check and listener.check.faults
        ]
        drifts = {name: self._syncing.drift(name) for name in self._listeners}
        reasons += [f"microphone {name}: {drift}" for name, drift in drifts.items() if drift]
        code = "overloaded" if self._effort else "microphone_faulty"
        self._part.set(State.DEGRADED if reasons else State.OK, "; ".join(reasons) or None, code)

    def _tell(self, noticed: list[Observation]) -> None:
        for observation in noticed:
            if self._secretary is not None:
                self._secretary.write(observation)
            self._observations.put(observation)


def _note(part: Part, listener: Listener) -> None:
    check = listener.check
    part.note(
        chunks_missed=listener.missed,
        **({} if check is None or check.level_dbfs is None else {"level_dbfs": check.level_dbfs}),
    )
