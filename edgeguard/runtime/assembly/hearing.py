"""Microphones, what is recognised in their sound, and the rules on it."""

from __future__ import annotations

from collections.abc import Mapping

from edgeguard.audio import AudioSource, GstAudioSource, SharedAudioSource
from edgeguard.clock import Clock
from edgeguard.config import Config
from edgeguard.config import rules as kinds
from edgeguard.config.microphones import Checks
from edgeguard.config.source import enabled
from edgeguard.config.understanding import Classifier
from edgeguard.errors import ConfigError
from edgeguard.models import Catalog, ModelStore
from edgeguard.runtime.assembly.awaiting import awaited_of, phrases, rules_about
from edgeguard.runtime.assembly.changes import Change
from edgeguard.runtime.assembly.drilling import Drilling
from edgeguard.runtime.assembly.keeping import transcripts, transcripts_folder
from edgeguard.runtime.assembly.sharing import Taps
from edgeguard.runtime.assembly.sources import audio_source, is_realtime, pause, retries, silent_s
from edgeguard.runtime.bookmark import Bookmark, BookmarkedSource
from edgeguard.runtime.channel import Channel, WhenFull
from edgeguard.runtime.coverage import Coverage
from edgeguard.runtime.ears import Ear, EarMaker, SoundChoice
from edgeguard.runtime.health import HealthBoard
from edgeguard.runtime.hearing import HearingStage
from edgeguard.runtime.heed import Lapse
from edgeguard.runtime.latency import Note, unnoted
from edgeguard.runtime.locked import LockedSource
from edgeguard.runtime.mind import ClassifierChoice, Mind, MindChoice
from edgeguard.runtime.paces import chunks
from edgeguard.runtime.secretary import Secretary
from edgeguard.runtime.sources import SourceStage
from edgeguard.runtime.stage import Stage
from edgeguard.runtime.strain import Strain
from edgeguard.runtime.syncing import Syncing
from edgeguard.runtime.words import SpeechChoice
from edgeguard.speech import Endpointing, FaultRule, IntentRule, KeywordRule, Limits, SoundRule
from edgeguard.types import AudioChunk, ModelRef, Observation, drill

_CHUNKS = 50
"""Of 100 ms, for each microphone; as many again may be under way."""
_DENOISE = {"auto": None, "always": True, "never": False}


class Hearing:
    """From the microphones' URLs to observations."""

    def __init__(
        self,
        config: Config,
        clock: Clock,
        board: HealthBoard,
        catalog: Catalog,
        store: ModelStore,
        observations: Channel[Observation],
        coverage: Coverage,
        taps: Taps | None = None,
        syncing: Syncing | None = None,
        *,
        drilling: Drilling | None = None,
        write_down: bool = True,
        note_latency: Note = unnoted,
    ) -> None:
        """`drilling` has the hidden microphone, where `config` names it. `write_down`: keep what is said
        where that is asked for, and how far recordings were heard."""
        self._drilling = drilling
        self._write_down = write_down
        self._config = config
        self._coverage = coverage
        self._taps = taps or Taps()
        self._clock = clock
        self._board = board
        self._microphones = enabled(config.microphones)
        self._chunks: Channel[AudioChunk] = Channel(
            _CHUNKS * max(len(self._microphones), 1),
            self._when_full(),
            coming=lambda _: board.part("hearing").asked(),
        )
        parts = (board.part("speech"), board.part("sounds"))
        mind = Mind(self._mind_choice(), board.part("understanding"))
        ears = [self._ear(name) for name in self._microphones]
        self._maker = EarMaker(
            ears, self._speech_choice(), self._sound_choice(), catalog, store, mind, parts, clock
        )
        self._stage = HearingStage(
            self._chunks,
            observations,
            self._maker,
            board.part("hearing"),
            clock,
            self._secretary() if write_down else None,
            strain=Strain() if self._when_full() is WhenFull.DROP_OLDEST else None,
            microphones={name: board.part(f"microphone/{name}") for name in self._real},
            syncing=syncing,
            note_latency=note_latency,
        )

    def thinkers(self) -> dict[str, Stage]:
        return {"hearing": self._stage}

    def sources(self) -> dict[str, Stage]:
        return {f"microphone/{name}": self.stage(name) for name in self._real}

    def hidden(self) -> dict[str, Stage]:
        """The microphone of the drill."""
        if self._drilling is None or drill.MICROPHONE not in self._microphones:
            return {}
        return {self._drilling.part(drill.MICROPHONE).name: self._drilling.chunks(self._chunks)}

    def refit(self, config: Config, change: Change, syncing: Syncing) -> None:
        """Hear by `config` from now on; for the hearing thread."""
        self._config = config
        self._microphones = enabled(config.microphones)
        self._chunks.resize(_CHUNKS * max(len(self._microphones), 1))
        self._maker.refit([self._ear(name) for name in self._microphones])
        parts = {name: self._board.part(f"microphone/{name}") for name in self._real}
        self._stage.refit(change.closed | change.reheard, parts, syncing)

    @property
    def _real(self) -> list[str]:
        """All but the hidden one."""
        return [name for name in self._microphones if name != drill.MICROPHONE]

    def models(self) -> Mapping[str, ModelRef]:
        """Which model is behind each kind of observation."""
        return self._maker.models

    def unheeded(self) -> dict[str, Lapse]:
        """Microphones that there is no time to listen to, or where listening stands still."""
        since_ns = self._stage.strides.standing_since_ns
        if since_ns is not None:
            return dict.fromkeys(self._real, Lapse("unwatched", since_ns))
        return dict.fromkeys(self._real, Lapse("overloaded")) if self._stage.gave_up else {}

    @property
    def idle(self) -> bool:
        return self._stage.idle

    def _secretary(self) -> Secretary | None:
        """Also where nothing is kept any more, until what was kept is too old."""
        wanted = any(microphone.transcripts for microphone in self._microphones.values())
        if not (wanted or transcripts_folder(self._config).is_dir()):
            return None
        return Secretary(transcripts(self._config, self._clock), self._board.part("transcripts"))

    def stage(self, name: str) -> Stage:
        """A new one for that microphone."""
        part = self._board.part(f"microphone/{name}")
        microphone = self._microphones[name]
        return SourceStage(
            f"audio-{name}",
            self._source(name),
            self._chunks,
            part,
            loop=microphone.loop,
            coverage=self._coverage,
            silent_s=silent_s(microphone),
            pace=chunks(silent_s(microphone)) if is_realtime(microphone) else None,
            retry_s=retries(microphone),
        )

    def _source(self, name: str) -> AudioSource:
        """One without its password waits for it."""
        try:
            return self._make_source(name)
        except ConfigError:
            return LockedSource(name, lambda: self._make_source(name))

    def _make_source(self, name: str) -> AudioSource:
        microphone = self._microphones[name]
        address, tap = microphone.url.address, self._taps.of_microphone(name)
        if tap is not None:
            return SharedAudioSource(name, address, self._clock, tap, pause, stall_s=microphone.stall_s)
        source = audio_source(name, microphone, self._clock)
        played_once = microphone.url.scheme == "file" and not (microphone.loop or microphone.camera)
        if isinstance(source, GstAudioSource) and played_once and self._write_down:
            return BookmarkedSource(source, Bookmark(self._config.state_dir / "heard" / name, address))
        return source

    def _when_full(self) -> WhenFull:
        """A recording read faster than real time waits; a living microphone does not."""
        realtime = all(is_realtime(microphone) for microphone in self._microphones.values())
        return WhenFull.DROP_OLDEST if realtime else WhenFull.WAIT

    def _speech_choice(self) -> SpeechChoice | None:
        speech = self._config.speech
        if not speech.enabled or not any(mic.speech for mic in self._microphones.values()):
            return None
        vad, endpoint = speech.vad, speech.endpoint
        return SpeechChoice(
            model=speech.model,
            vad_model=vad.model,
            vad={
                "threshold": vad.threshold,
                "min_speech_s": vad.min_speech_s,
                "min_silence_s": vad.min_silence_s,
                "max_speech_s": vad.max_speech_s,
            },
            endpointing=Endpointing(endpoint.silence_s, endpoint.empty_silence_s, endpoint.longest_s),
            phrases=phrases(self._config, None),
            threads=speech.threads,
            keyword_model=speech.keyword_model,
            settle_s=speech.settle_s,
            hotwords_score=speech.hotwords_score,
            denoise=_DENOISE[speech.denoise],
            denoise_model=speech.denoise_model,
        )

    def _mind_choice(self) -> MindChoice | None:
        mind, speech = self._config.speech.understanding, self._speech_choice()
        if speech is None or not mind.enabled:
            return None
        cues = [(cue.intent, cue.phrase, cue.weight) for cue in mind.cues]
        return MindChoice(mind.urgency, cues, mind.places, mind.people, _classifier(mind.classifier))

    def _sound_choice(self) -> SoundChoice | None:
        sounds = self._config.sounds
        if not sounds.enabled or not any(mic.sounds for mic in self._microphones.values()):
            return None
        return SoundChoice(sounds.model, sounds.thresholds(), sounds.min_duration_s)

    def _ear(self, name: str) -> Ear:
        microphone = self._microphones[name]
        mine = rules_about(self._config, name)
        keyword_rules = [rule for rule in mine if isinstance(rule, kinds.Keyword)]
        sound_rules = [rule for rule in mine if isinstance(rule, kinds.Sound)]
        intent_rules = [rule for rule in mine if isinstance(rule, kinds.Intent)]
        fault_rules = [rule for rule in mine if isinstance(rule, kinds.MicrophoneFault)]
        usual = self._config.speech.understanding.urgency
        every_tag = tuple(self._config.sounds.thresholds())
        return Ear(
            name,
            microphone.speech,
            microphone.sounds,
            [KeywordRule(rule.name, phrases(self._config, rule.keywords)) for rule in keyword_rules],
            [SoundRule(rule.name, rule.tags or every_tag) for rule in sound_rules],
            [
                IntentRule(rule.name, rule.intents, usual if rule.urgency is None else rule.urgency)
                for rule in intent_rules
            ],
            keep_text=microphone.transcripts,
            fault_rules=[FaultRule(rule.name, rule.faults) for rule in fault_rules],
            limits=_limits(microphone.checks),
            awaited=awaited_of(self._config, name),
        )


def _limits(checks: Checks) -> Limits | None:
    if not checks.enabled:
        return None
    return Limits(checks.silent_dbfs, checks.clipped_share, checks.dc_offset, checks.after_s, checks.clear_s)


def _classifier(settings: Classifier) -> ClassifierChoice | None:
    model, vocabulary, labels = settings.model_file, settings.vocabulary_file, settings.labels_file
    if model is None or vocabulary is None or labels is None:
        return None
    intents = {entry.label: entry.intent for entry in settings.labels}
    return ClassifierChoice(model, vocabulary, labels, intents, settings.weight)
